import { DAY_MS } from '../../lib/clock.ts';

/** The life of the present secret of a key. */
export interface KeyLife {
  readonly startedAt: number;
  readonly expiresAt: number;
}

/** What was told of an expiry already. */
export interface ToldStep {
  readonly expiresAt: number;
  readonly aheadMs: number;
}

/** The end itself, as the last of the steps. */
export const EXPIRED_STEP = 0;

/**
 * How long before the expiry of a key something is told, in milliseconds, the longest first: the days of the
 * settings that lie within its life, or half of its life where none does, and the end.
 */
export function listExpirySteps(life: KeyLife, noticeDays: readonly number[]): readonly number[] {
  const lifetimeMs = life.expiresAt - life.startedAt;
  const aheads = noticeDays.map((days) => days * DAY_MS);
  const within = aheads.filter((aheadMs) => aheadMs < lifetimeMs).toSorted((a, b) => b - a);
  const isShort = aheads.length > 0 && within.length === 0;
  return [...(isShort ? [Math.floor(lifetimeMs / 2)] : within), EXPIRED_STEP];
}

/**
 * The step to tell now: the last one that has come, unless it or a later one was told of this very expiry. Steps
 * that were missed, because the server was down or its clock was wrong, are not made up for one by one.
 */
export function findDueStep(
  life: KeyLife,
  noticeDays: readonly number[],
  told: ToldStep | null,
  now: number,
): number | null {
  const due = listExpirySteps(life, noticeDays).findLast((aheadMs) => life.expiresAt - aheadMs <= now);
  if (due === undefined) return null;
  return told !== null && told.expiresAt === life.expiresAt && told.aheadMs <= due ? null : due;
}
