import type { Run } from './run.ts';
import { cutText } from './text.ts';

const INTERVAL_MS = 5_000;

export interface Progress {
  show(text: string): void;
  /** Leaves the terminal on a fresh line. */
  end(): void;
}

/** On a terminal one line that is written over; else, in a log, a line every few seconds. */
export function createProgress({ world }: Run): Progress {
  // A dumb terminal shows the sequence that clears the line instead of obeying it.
  const isTerminal = world.stderr.isTTY === true && world.env['TERM'] !== 'dumb';
  // A line that wraps could not be written over.
  const columnsMax = (world.stderr.columns ?? 80) - 1;
  let lastAt = performance.now();
  let isOpen = false;
  return {
    show: (text) => {
      if (isTerminal) {
        world.stderr.write(`\r\u001b[K${cutText(text, columnsMax)}`);
        isOpen = true;
      } else if (performance.now() - lastAt >= INTERVAL_MS) {
        lastAt = performance.now();
        world.stderr.write(`${text}\n`);
      }
    },
    end: () => {
      if (isOpen) world.stderr.write('\n');
      isOpen = false;
    },
  };
}
