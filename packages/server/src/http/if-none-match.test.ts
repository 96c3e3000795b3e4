import { describe, expect, it } from 'vitest';
import { matchesEtag } from './if-none-match.ts';

describe('matchesEtag', () => {
  it.each([
    ['"a"', true],
    ['W/"a"', true],
    ['"b", "a"', true],
    ['*', true],
    ['"b"', false],
    ['a', false],
    [undefined, false],
  ])('compares %s with "a"', (header, expected) => {
    expect(matchesEtag(header, '"a"')).toBe(expected);
  });
});
