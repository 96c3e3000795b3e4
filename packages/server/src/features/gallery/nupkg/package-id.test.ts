import { describe, expect, it } from 'vitest';
import { isValidDependencyId, isValidPackageId } from './package-id.ts';

describe('isValidPackageId', () => {
  it.each([
    'A',
    'a.b',
    'Newtonsoft.Json',
    'AzureRM.DataFactoryV2',
    'under_score-and.dot',
    '_',
    '1',
    'a'.repeat(100),
  ])('accepts %j', (id) => expect(isValidPackageId(id)).toBe(true));

  it.each([
    '',
    '-StartWithSeparator',
    '.Start',
    'EndWithSeparator.',
    'End-',
    'I_.Like.-Separators',
    'Continuous..Separators',
    'a--b',
    '$id$',
    'p\u00E1ckage',
    '\u212Ait',
    '\u0130d',
    'a b',
    ' a',
    'a\n',
    'a/b',
    '../a',
    'a'.repeat(101),
  ])('refuses %j', (id) => {
    expect(isValidPackageId(id)).toBe(false);
  });

  it('answers in linear time on texts that nearly match', () => {
    const startedAt = performance.now();
    expect(isValidPackageId('a.'.repeat(50_000))).toBe(false);
    expect(isValidDependencyId(`${'a.'.repeat(63)}!`)).toBe(false);
    expect(isValidDependencyId('a-'.repeat(64))).toBe(false);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });
});

describe('isValidDependencyId', () => {
  it('accepts old names that new packages may not have', () => {
    for (const id of ['p\u00E1ckage', 'Newtonsoft.Json', 'a'.repeat(128)])
      expect(isValidDependencyId(id)).toBe(true);
  });

  it('refuses what no package was ever called', () => {
    for (const id of ['', 'a..b', 'a|b', 'a:b', 'a b', '-a', 'a'.repeat(129)])
      expect(isValidDependencyId(id)).toBe(false);
  });
});
