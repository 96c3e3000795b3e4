import { setImmediate } from 'node:timers/promises';
import { NupkgFault } from './fault.ts';
import { SLICE_MS } from './limits.ts';

/** Shares the event loop during long work, and ends work that takes too long. */
export interface Pace {
  /** Called between two small steps: gives way when this slice is used up, and faults after the deadline. */
  step(): Promise<void>;
}

/** @param deadlineMs how long all the work together may take, counted from now */
export function createPace(deadlineMs: number): Pace {
  const startedAt = performance.now();
  let sliceStartedAt = startedAt;
  return {
    async step() {
      const now = performance.now();
      if (now - startedAt >= deadlineMs) {
        throw new NupkgFault(
          'deadline',
          'Reading the package took too long. Pack fewer and simpler files and push again.',
        );
      }
      if (now - sliceStartedAt < SLICE_MS) return;
      await setImmediate();
      sliceStartedAt = performance.now();
    },
  };
}
