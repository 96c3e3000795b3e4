import { createTurns } from '../../../lib/turns.ts';
import { NupkgFault } from './fault.ts';

/** Shares the event loop during long work, and ends work that takes too long. */
export interface Pace {
  /** Called between two small steps: gives way when this slice is used up, and faults after the deadline. */
  step(): Promise<void>;
}

/** @param deadlineMs how long all the work together may take, counted from now */
export function createPace(deadlineMs: number): Pace {
  const turns = createTurns();
  const startedAt = performance.now();
  return {
    async step() {
      if (performance.now() - startedAt >= deadlineMs) {
        throw new NupkgFault(
          'deadline',
          'Reading the package took too long. Pack fewer and simpler files and push again.',
        );
      }
      await turns.step();
    },
  };
}
