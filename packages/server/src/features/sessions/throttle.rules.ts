import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../lib/clock.ts';
import { sha256Hex } from '../../lib/mac.ts';

/**
 * How long a bucket makes the next try wait. After `free` failures in a row the pause is one second, and each
 * further failure doubles it up to `pauseMax`. A growing pause instead of a lock: who knows only the address of
 * an account cannot keep its owner out.
 */
export interface PauseRule {
  readonly free: number;
  readonly pauseMaxMs: number;
  /** Failures are forgotten after so long without a new one. */
  readonly forgetMs: number;
}

export const PAUSE_RULES = {
  /** One login from one address: the guesser himself. */
  pair: { free: 5, pauseMaxMs: 15 * MINUTE_MS, forgetMs: DAY_MS },
  /** One login from anywhere: a guesser with many addresses. Short, because the owner waits with him. */
  login: { free: 50, pauseMaxMs: MINUTE_MS, forgetMs: 6 * HOUR_MS },
  /** One address with any login: one common password tried on many accounts. Short, because offices share one. */
  address: { free: 100, pauseMaxMs: MINUTE_MS, forgetMs: HOUR_MS },
  /** Guesses at the setup code from one address. */
  setup: { free: 5, pauseMaxMs: 15 * MINUTE_MS, forgetMs: DAY_MS },
} as const satisfies Record<string, PauseRule>;

export type PauseKind = keyof typeof PAUSE_RULES;

/** Requests for a link to set a password, in a window that begins with the first one. */
export const WINDOW_RULES = {
  mail: { limit: 5, windowMs: HOUR_MS },
  mailAddress: { limit: 30, windowMs: HOUR_MS },
} as const;

/** How long an address from which an account has signed in is exempt from the pause of its login as a whole. */
export const KNOWN_ADDRESS_MS = 30 * DAY_MS;

const SECOND_MS = 1_000;

/** Milliseconds until the next try; 0 when it may come at once. */
export function findPause(
  rule: PauseRule,
  attempts: { readonly failures: number; readonly lastFailureAt: number } | undefined,
  now: number,
): number {
  if (attempts === undefined || attempts.failures < rule.free) return 0;
  const since = now - attempts.lastFailureAt;
  if (since >= rule.forgetMs) return 0;
  const pause = Math.min(rule.pauseMaxMs, SECOND_MS * 2 ** (attempts.failures - rule.free));
  return Math.max(0, pause - since);
}

/**
 * The name of a bucket. A digest, because people type their password into the field of the address by mistake,
 * and because it has one length whatever a caller sends.
 */
export function toBucket(kind: string, ...parts: readonly string[]): string {
  return `${kind}:${sha256Hex(JSON.stringify(parts))}`;
}
