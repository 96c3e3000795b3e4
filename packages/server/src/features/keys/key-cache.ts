import type { AccountIdentity } from '../../http/index.ts';
import type { Storage } from '../../storage/index.ts';
import type { ApiKey } from './api-key.ts';

/** A key whose row was found intact, with the account behind it. */
export interface KnownKey {
  readonly key: ApiKey;
  readonly account: AccountIdentity;
}

export interface KeyCache {
  /** The key, from memory when nothing at all was committed since it was read, otherwise by `load`. */
  find(workspaceId: string, keyId: string, load: () => Promise<KnownKey | null>): Promise<KnownKey | null>;
}

const KEYS_MAX = 20_000;

/**
 * Keeps keys as long as the change counter of the database stands still: asking for it costs a microsecond,
 * and it moves with the commit of every revocation, in whichever process, so a hit is as true as a read. Without
 * a counter (PostgreSQL) nothing is kept.
 */
export function createKeyCache(storage: Storage): KeyCache {
  const { changeCounter } = storage;
  if (changeCounter === null) return { find: (_workspaceId, _keyId, load) => load() };
  const keys = new Map<string, KnownKey>();
  let version = Number.NaN;
  return {
    find: async (workspaceId, keyId, load) => {
      const now = changeCounter();
      if (now !== version) {
        keys.clear();
        version = now;
      }
      const name = `${workspaceId}/${keyId}`;
      const known = keys.get(name);
      if (known !== undefined) return known;
      const loaded = await load();
      // While it was loading, another question may have seen a newer state; what was read before it is too old.
      if (loaded !== null && version === now && keys.size < KEYS_MAX) keys.set(name, loaded);
      return loaded;
    },
  };
}
