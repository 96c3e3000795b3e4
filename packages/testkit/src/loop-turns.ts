/** Counts how often others get the event loop, to see whether long work lets them. */
export function countTurns(): { stop(): number } {
  let count = 0;
  const tick = (): void => {
    count += 1;
    next = setImmediate(tick);
  };
  let next = setImmediate(tick);
  return {
    stop: () => {
      clearImmediate(next);
      return count;
    },
  };
}
