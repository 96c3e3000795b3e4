import { requestErrors } from '../../errors/index.ts';

/** Runs at most so many pieces of work at once and lets at most so many wait. */
export interface Lane {
  /** @throws request.too_many when the queue is full */
  run<Result>(work: () => Promise<Result>): Promise<Result>;
}

export interface LaneLimits {
  readonly runningMax: number;
  readonly waitingMax: number;
  /** What `Retry-After` says to those who find the queue full. */
  readonly retryAfterSeconds: number;
}

/** In the order of arrival, so that nobody is overtaken for ever. */
export function createLane(limits: LaneLimits): Lane {
  const waiting: (() => void)[] = [];
  let running = 0;

  const enter = async (): Promise<void> => {
    if (running < limits.runningMax) {
      running += 1;
      return;
    }
    if (waiting.length >= limits.waitingMax) {
      throw requestErrors.too_many({
        detail: 'The server is busy checking passwords. Nothing was changed; try again in a moment.',
        headers: { 'retry-after': String(limits.retryAfterSeconds) },
      });
    }
    // Whoever leaves hands over its place, so `running` does not change.
    await new Promise<void>((resolve) => {
      waiting.push(resolve);
    });
  };

  const leave = (): void => {
    const next = waiting.shift();
    if (next === undefined) running -= 1;
    else next();
  };

  return {
    run: async (work) => {
      await enter();
      try {
        return await work();
      } finally {
        leave();
      }
    },
  };
}
