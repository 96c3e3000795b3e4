import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { matchesPattern } from '../../../server/src/features/scopes/pattern.ts';
import { findPatternCharacterFault, findPatternHint, splitByPattern } from './pattern-view.ts';

/** The name with its held parts in brackets. */
function show(pattern: string, name: string): string {
  return splitByPattern(pattern, name)
    .map(({ text, isHeld }) => (isHeld ? `[${text}]` : text))
    .join('');
}

describe('the part of a name that a pattern holds', () => {
  test.each([
    ['AzureRM.DataFactory*', 'AzureRm.DataFactoryV2.Netcore', '[AzureRm.DataFactory]V2.Netcore'],
    ['Hayama.DataFactory*', 'HAYAMA.datafactory', '[HAYAMA.datafactory]'],
    ['Hayama.Edge.*', 'Hayama.Edge.Gateway', '[Hayama.Edge.]Gateway'],
    ['HayamaDsc', 'hayamadsc', '[hayamadsc]'],
    ['*.Tests', 'Acme.Tests.Tests', 'Acme.Tests[.Tests]'],
    ['A*C*E', 'aBCdCE', '[a]B[C]dC[E]'],
    ['*data*', 'Acme.Data.Database', 'Acme.[Data].Database'],
    ['a**b', 'a.b', '[a].[b]'],
    ['a*b', 'ab', '[ab]'],
    ['*', 'Acme', 'Acme'],
    ['Hayama.Edge.*', 'Hayama.Edge', 'Hayama.Edge'],
    ['a*a', 'a', 'a'],
    ['HayamaDsc', 'HayamaDscX', 'HayamaDscX'],
    ['K*', '\u212aelvin', '\u212aelvin'],
    ['x', '', ''],
  ])('%s on %s', (pattern, name, shown) => {
    expect(show(pattern, name)).toBe(shown);
  });

  test('is shown exactly where the server says that the pattern matches, and no letter of the name is lost', () => {
    const text = (...letters: string[]) => fc.string({ unit: fc.constantFrom(...letters), maxLength: 12 });
    fc.assert(
      fc.property(text('a', 'A', 'b', '.', '*'), text('a', 'A', 'b', 'B', '.'), (pattern, name) => {
        const segments = splitByPattern(pattern, name);
        const hasHeld = segments.some(({ isHeld }) => isHeld);
        const hasLiterals = /[^*]/.test(pattern);
        expect(hasHeld).toBe(hasLiterals && matchesPattern(pattern, name, true));
        expect(segments.map((segment) => segment.text).join('')).toBe(name);
        expect(segments.every((segment) => segment.text !== '')).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  test('is found at once in a name that was made to take long', () => {
    expect(show('a*'.repeat(64), `${'a'.repeat(99)}b`)).toMatch(/^\[a+\]a+b$/);
    expect(show(`${'a*'.repeat(63)}c`, 'a'.repeat(100))).toBe('a'.repeat(100));
  });
});

describe('the hint that a pattern leaves out a package', () => {
  const names = ['Hayama.Edge', 'Hayama.Edge.Gateway', 'hayama.vault'];

  test('names it and offers the pattern that holds it', () => {
    expect(findPatternHint('hayama.edge.*', names)).toEqual({
      name: 'Hayama.Edge',
      suggestion: 'hayama.edge*',
    });
    expect(findPatternHint('Hayama.Vault-*', names)).toEqual({
      name: 'hayama.vault',
      suggestion: 'Hayama.Vault*',
    });
    expect(findPatternHint('*.Edge.*', names)?.suggestion).toBe('*.Edge*');
  });

  test.each(['Hayama.Edge*', 'Hayama.Edge', 'Hayama.Telemetry.*', '.*', '*', ''])(
    'is not given for %s',
    (pattern) => {
      expect(findPatternHint(pattern, names)).toBeNull();
    },
  );

  test('is not given when the name is held by the pattern itself', () => {
    expect(findPatternHint('A*.B.*', ['A.B.B'])).toBeNull();
  });
});

describe('a text that can be no pattern', () => {
  test.each([
    ['Hayama.Dát*', 'á'],
    ['Hayama.Da\u0301t*', 'a\u0301'],
    ['a b', 'U+0020'],
    ['a\u00a0b', 'U+00A0'],
    ['a\u200bb', 'U+200B'],
    ['a,b;c', ','],
    ['パターン', 'パ'],
    ['a👩‍💻', '👩‍💻'],
    [`${'a'.repeat(200)}!`, '!'],
  ])('%j contains a foreign character', (text, character) => {
    expect(findPatternCharacterFault(text)).toEqual({ kind: 'character', character });
  });

  test('is longer than 128 characters', () => {
    expect(findPatternCharacterFault('a'.repeat(129))).toEqual({ kind: 'length', charactersMax: 128 });
    expect(findPatternCharacterFault('a'.repeat(128))).toBeNull();
  });

  test.each(['Hayama.Data_Factory-2*', '*', ''])('is not %j', (text) => {
    expect(findPatternCharacterFault(text)).toBeNull();
  });
});
