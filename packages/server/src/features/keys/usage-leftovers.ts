import { nextTurn } from '../../lib/turns.ts';
import type { Storage } from '../../storage/index.ts';
import { listChangeTimes, listKeyIdsAfter, removeRowsOfKeys } from './usage.repo.ts';

/**
 * What the usage store keeps of a key for as long as the key is there: addresses and programs among it. Counters of
 * hours and days are not of them, since they end by their age.
 */
export const TABLES_OF_KEYS = [
  'key_last_uses',
  'key_last_refusals',
  'key_first_refusals',
  'key_quotas',
] as const;

/** Half a million keys are looked up in some seconds, a few milliseconds at a time. */
const BOUNDS = { keysPerStep: 500, keysPerSweep: 500_000 };

export interface UsageLeftovers {
  /**
   * Removes what is known of keys that are gone, of so many keys at a time; the next sweep goes on behind them. It is
   * no part of the deletion: that is in another store, and whoever has used the key writes up to a second later.
   * Returns how many keys it looked at.
   */
  sweep(signal?: AbortSignal): Promise<number>;
}

export function createUsageLeftovers(deps: {
  readonly storage: Storage;
  readonly bounds?: { readonly keysPerStep: number; readonly keysPerSweep: number };
}): UsageLeftovers {
  const { storage, bounds = BOUNDS } = deps;
  let table = 0;
  let after = '';

  const step = async (limit: number): Promise<number> => {
    const name = TABLES_OF_KEYS[table] ?? TABLES_OF_KEYS[0];
    // In this order: a key that is in the usage store was in the main store before.
    const ids = await listKeyIdsAfter(storage.usage, name, after, limit);
    const living = await listChangeTimes(storage.read, ids);
    const gone = ids.filter((id) => !living.has(id));
    if (gone.length > 0) await storage.usage.transaction().execute((tx) => removeRowsOfKeys(tx, name, gone));
    const last = ids.length < limit ? undefined : ids.at(-1);
    if (last === undefined) table = (table + 1) % TABLES_OF_KEYS.length;
    after = last ?? '';
    return ids.length;
  };

  return {
    sweep: async (signal) => {
      let count = 0;
      let ended = 0;
      while (count < bounds.keysPerSweep && ended < TABLES_OF_KEYS.length) {
        const limit = Math.min(bounds.keysPerStep, bounds.keysPerSweep - count);
        count += await step(limit);
        if (after === '') ended += 1;
        if (signal?.aborted === true) break;
        await nextTurn();
      }
      return count;
    },
  };
}
