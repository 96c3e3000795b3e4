import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { versionSortKey } from '../../../lib/version-sort-key.ts';
import { compareNuGetVersions, type NuGetVersion, parseNuGetVersion } from './nuget-version.ts';

function parse(text: string): NuGetVersion {
  const version = parseNuGetVersion(text);
  if (version === null) throw new Error(`${text} is no version.`);
  return version;
}

function byKey(a: string, b: string): number {
  const [keyA, keyB] = [versionSortKey(parse(a).normalized), versionSortKey(parse(b).normalized)];
  if (keyA === keyB) return 0;
  return Buffer.compare(Buffer.from(keyA), Buffer.from(keyB));
}

describe('the sort key of a version', () => {
  it.each([
    ['1.0.0-BETA', '1.0.0-beta'],
    ['1.0', '1.0.0.0'],
    ['1.0.0', '1.0.0+beta'],
    ['1.0.01', '1.0.1.0'],
  ])('is the same for %s and %s', (a, b) => expect(byKey(a, b)).toBe(0));

  it.each([
    ['1.0.0-BETA', '1.0.0-beta2'],
    ['1.0.0-beta+AA', '1.0.0'],
    ['1.0.0-BETA', '1.0.0-beta.1'],
    ['1.0.0-alpha.77.0', '1.0.0-alpha.79.0'],
    ['1.0.0-alpha.9', '1.0.0-alpha.10'],
    ['1.0.0-1', '1.0.0-a'],
    ['1.0.0-2147483647', '1.0.0-2147483648'],
    ['1.0.0-a-b', '1.0.0-a-b.c'],
    ['1.0.0-a.b', '1.0.0-a-b'],
    ['9.0.0', '10.0.0'],
    ['1.0.0', '1.0.0.1'],
    ['1.999.9999', '2.1.1'],
  ])('of %s comes before that of %s', (a, b) => {
    expect(byKey(a, b)).toBeLessThan(0);
    expect(byKey(b, a)).toBeGreaterThan(0);
  });

  it('orders all versions as the clients compare them', () => {
    const number = fc.oneof(fc.integer({ min: 0, max: 12 }), fc.constantFrom(99, 100, 2_147_483_647));
    const label = fc.oneof(
      fc.integer({ min: 0, max: 20 }).map(String),
      fc.constantFrom(
        '2147483647',
        '2147483648',
        '99999999999',
        'rc',
        'RC',
        'rc-1',
        'a',
        'A0',
        '-',
        '--',
        'Z',
      ),
      fc.stringMatching(/^[0-9A-Za-z-]{1,4}$/).filter((text) => !/^0[0-9]+$/.test(text)),
    );
    const version = fc
      .tuple(fc.array(number, { minLength: 1, maxLength: 4 }), fc.array(label, { maxLength: 3 }))
      .map(([numbers, labels]) => `${numbers.join('.')}${labels.length > 0 ? `-${labels.join('.')}` : ''}`);
    fc.assert(
      fc.property(version, version, (a, b) => {
        expect(Math.sign(byKey(a, b))).toBe(Math.sign(compareNuGetVersions(parse(a), parse(b))));
      }),
      { numRuns: 5_000 },
    );
  });
});
