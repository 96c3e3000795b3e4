import { beforeEach, describe, expect, it } from 'vitest';
import { createKeptAnswers, type KeptAnswers } from './kept.ts';

let now: number;
let asked: string[];
let kept: KeptAnswers<number>;

const ask = (key: string) =>
  kept.get(key, () => {
    asked.push(key);
    return Promise.resolve(asked.length);
  });

beforeEach(() => {
  now = 1_000_000;
  asked = [];
  kept = createKeptAnswers({ clock: { now: () => now }, ttlMs: 5_000, answersMax: 2 });
});

describe('an answer', () => {
  it('is kept for its time and not longer', async () => {
    expect(await ask('a')).toBe(1);
    now += 4_999;
    expect(await ask('a')).toBe(1);
    now += 1;
    expect(await ask('a')).toBe(2);
  });

  it('is asked for once by all who want it at the same time', async () => {
    expect(await Promise.all([ask('a'), ask('a'), ask('a')])).toEqual([1, 1, 1]);
  });

  it('goes when there are too many others, the oldest first', async () => {
    for (const key of ['a', 'b', 'c', 'b', 'a']) await ask(key);
    expect(asked).toEqual(['a', 'b', 'c', 'a']);
  });

  it('that failed is not kept', async () => {
    await expect(kept.get('a', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await ask('a')).toBe(1);
  });

  it('is not kept for longer where the clock is set back', async () => {
    await ask('a');
    now -= 3_600_000;
    expect(await ask('a')).toBe(2);
  });

  it('to a very long question is not kept', async () => {
    const long = 'a'.repeat(2_001);
    expect([await ask(long), await ask(long)]).toEqual([1, 2]);
  });
});
