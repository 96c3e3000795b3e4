/** The same numbers for the same seed, on every machine: a walk that failed can be walked again. */
export function createSeeded(seed: number): {
  readonly next: () => number;
  readonly below: (max: number) => number;
} {
  let state = seed >>> 0;
  const next = () => {
    // mulberry32
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return { next, below: (max) => Math.floor(next() * max) };
}
