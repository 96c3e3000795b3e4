import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { coversPattern, findPatternFault, matchesPattern } from './pattern.ts';

/** The definition itself, one way to read it after the other: slow, but plain enough to trust. */
function matchesNaively(pattern: string, name: string): boolean {
  if (pattern === '') return name === '';
  if (pattern[0] !== '*') return pattern[0] === name[0] && matchesNaively(pattern.slice(1), name.slice(1));
  for (let taken = 0; taken <= name.length; taken += 1) {
    if (matchesNaively(pattern.slice(1), name.slice(taken))) return true;
  }
  return false;
}

/** Every text over the characters, up to a length. */
function textsOf(characters: string, lengthMax: number): string[] {
  const texts = [''];
  for (const text of texts) {
    if (text.length < lengthMax) texts.push(...characters.split('').map((character) => text + character));
  }
  return texts;
}

/** Milliseconds of processor time, which other programs on the machine do not lengthen. */
function cpuMs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

const smallPattern = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*'), maxLength: 8 });
const smallName = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 8 });

describe('patterns on package ids', () => {
  // The numbers are those of the upstream cases.
  it.each([
    ['1', 'SomePackage', 'SomePackage'],
    ['2', 'somepackage', 'SomePackage'],
    ['2', 'SOMEPACKAGE', 'somepackage'],
    ['3', '*', 'SomePackage'],
    ['3', 'Some*', 'SomePackage'],
    ['3', '*package', 'SomePackage'],
    ['3', 'Some*', 'Some'],
    ['4', 'Microsoft.*.Abstract', 'Microsoft.Configuration.Abstract'],
    ['4', 'Microsoft.*.Abstract', 'Microsoft.a.b.Abstract'],
    ['4', 'Microsoft.*.Abstract', 'Microsoft..Abstract'],
    ['seed', 'AzureRM.DataFactory*', 'AzureRm.DataFactoryV2.Netcore'],
    ['seed', 'AzureRM.DataFactory*', 'AzureRM.DataFactory'],
    ['seed', '*', 'a'],
    ['stars', '**', 'SomePackage'],
    ['stars', '*a*a*', 'banana'],
  ])('case %s: %s matches %s', (_case, pattern, name) => {
    expect(matchesPattern(pattern, name, true)).toBe(true);
  });

  it.each([
    ['1', 'SomePackage', 'SomePackages'],
    ['1', 'SomePackage', 'MySomePackage'],
    ['5', 'Microsoft.*.Abstract', 'Microsoft.Configuration'],
    ['5', 'Microsoft.*.Abstract', 'Microsoft.Abstract'],
    ['6', 'Alpha.*', 'Alpha'],
    ['6', 'AlphaBeta*', 'Alpha'],
    ['7', '[M]icrosoft.(.)+?^$|{1}\\*', 'Microsoft.Configuration'],
    ['7', 'Microsoft.Configuratio?', 'Microsoft.Configuration'],
    ['7', 'Microsoft.Configuratio.', 'Microsoft.Configuration'],
    ['7', '.*', 'Microsoft.Configuration'],
    ['8', 'SomePackage', ''],
    ['8', '', 'SomePackage'],
    ['seed', 'AzureRM.DataFactory*', 'AzureRM.DataFactor'],
    ['seed', 'AzureRM.DataFactory*', 'XAzureRM.DataFactoryV2'],
    ['letters', '\u212Aey', 'key'],
    ['letters', 'key', '\u212Aey'],
    ['letters', '\u0130d', 'id'],
    ['letters', 'stra\u00DFe', 'STRASSE'],
  ])('case %s: %s does not match %j', (_case, pattern, name) => {
    expect(matchesPattern(pattern, name, true)).toBe(false);
  });
});

describe('patterns on other resources', () => {
  it('tell upper from lower case', () => {
    expect(matchesPattern('acc_Ab*', 'acc_AbC', false)).toBe(true);
    expect(matchesPattern('acc_ab*', 'acc_AbC', false)).toBe(false);
  });

  it('give nothing but the star a meaning', () => {
    expect(matchesPattern('orders/[0-9]?', 'orders/[0-9]?', false)).toBe(true);
    expect(matchesPattern('orders/[0-9]?', 'orders/17', false)).toBe(false);
  });
});

describe('the matcher', () => {
  it('says what the definition says, for every small pattern and name', () => {
    fc.assert(
      fc.property(smallPattern, smallName, (pattern, name) => {
        expect(matchesPattern(pattern, name, false)).toBe(matchesNaively(pattern, name));
      }),
      { numRuns: 20_000 },
    );
  });

  it.each([
    ['that nearly match', `${'a*'.repeat(50)}b`, 'a'.repeat(10_000)],
    ['of repeated runs', `${'*ab'.repeat(40)}*c`, 'ab'.repeat(5_000)],
    ['of stars only', '*'.repeat(128), 'a'.repeat(10_000)],
  ])('answers within 50 ms on texts %s', (_name, pattern, name) => {
    expect(
      cpuMs(() => expect(matchesPattern(pattern, name, false)).toBe(pattern.endsWith('**'))),
    ).toBeLessThan(50);
  });
});

describe('coversPattern', () => {
  it('never says that a pattern contains another one that reaches further', () => {
    const patterns = textsOf('ab*', 4);
    const names = textsOf('ab', 5);
    const matched = new Map(
      patterns.map((pattern) => [pattern, names.filter((name) => matchesNaively(pattern, name))]),
    );
    let pairs = 0;
    for (const outer of patterns) {
      for (const inner of patterns.filter((pattern) => coversPattern(outer, pattern, false))) {
        const reached = new Set(matched.get(outer));
        expect(matched.get(inner)?.filter((name) => !reached.has(name))).toEqual([]);
        pairs += 1;
      }
    }
    expect(pairs).toBeGreaterThan(patterns.length);
  });

  it('knows the plain cases', () => {
    expect(coversPattern('*', 'a*b', true)).toBe(true);
    expect(coversPattern('Alpha*', 'alpha.Beta*', true)).toBe(true);
    expect(coversPattern('Alpha*', '*', true)).toBe(false);
    expect(coversPattern('Alpha', 'Alpha*', true)).toBe(false);
    expect(coversPattern('alpha*', 'Alpha*', false)).toBe(false);
  });
});

describe('findPatternFault', () => {
  it.each(['*', 'AzureRM.DataFactory*', 'a_b-c.d*', 'a'.repeat(128)])(
    'lets %s pass for packages',
    (pattern) => {
      expect(findPatternFault(pattern, true)).toBeNull();
    },
  );

  it.each(['', ' ', 'a b', ' a', 'a\n', 'a/b', 'a?', '\u212Aey', 'p\u00E4ckage', 'a:b', 'a'.repeat(129)])(
    'refuses %j for packages',
    (pattern) => expect(findPatternFault(pattern, true)).not.toBeNull(),
  );

  it('allows other resources all printable ASCII, and no blank', () => {
    expect(findPatternFault('orders/2027?x=[1]&y=~', false)).toBeNull();
    for (const pattern of ['', 'a b', 'a\t', 'a\0', '\u00E9', '\u007F', 'a'.repeat(129)])
      expect(findPatternFault(pattern, false)).not.toBeNull();
  });
});
