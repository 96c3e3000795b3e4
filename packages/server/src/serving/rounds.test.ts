import { expect, it } from 'vitest';
import { createRounds } from './rounds.ts';

const SHORT_MS = 10;
/** Longer than the test may take. */
const LONG_MS = 60_000;

it('a question is over when the last member has answered', async () => {
  const rounds = createRounds<string>();
  const asked: [string, number][] = [];
  const over = rounds.ask(['a', 'b'], (member, id) => asked.push([member, id]), LONG_MS);
  for (const [member, id] of asked) rounds.answer(member, id);
  expect(await over).toEqual([]);
});

it('a member that leaves is not waited for', async () => {
  const rounds = createRounds<string>();
  const over = rounds.ask(
    ['gone', 'quick'],
    (member, id) => member === 'quick' && rounds.answer(member, id),
    LONG_MS,
  );
  rounds.leave('gone');
  expect(await over).toEqual([]);
});

it('a member that hangs is waited for no longer than the time', async () => {
  const rounds = createRounds<string>();
  const over = rounds.ask(
    ['hung', 'quick'],
    (member, id) => member === 'quick' && rounds.answer(member, id),
    SHORT_MS,
  );
  expect(await over).toEqual(['hung']);
});

it('an answer that comes late counts for no later question', async () => {
  const rounds = createRounds<string>();
  const ids: number[] = [];
  const ask = () => rounds.ask(['a'], (_member, id) => ids.push(id), SHORT_MS);
  expect(await ask()).toEqual(['a']);
  const second = ask();
  rounds.answer('a', ids[0] ?? 0);
  expect(await second).toEqual(['a']);
});

it('a question to nobody is over at once', async () => {
  expect(await createRounds<string>().ask([], () => {}, LONG_MS)).toEqual([]);
});
