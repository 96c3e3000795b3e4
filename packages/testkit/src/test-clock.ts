import type { Clock } from '@keyreeve/server';

/** A clock that stands still until the test moves it. */
export interface TestClock extends Clock {
  advance(ms: number): void;
  set(ms: number): void;
}

// A Monday morning, far from any change of year or daylight saving.
const START = Date.UTC(2027, 2, 1, 9, 0, 0);

export function createTestClock(start = START): TestClock {
  let now = start;
  return {
    now: () => now,
    advance: (ms) => {
      now += ms;
    },
    set: (ms) => {
      now = ms;
    },
  };
}
