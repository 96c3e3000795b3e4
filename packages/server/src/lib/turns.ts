import { setImmediate, setTimeout } from 'node:timers/promises';

/** How long work goes on before it lets others have the event loop; the house's bound is 5 ms. */
const SLICE_MS = 2;

/** Lets everybody else have the event loop once. */
export async function nextTurn(): Promise<void> {
  await setImmediate();
}

/** Work of minutes takes a fifth of one processor: requests hardly feel it, and nobody waits for its end. */
const REST_FOR_WORK = 4;
const REST_MS_MAX = 1_000;

/** Leaves the process to others, after a step that has taken so long; not at all once the signal is given. */
export async function restAfter(workedMs: number, signal?: AbortSignal): Promise<void> {
  const restMs = Math.min(workedMs * REST_FOR_WORK, REST_MS_MAX);
  await setTimeout(restMs, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
}

/** Shares the event loop during long work. */
export interface Turns {
  /** Called between two small steps: gives way when this slice is used up. */
  step(): Promise<void>;
}

export function createTurns(): Turns {
  let startedAt = performance.now();
  return {
    async step() {
      if (performance.now() - startedAt < SLICE_MS) return;
      await nextTurn();
      startedAt = performance.now();
    },
  };
}
