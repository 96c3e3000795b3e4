import type { Key } from '@keyreeve/sdk';

/** Calls with its secret are accepted now. */
export function isWorking(key: Key): boolean {
  return key.status === 'active' || key.status === 'expiring';
}

/** Imported keys have a secret of another system, which nobody here can renew. */
export function isRegenerable(key: Key): boolean {
  return key.lifetimeDays !== null && !key.isImported;
}
