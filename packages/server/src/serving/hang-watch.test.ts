import { expect, it } from 'vitest';
import { MISSED_MAX, watchForHangs } from './hang-watch.ts';

const EVERY_MS = 1;

/** Which members are silent at each question, and which of them are found to hang. */
async function watch(...rounds: readonly (readonly string[])[]): Promise<string[]> {
  const hung: string[] = [];
  let round = -1;
  const over = Promise.withResolvers<void>();
  watchForHangs<string>({
    everyMs: EVERY_MS,
    ask: async () => {
      round += 1;
      if (round >= rounds.length) over.resolve();
      return rounds[round] ?? [];
    },
    onHang: (member, silentMs) => hung.push(`${member} ${silentMs}`),
  });
  await over.promise;
  return hung;
}

it('a member that has missed six questions in a row hangs', async () => {
  const rounds = Array.from({ length: MISSED_MAX }, () => ['hung']);
  expect(await watch(...rounds.slice(1))).toEqual([]);
  expect(await watch(...rounds)).toEqual([`hung ${MISSED_MAX}`]);
});

it('one that answers now and then does not, nor do others for its sake', async () => {
  const silent = Array.from({ length: MISSED_MAX - 1 }, () => ['busy', 'other']);
  expect(await watch(...silent, ['other'], ...silent)).toEqual([`other ${MISSED_MAX}`]);
});
