import { nextTurn } from '../../lib/turns.ts';
import { inUsageTransaction, type Storage } from '../../storage/index.ts';
import { listCountedKeyIds, removeQuotas } from '../limits/index.ts';
import { listKeptKeyIds } from './key-place.repo.ts';

const KEYS_PER_ROUND = 500;
const ROUNDS_MAX = 100;

export interface QuotaSweep {
  /**
   * Removes what was counted of the quotas of keys that were deleted: the transaction that deletes a key cannot, since
   * the counts lie in another store. A bounded part of all counts; the next run goes on where this one ended. Returns
   * how many keys it forgot.
   */
  run(signal?: AbortSignal): Promise<number>;
}

/** @see QuotaSweep */
export function createQuotaSweep({ storage }: { readonly storage: Storage }): QuotaSweep {
  let last = '';
  return {
    run: async (signal) => {
      let count = 0;
      for (let round = 0; round < ROUNDS_MAX; round += 1) {
        // First these, then the keys: a key is stored before its first use, so one that is not there is gone.
        const counted = await listCountedKeyIds(storage.usage, last, KEYS_PER_ROUND);
        const kept = await listKeptKeyIds(storage.read, counted);
        const gone = counted.filter((keyId) => !kept.has(keyId));
        if (gone.length > 0) await inUsageTransaction(storage, (tx) => removeQuotas(tx, gone));
        count += gone.length;
        last = counted.length < KEYS_PER_ROUND ? '' : (counted.at(-1) ?? '');
        if (last === '' || signal?.aborted === true) break;
        await nextTurn();
      }
      return count;
    },
  };
}
