import type { PackageCheck } from '@keyreeve/sdk';
import { useMutation } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { checkPackage } from './push-check-queries.ts';

export interface PackageWish {
  readonly file: File;
  readonly keyId: string;
}

/** One check at a time, with how far it is; it ends with the dialog. */
export function usePackageCheck() {
  const [sentBytes, setSentBytes] = useState(0);
  const stopping = useRef<AbortController | null>(null);
  const [isStopped, setStopped] = useState(false);
  const check = useMutation({
    mutationFn: async ({ file, keyId }: PackageWish): Promise<PackageCheck> => {
      const controller = new AbortController();
      stopping.current = controller;
      setSentBytes(0);
      setStopped(false);
      return await checkPackage({ file, keyId, signal: controller.signal, onProgress: setSentBytes });
    },
  });
  useEffect(() => () => stopping.current?.abort(), []);
  return {
    check,
    sentBytes,
    isStopped,
    stop: () => {
      setStopped(true);
      stopping.current?.abort();
    },
  };
}
