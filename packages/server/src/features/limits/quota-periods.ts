import { DAY_MS, HOUR_MS } from '../../lib/clock.ts';
import type { Quota, RefillPeriod } from '../../lib/key-limits.ts';

const MONTHS = 12;

/** The number of the hour, day or month (UTC) of an instant, counted from 1970 or, for months, the year 0. */
export function periodOf(every: RefillPeriod | null, at: number): number {
  if (every === null) return 0;
  if (every === 'hour') return Math.floor(at / HOUR_MS);
  if (every === 'day') return Math.floor(at / DAY_MS);
  const date = new Date(at);
  return date.getUTCFullYear() * MONTHS + date.getUTCMonth();
}

/** The instant at which a period begins. */
export function periodStart(every: RefillPeriod, period: number): number {
  if (every === 'hour') return period * HOUR_MS;
  if (every === 'day') return period * DAY_MS;
  return Date.UTC(Math.floor(period / MONTHS), period % MONTHS);
}

/** What was counted of a quota, at the end of `period`. */
export interface QuotaCount {
  readonly period: number;
  readonly used: number;
}

export interface QuotaState {
  readonly remaining: number;
  /** When uses come back next; null when they never do. */
  readonly refillsAt: number | null;
}

/** What is left of a quota. `count` is null when it was never used. */
export function quotaStateOf(quota: Quota, count: QuotaCount | null, now: number): QuotaState {
  const { uses, refill } = quota;
  const stored = count ?? { period: 0, used: 0 };
  // A clock that was set back stands in a period that has been refilled before.
  const period = Math.max(periodOf(refill?.every ?? null, now), stored.period);
  const refilled = refill === null ? 0 : (period - stored.period) * (refill.uses ?? uses);
  const used = Math.max(0, Math.min(stored.used, uses) - refilled);
  return {
    remaining: Math.max(0, uses - used),
    refillsAt: refill === null ? null : periodStart(refill.every, period + 1),
  };
}
