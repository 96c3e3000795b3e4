import { type Clock, DAY_MS, HOUR_MS } from '../../lib/clock.ts';
import { nextTurn } from '../../lib/turns.ts';
import type { Storage } from '../../storage/index.ts';
import { removeOldDays, removeOldFlushes, removeOldWorkspaceHours, rollUpHours } from './usage.repo.ts';
import { ROWS_PER_TRANSACTION } from './usage-flush.ts';
import { createUsageLeftovers } from './usage-leftovers.ts';

/** A process tries a flush again for as long as it lives; none is down to one flush for a week. */
const FLUSHES_KEPT_DAYS = 7;

export interface UsageRetention {
  /**
   * Adds hours that are past their time up to days, and removes days that are: a few rows in each transaction, until
   * nothing is left or the signal comes. Then goes on removing what is known of deleted keys. Returns how many counters
   * it took away.
   */
  sweep(signal?: AbortSignal): Promise<number>;
}

/** How long counters are kept: single hours for a while, whole days much longer. */
export function createUsageRetention(deps: {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly config: { readonly usageHourlyDays: number; readonly usageDailyDays: number };
}): UsageRetention {
  const { storage, clock, config } = deps;
  const leftovers = createUsageLeftovers({ storage });
  return {
    sweep: async (signal) => {
      // Whole days, so that none is half hours, half day.
      const today = Math.floor(clock.now() / DAY_MS);
      const hoursFrom = ((today - config.usageHourlyDays) * DAY_MS) / HOUR_MS;
      const daysFrom = today - config.usageDailyDays;
      const steps = [rollUpHours, removeOldDays, removeOldWorkspaceHours] as const;
      const befores = [hoursFrom, daysFrom, (daysFrom * DAY_MS) / HOUR_MS];
      const limit = ROWS_PER_TRANSACTION[storage.engine];
      let count = 0;
      for (const [index, step] of steps.entries()) {
        for (;;) {
          const rows = await storage.usage
            .transaction()
            .execute((tx) => step(tx, befores[index] ?? 0, limit));
          count += rows;
          if (rows < limit || signal?.aborted === true) break;
          await nextTurn();
        }
      }
      await storage.usage
        .transaction()
        .execute((tx) => removeOldFlushes(tx, clock.now() - FLUSHES_KEPT_DAYS * DAY_MS));
      await leftovers.sweep(signal);
      return count;
    },
  };
}
