import type { Key } from '@keyreeve/sdk';

/** The server's clock may be a little behind: a key that should have stopped is asked about again so much later. */
const AGAIN_MS = 30_000;
const TIMER_MS_MAX = 2_147_483_647;

/** In how many milliseconds the next of the working keys has stopped; false when no timer is as long. */
export function untilNextStop(
  keys: readonly Pick<Key, 'status' | 'expiresAt'>[],
  now: number,
): number | false {
  const stops = keys
    .filter(({ status }) => status === 'active' || status === 'expiring')
    .flatMap(({ expiresAt }) => (expiresAt === null ? [] : [Date.parse(expiresAt)]));
  if (stops.length === 0) return false;
  const waitMs = Math.max(AGAIN_MS, Math.min(...stops) - now + 1_000);
  return waitMs > TIMER_MS_MAX ? false : waitMs;
}
