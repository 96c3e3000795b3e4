import type { Key } from '@keyreeve/sdk';
import { useEffect, useRef, useState } from 'react';
import type { OnMinted } from '../keys/key-request.ts';
import type { SealedKey } from '../keys/secret-box.ts';

/** Secrets that were made on this page and are still there to be copied. */
export interface FreshSecrets {
  /** The latest first. */
  readonly all: readonly SealedKey[];
  readonly of: (key: Key) => SealedKey | null;
  readonly add: OnMinted;
  /** Its secret is gone. */
  readonly drop: (gone: SealedKey) => void;
  /** The one that is shown in the one-time window. */
  readonly used: SealedKey | null;
  readonly use: (fresh: SealedKey | null) => void;
}

/** Leaving the page forgets them all. */
export function useFreshSecrets(): FreshSecrets {
  const [all, setAll] = useState<readonly SealedKey[]>([]);
  const [used, use] = useState<SealedKey | null>(null);
  const latest = useRef(all);
  latest.current = all;
  useEffect(
    () => () => {
      for (const { box } of latest.current) box.wipe();
    },
    [],
  );
  return {
    all,
    of: (key) => all.find((one) => one.key.id === key.id) ?? null,
    add: (key, box) => {
      // The secret of the generation before no longer counts.
      const before = all.find((one) => one.key.id === key.id);
      before?.box.wipe();
      setAll((others) => [{ key, box }, ...others.filter((one) => one !== before)]);
    },
    drop: (gone) => setAll((before) => before.filter((one) => one !== gone)),
    used,
    use,
  };
}
