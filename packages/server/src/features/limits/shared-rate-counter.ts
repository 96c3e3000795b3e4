import type { Clock } from '../../lib/clock.ts';
import { MemoryRateCounter, type RateCount, type RateCounter } from './rate-counter.ts';

/** What is told of a counter that several processes share. */
export interface SharedCounterState {
  readonly isUp: boolean;
  /** Requests that this process has counted for itself instead. */
  readonly countedAlone: number;
}

export interface SharedRateCounter extends RateCounter {
  state(): SharedCounterState;
}

interface Logger {
  warn(details: object, message: string): void;
  info(details: object, message: string): void;
}

/** Nobody's request waits longer for a counter that does not answer. */
const WAIT_MS_MAX = 100;
/** While it does not answer, one request in this time asks it; the others do not wait at all. */
const ASK_AGAIN_AFTER_MS = 1_000;

class TooLate extends Error {}

/**
 * A counter that several processes share, with one of this process alone in its place while it does not answer. Then
 * each process grants a limit for itself: more than was meant, never without end, and never an error.
 */
export function createSharedRateCounter(deps: {
  readonly shared: RateCounter;
  readonly clock: Clock;
  readonly logger: Logger;
  /** For the log: what it is that does not answer. */
  readonly name: string;
}): SharedRateCounter {
  const { shared, logger, name } = deps;
  const alone = new MemoryRateCounter(deps.clock);
  let isUp = true;
  let countedAlone = 0;
  let askAgainAt = 0;

  const fail = (error: unknown): void => {
    askAgainAt = performance.now() + ASK_AGAIN_AFTER_MS;
    if (!isUp) return;
    isUp = false;
    logger.warn({ err: error, counter: name }, 'rate limits are counted by each process for itself');
  };

  return {
    count: async (key, windowMs): Promise<RateCount> => {
      if (isUp || performance.now() >= askAgainAt) {
        // Of all that come while it is down, only the one that asks may wait.
        if (!isUp) askAgainAt = performance.now() + ASK_AGAIN_AFTER_MS;
        try {
          const counted = await inTime(shared.count(key, windowMs));
          if (!isUp) logger.info({ counter: name }, 'rate limits are counted together again');
          isUp = true;
          return counted;
        } catch (error) {
          fail(error);
        }
      }
      countedAlone += 1;
      return alone.countNow(key, windowMs);
    },
    state: () => ({ isUp, countedAlone }),
    close: async () => {
      await shared.close();
      await alone.close();
    },
  };
}

async function inTime<Result>(work: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const giveUp = () => reject(new TooLate(`no answer within ${WAIT_MS_MAX} ms`));
    // After a pause of this process its timers are served first. The answer may have come long ago, and is read next.
    timer = setTimeout(() => setImmediate(giveUp), WAIT_MS_MAX);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    // An answer after that is nobody's, nor is its error.
    work.catch(() => {});
  }
}
