import { setImmediate } from 'node:timers/promises';

/** How long work goes on before it lets others have the event loop; the house's bound is 5 ms. */
const SLICE_MS = 2;

/** Lets everybody else have the event loop once. */
export async function nextTurn(): Promise<void> {
  await setImmediate();
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
