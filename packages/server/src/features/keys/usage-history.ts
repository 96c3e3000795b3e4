import { requestErrors } from '../../errors/index.ts';
import { type Clock, DAY_MS, FIRST_INSTANT_MS, HOUR_MS, LAST_INSTANT_MS } from '../../lib/clock.ts';
import type { Storage } from '../../storage/index.ts';
import { sumByAction, sumByTime, type UsageSpan } from './usage.repo.ts';
import { OTHER_ACTION } from './usage-buffer.ts';

export type BucketLength = 'hour' | 'day';

export interface OutcomeCount {
  readonly outcome: string;
  readonly count: number;
}

/** Times in milliseconds. */
export interface UsageHistory {
  readonly by: BucketLength;
  readonly from: number;
  readonly to: number;
  readonly hoursKeptFrom: number;
  readonly buckets: readonly { readonly start: number; readonly outcomes: readonly OutcomeCount[] }[];
  readonly actions: readonly { readonly action: string | null; readonly outcomes: readonly OutcomeCount[] }[];
}

export interface UsageQuery {
  readonly by?: BucketLength | undefined;
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

export interface UsageReader {
  /**
   * What became of the uses of a key over time, and by action. The last second may be missing: it is still in memory.
   *
   * @throws request.invalid for a time that is no time, or holds more than 1,000 buckets
   */
  read(key: { readonly workspaceId: string; readonly id: string }, query: UsageQuery): Promise<UsageHistory>;
}

const BUCKETS_MAX = 1_000;
const BUCKETS_DEFAULT = { hour: 48, day: 30 } as const;
const OUTCOMES_MAX = 20;
const ACTIONS_MAX = 100;
/** Each process names 50 actions a day for itself, so a month of several processes may know many more than are told. */
const ACTION_ROWS_MAX = 5_000;

export function createUsageReader(deps: {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly config: { readonly usageHourlyDays: number };
}): UsageReader {
  const { storage, clock, config } = deps;
  return {
    read: async ({ workspaceId, id }, { by = 'hour', from, to }) => {
      const bucketMs = by === 'hour' ? HOUR_MS : DAY_MS;
      const bucketHours = bucketMs / HOUR_MS;
      const first = Math.ceil(FIRST_INSTANT_MS / bucketMs);
      const last = Math.floor(LAST_INSTANT_MS / bucketMs);
      const end = Math.min(Math.ceil((to ?? clock.now() + 1) / bucketMs), last);
      const start = Math.max(
        from === undefined ? end - BUCKETS_DEFAULT[by] : Math.floor(from / bucketMs),
        first,
      );
      requireRange(start, end);
      const span: UsageSpan = {
        workspaceId,
        keyId: id,
        fromHour: start * bucketHours,
        toHour: end * bucketHours,
      };
      const byTime = await sumByTime(storage.usage, span, bucketHours, BUCKETS_MAX * OUTCOMES_MAX);
      const byAction = await sumByAction(storage.usage, span, ACTION_ROWS_MAX);
      return {
        by,
        from: start * bucketMs,
        to: end * bucketMs,
        hoursKeptFrom: (Math.floor(clock.now() / DAY_MS) - config.usageHourlyDays) * DAY_MS,
        buckets: group(byTime, (row) => row.bucket).map(([bucket, outcomes]) => ({
          start: bucket * bucketMs,
          outcomes,
        })),
        actions: toActions(byAction),
      };
    },
  };
}

function requireRange(start: number, end: number): void {
  const message =
    start >= end
      ? 'must be before to'
      : end - start > BUCKETS_MAX
        ? `and to may hold at most ${BUCKETS_MAX} buckets; ask for less at once, or by=day`
        : null;
  if (message === null) return;
  throw requestErrors.invalid({ detail: `from ${message}`, fields: [{ field: 'from', message }] });
}

function group<Name, Row extends OutcomeCount>(
  rows: readonly Row[],
  nameOf: (row: Row) => Name,
): [Name, OutcomeCount[]][] {
  const groups = new Map<Name, Map<string, number>>();
  for (const row of rows) {
    const name = nameOf(row);
    const counts = groups.get(name) ?? new Map<string, number>();
    groups.set(name, counts.set(row.outcome, (counts.get(row.outcome) ?? 0) + row.count));
  }
  return [...groups].map(([name, counts]) => [
    name,
    [...counts].map(([outcome, count]) => ({ outcome, count })),
  ]);
}

function toActions(
  rows: readonly { readonly action: string; readonly outcome: string; readonly count: number }[],
): UsageHistory['actions'] {
  const sums = new Map<string, number>();
  for (const { action, count } of rows) sums.set(action, (sums.get(action) ?? 0) + count);
  const told = new Set(
    [...sums]
      .toSorted(([, a], [, b]) => b - a)
      .slice(0, ACTIONS_MAX - 1)
      .map(([action]) => action),
  );
  const nameOf = (action: string): string => (told.has(action) ? action : OTHER_ACTION);
  const total = (outcomes: readonly OutcomeCount[]): number =>
    outcomes.reduce((sum, { count }) => sum + count, 0);
  return group(rows, (row) => nameOf(row.action))
    .toSorted(([, a], [, b]) => total(b) - total(a))
    .map(([action, outcomes]) => ({ action: action === '' ? null : action, outcomes }));
}
