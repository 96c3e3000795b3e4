import { describe, expect, test } from 'vitest';
import { addPatterns, findPatternFault, splitPatterns } from './pattern-list.ts';

describe('a text of patterns', () => {
  test.each([
    ['Hayama.*', ['Hayama.*']],
    [' Hayama.One*, Hayama.Two* ', ['Hayama.One*', 'Hayama.Two*']],
    ['A*\r\nB*\n\nC*\t', ['A*', 'B*', 'C*']],
    ['A*、B*，C*；D*;E*\u3000F*', ['A*', 'B*', 'C*', 'D*', 'E*', 'F*']],
    ['  ', []],
  ])('%j is parted into %j', (text, patterns) => {
    expect(splitPatterns(text)).toEqual(patterns);
  });
});

describe('a list of patterns', () => {
  test('takes a package pattern once, whatever its case', () => {
    expect(addPatterns(['Hayama.*'], ['hayama.*', 'Edge', 'EDGE'], true)).toEqual(['Hayama.*', 'Edge']);
  });

  test('keeps what only looks like a letter of the alphabet, so that it is told to be none', () => {
    const kelvin = '\u212a';
    expect(addPatterns(['k'], [kelvin], true)).toEqual(['k', kelvin]);
    expect(findPatternFault(kelvin, true)).toMatchObject({ kind: 'character' });
  });

  test('minds the case of other resources', () => {
    expect(addPatterns(['acme'], ['Acme', 'acme'], false)).toEqual(['acme', 'Acme']);
  });
});

describe('a pattern of other resources', () => {
  test.each(['acme/eu-*', 'arn:x:{1}', '*'])('may be %s', (pattern) => {
    expect(findPatternFault(pattern, false)).toBeNull();
  });

  test('holds printable ASCII only, 128 characters at most', () => {
    expect(findPatternFault('acme/é', false)).toEqual({ kind: 'character', character: 'é' });
    expect(findPatternFault('a'.repeat(129), false)).toEqual({ kind: 'length', charactersMax: 128 });
  });
});
