import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compareNuGetVersions,
  isSemVer2Range,
  legacyRangeText,
  type NuGetVersion,
  parseNuGetVersion,
  parseVersionRange,
  versionKey,
} from './nuget-version.ts';

function version(text: string): NuGetVersion {
  const parsed = parseNuGetVersion(text);
  if (parsed === null) throw new Error(`not a version: ${text}`);
  return parsed;
}

describe('parseNuGetVersion', () => {
  it.each([
    ['1.0', '1.0.0'],
    ['1', '1.0.0'],
    ['1.0.0.0', '1.0.0'],
    ['1.0.0+meta', '1.0.0'],
    ['1.2-Pre', '1.2.0-Pre'],
    ['1.2.3.4-RC+99', '1.2.3.4-RC'],
    ['1.2.3+99', '1.2.3'],
    ['1.022', '1.22.0'],
    ['1.0.01', '1.0.1'],
    ['02', '2.0.0'],
    ['1.2.2147483647', '1.2.2147483647'],
    ['1.2.3-0', '1.2.3-0'],
    ['1.2.3-00a', '1.2.3-00a'],
    ['1.2.3-a-b--', '1.2.3-a-b--'],
    ['1.2.3+00.01', '1.2.3'],
  ])('normalises %j to %j', (text, normalized) => {
    expect(version(text).normalized).toBe(normalized);
  });

  it.each([
    ['1.2.3.4-RC+99', '1.2.3.4-RC+99'],
    ['1.0+a-b.00', '1.0.0+a-b.00'],
    ['1.0', '1.0.0'],
  ])('keeps the metadata of %j in the full text %j', (text, full) => {
    expect(version(text).full).toBe(full);
  });

  it.each([
    '',
    ' ',
    '1beta',
    '1.2Av^c',
    '1.2..',
    '1.2.3.4.5',
    '1.2.3.Beta',
    'So.is.this',
    '1.34.2Alpha',
    '1.4.7-',
    '1.4.7-*',
    '1.4.7+*',
    '1.2147483648',
    '1..2',
    '-1.1.1.1',
    '1.',
    '1 9',
    '1.2.3-A..B',
    '1.2.3-00',
    '1.2.3-A.00.B',
    '1.4.7+',
    '1.4.7-a+',
    'v1.0.0',
    '1.0.0-a b',
    '1.0.0-\u00E9',
    '\u0661.0',
    '1.*',
    '*',
    '$version$',
    '1.0.0+a+b',
    '.1',
    '1.-2',
  ])('refuses %j', (text) => {
    expect(parseNuGetVersion(text)).toBeNull();
  });

  it('trims surrounding blanks and tolerates blanks around the numbers', () => {
    expect(version('  1.2.3-a \t').normalized).toBe('1.2.3-a');
    expect(version('1 . 2 .3').normalized).toBe('1.2.3');
  });

  it('accepts 64 characters and refuses 65', () => {
    expect(parseNuGetVersion(`1.0.0-${'a'.repeat(58)}`)).not.toBeNull();
    expect(parseNuGetVersion(`1.0.0-${'a'.repeat(59)}`)).toBeNull();
  });

  it('takes the parts apart', () => {
    expect(version('1.2.3.4-rc.5+build.6')).toEqual({
      normalized: '1.2.3.4-rc.5',
      full: '1.2.3.4-rc.5+build.6',
      isPrerelease: true,
      isSemVer2: true,
      major: 1,
      minor: 2,
      patch: 3,
      revision: 4,
      labels: ['rc', '5'],
      metadata: 'build.6',
    });
  });

  it.each([
    ['1.0.0', false, false],
    ['1.0.0.1', false, false],
    ['1.0.0-beta', true, false],
    ['1.0.0-beta.1', true, true],
    ['1.0.0+meta', false, true],
    ['1.0.0-beta+meta', true, true],
  ])('%j: prerelease %j, SemVer 2 %j', (text, isPrerelease, isSemVer2) => {
    expect(version(text)).toMatchObject({ isPrerelease, isSemVer2 });
  });

  it('refuses a hostile text in linear time', () => {
    const startedAt = performance.now();
    expect(parseNuGetVersion('1'.repeat(1_000_000))).toBeNull();
    expect(parseVersionRange('['.repeat(1_000_000))).toBeNull();
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });
});

describe('compareNuGetVersions', () => {
  it.each([
    ['1.0.0-BETA', '1.0.0-beta'],
    ['1.0', '1.0.0.0'],
    ['1.0+test', '1.0.0.0'],
    ['1.0.0', '1.0.0+beta'],
    ['1.0.01', '1.0.1.0'],
  ])('holds %j and %j for the same version', (a, b) => {
    expect(compareNuGetVersions(version(a), version(b))).toBe(0);
    expect(versionKey(version(a))).toBe(versionKey(version(b)));
  });

  it.each([
    ['1.0.0-BETA', '1.0.0-beta2'],
    ['1.0.0-beta+AA', '1.0.0'],
    ['1.0.0-BETA', '1.0.0-beta.1'],
    ['1.0.77.0', '1.0.79.0'],
    ['1.999.9999', '2.1.1'],
    ['1.0.0', '1.0.0.1'],
    ['1.0.0-beta.2', '1.0.0-beta.10'],
    ['1.0.0-beta.10', '1.0.0-beta.a'],
    ['1.0.0-2147483647', '1.0.0-2147483648'],
    ['1.0.0-10000000000', '1.0.0-9000000000'],
    ['1.0.0-a.1', '1.0.0-a.1.0'],
    ['2147483646.0.0', '2147483647.0.0'],
  ])('holds %j for older than %j', (older, newer) => {
    expect(compareNuGetVersions(version(older), version(newer))).toBeLessThan(0);
    expect(compareNuGetVersions(version(newer), version(older))).toBeGreaterThan(0);
  });

  const part = fc.integer({ min: 0, max: 3 });
  const label = fc.constantFrom('a', 'A', 'b', '0', '1', '9', '10', '-', '9999999999', '9999999998', 'a-1');
  const anyVersion = fc
    .tuple(part, part, part, part, fc.array(label, { maxLength: 3 }))
    .map(([a, b, c, d, labels]) =>
      version(`${a}.${b}.${c}.${d}${labels.length > 0 ? `-${labels.join('.')}` : ''}`),
    );

  it('is a total order, and equal exactly when the keys are equal', () => {
    fc.assert(
      fc.property(anyVersion, anyVersion, anyVersion, (a, b, c) => {
        const ab = Math.sign(compareNuGetVersions(a, b));
        expect(ab + Math.sign(compareNuGetVersions(b, a))).toBe(0);
        expect(ab === 0).toBe(versionKey(a) === versionKey(b));
        if (ab <= 0 && compareNuGetVersions(b, c) <= 0) {
          expect(compareNuGetVersions(a, c)).toBeLessThanOrEqual(0);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('reading the normalised text again changes nothing', () => {
    fc.assert(
      fc.property(anyVersion, (a) => {
        expect(version(a.normalized)).toEqual(a);
      }),
    );
  });
});

describe('parseVersionRange', () => {
  it.each([
    ['1.0', '[1.0.0, )'],
    ['[1.0]', '[1.0.0, 1.0.0]'],
    ['[1.0,2.0)', '[1.0.0, 2.0.0)'],
    ['[1.0, 2.0]', '[1.0.0, 2.0.0]'],
    ['(1.0,)', '(1.0.0, )'],
    ['(,1.0]', '(, 1.0.0]'],
    ['[,1.0]', '(, 1.0.0]'],
    ['(, 1.0)', '(, 1.0.0)'],
    [' [ 1.0-a.1 , 1.0 ) ', '[1.0.0-a.1, 1.0.0)'],
    ['', '(, )'],
    ['( , )', '(, )'],
    ['[1.0.0-beta,1.0.0-BETA]', '[1.0.0-beta, 1.0.0-BETA]'],
  ])('reads %j as %j', (text, normalized) => {
    expect(parseVersionRange(text)?.normalized).toBe(normalized);
  });

  it('returns the bounds', () => {
    const range = parseVersionRange('[1.0,2.0)');
    expect(range).toMatchObject({ isMinInclusive: true, isMaxInclusive: false });
    expect(range?.min?.normalized).toBe('1.0.0');
    expect(range?.max?.normalized).toBe('2.0.0');
    expect(parseVersionRange('(,2.0]')).toMatchObject({
      min: null,
      isMinInclusive: false,
      isMaxInclusive: true,
    });
  });

  it.each([
    '*',
    '1.*',
    '1.0.0-beta*',
    '1.0.0-*',
    '[1.*, 2.0)',
    '$version$',
    '(2.0.0, 1.0.0(',
    '1.0.0+meta',
    '[1.0.0+meta]',
    '[1.0, 2.0+m]',
    '[15.106.0.preview]',
    '0.0.0-~4',
    '(1.0]',
    '[1.0)',
    '(1.0)',
    '[]',
    '()',
    '[,]',
    '(,)',
    '[ ]',
    '[1.0,2.0,3.0]',
    '[1.0,2.0',
    '1.0,2.0]',
    '[',
    '(',
    '[2.0,1.0]',
    '(1.0,1.0)',
    '[1.0,1.0)',
    'x',
    '>=1.0',
    '[1.0,y]',
  ])('refuses %j', (text) => {
    expect(parseVersionRange(text)).toBeNull();
  });

  it.each([
    ['1.0', '1.0.0'],
    ['[1.0]', '[1.0.0]'],
    ['[1.0,2.0)', '[1.0.0, 2.0.0)'],
    ['(1.0,)', '(1.0.0, )'],
    ['(,1.0]', '(, 1.0.0]'],
    ['', ''],
  ])('spells %j for old feeds as %j', (text, legacy) => {
    expect(legacyRangeText(parseVersionRange(text) ?? expect.fail(text))).toBe(legacy);
  });

  it('knows the ranges that old clients cannot read', () => {
    const isSemVer2 = (text: string) => isSemVer2Range(parseVersionRange(text) ?? expect.fail(text));
    expect(isSemVer2('[1.0.0-a.1, 2.0)')).toBe(true);
    expect(isSemVer2('[1.0, 2.0.0-a.b)')).toBe(true);
    expect(isSemVer2('[1.0.0-a, 2.0)')).toBe(false);
  });
});
