import { setTimeout as delay } from 'node:timers/promises';

/**
 * Does the work, and answers at the next beat of `beatMs`, counted from the start: how long it took shows in whole
 * beats only, so an answer does not tell by its time what was found. Answers that hide nothing are given at once.
 */
export async function onTheBeat<Result>(
  beatMs: number,
  work: () => Promise<Result>,
  isHidden: (result: Result) => boolean = () => true,
): Promise<Result> {
  let beat = delay(beatMs, false);
  const pending = work();
  const settled = pending.then(
    (result) => isHidden(result),
    () => true,
  );
  const isDone = settled.then(() => true);
  while (!(await Promise.race([isDone, beat]))) beat = delay(beatMs, false);
  if (await settled) await beat;
  return await pending;
}
