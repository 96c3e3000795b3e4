import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../../errors/index.ts';
import { type FeedFilter, findLatest, parseFilter } from './filter.ts';

/** The code of the refusal, or the filter. */
function read(text: string): FeedFilter | string {
  try {
    return parseFilter(text);
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
}

function conditionOf(text: string) {
  return parseFilter(text).condition;
}

describe('a filter', () => {
  const id = { property: 'Id' };
  it.each<[string, unknown]>([
    ["Id eq 'It''s'", { kind: 'text', operator: 'eq', left: id, right: { literal: "It's" } }],
    ["'x' lt tolower(Id)", { kind: 'text', operator: 'gt', left: id, right: { literal: 'x' } }],
    ['IsLatestVersion', { kind: 'flag', property: 'IsLatestVersion' }],
    ['IsLatestVersion eq true', { kind: 'flag', property: 'IsLatestVersion' }],
    ['true eq IsLatestVersion', { kind: 'flag', property: 'IsLatestVersion' }],
    ['IsPrerelease eq false', { kind: 'not', part: { kind: 'flag', property: 'IsPrerelease' } }],
    ['IsPrerelease ne true', { kind: 'not', part: { kind: 'flag', property: 'IsPrerelease' } }],
    ["substringof('A', Tags) eq true", { kind: 'contains', property: 'Tags', text: 'A' }],
    ["startswith(tolower(Id), 'a')", { kind: 'starts', property: 'Id', text: 'a' }],
    ["indexof(Id, 'a') ge 0", { kind: 'number', operator: 'ge', left: { of: 'a', in: id } }],
    ['Id ne null', { kind: 'text', operator: 'ne', left: id, right: { literal: '' } }],
    ['1 lt 2', { kind: 'constant', value: true }],
    ["'A' eq 'a'", { kind: 'constant', value: true }],
    ['DownloadCount gt -1.5e2d', { kind: 'number', operator: 'gt', right: { literal: -150 } }],
    [
      "Published ge datetime'2020-01-02T03:04:05.678'",
      { kind: 'time', operator: 'ge', right: { literal: Date.UTC(2020, 0, 2, 3, 4, 5, 678) } },
    ],
  ])('%s is understood', (text, condition) => {
    expect(conditionOf(text)).toMatchObject(condition as object);
  });

  it('binds `not` before `and` before `or`, and brackets before all', () => {
    expect(conditionOf('not IsPrerelease and IsLatestVersion or IsAbsoluteLatestVersion')).toMatchObject({
      kind: 'any',
      parts: [{ kind: 'all', parts: [{ kind: 'not' }, { kind: 'flag' }] }, { kind: 'flag' }],
    });
    expect(conditionOf('not (IsPrerelease and (IsLatestVersion or IsAbsoluteLatestVersion))')).toMatchObject({
      kind: 'not',
      part: { kind: 'all', parts: [{ kind: 'flag' }, { kind: 'any' }] },
    });
  });

  it('tells which properties it looks at', () => {
    expect(parseFilter("IsLatestVersion and substringof('x', tolower(tags))").properties).toEqual(
      new Set(['IsLatestVersion', 'Tags']),
    );
  });

  it.each([
    ['IsLatestVersion', { withPrereleases: false }],
    ["startswith(Id, 'a') and IsLatestVersion eq true", { withPrereleases: false }],
    ['IsAbsoluteLatestVersion', { withPrereleases: true }],
    ['IsAbsoluteLatestVersion and IsLatestVersion', { withPrereleases: false }],
    ["IsLatestVersion or Id eq 'a'", null],
    ['not IsLatestVersion', null],
    ['IsLatestVersion eq false', null],
    ["Id eq 'a'", null],
  ])('%s leaves the latest versions, or does not say', (text, latest) => {
    expect(findLatest(parseFilter(text))).toEqual(latest);
  });

  it.each([
    ['', 'odata.filter_malformed'],
    ['Id', 'odata.filter_malformed'],
    ["Id eq 'x", 'odata.filter_malformed'],
    ["Id eq 'x' Id", 'odata.filter_malformed'],
    ["Id eq 'x' and", 'odata.filter_malformed'],
    ["(Id eq 'x'", 'odata.filter_malformed'],
    ["Id eq 'x')", 'odata.filter_malformed'],
    ["Id eq 'x'; drop table packages", 'odata.filter_malformed'],
    ["Published gt datetime'2020-99-99T00:00:00'", 'odata.filter_malformed'],
    ["Published gt datetime'2021-02-29'", 'odata.filter_malformed'],
    ["Password eq 'x'", 'odata.unknown_property'],
    ["__proto__ eq 'x'", 'odata.unknown_property'],
    ['Id gt 5', 'odata.filter_unsupported'],
    ['IsLatestVersion gt true', 'odata.filter_unsupported'],
    ['IsLatestVersion eq IsPrerelease', 'odata.filter_unsupported'],
    ["replace(Id, 'a', 'b') eq 'x'", 'odata.filter_unsupported'],
    ["substringof(Id, 'x')", 'odata.filter_unsupported'],
    ["substringof('x')", 'odata.filter_unsupported'],
    [`Id eq '${'x'.repeat(4_000)}'`, 'odata.filter_too_complex'],
    [`${'('.repeat(41)}IsLatestVersion${')'.repeat(41)}`, 'odata.filter_too_complex'],
    [`${'not '.repeat(41)}IsLatestVersion`, 'odata.filter_too_complex'],
    [`${'tolower('.repeat(41)}Id${')'.repeat(41)} eq 'x'`, 'odata.filter_too_complex'],
    [Array(101).fill('1 eq 1').join(' or '), 'odata.filter_too_complex'],
    [Array(25).fill("endswith(Id,'a')").join(' or '), 'odata.filter_too_complex'],
  ])('%# %s is refused with %s', (text, code) => {
    expect(read(text)).toBe(code);
  });

  it('tells the place of a fault, and nothing of what stands there', () => {
    expect(() => parseFilter('Id eq <script>')).toThrow('$filter: character 7 begins');
  });
});

describe('whatever a stranger sends as a filter', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      ...'Id Version Tags IsLatestVersion Published DownloadCount toString constructor'.split(' '),
      ...'and or not eq ne ge null true false 1 -2.5'.split(' '),
      ..."( ) , ' '' 'a' substringof( tolower( indexof( datetime'2020-01-01'".split(' '),
      ' ',
    ),
    fc.string({ unit: 'binary', maxLength: 4 }),
  );

  it('is read or refused with a code of the feed, never with another error', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), fc.constantFrom('', ' '), (pieces, between) => {
        const result = read(pieces.join(between));
        expect(typeof result === 'object' || /^odata\.(filter_|unknown_property)/.test(result)).toBe(true);
      }),
      { numRuns: 3_000 },
    );
  });

  it.each([
    ["'".repeat(3_999), 'quotes'],
    [`'${"''".repeat(1_998)}x`, 'an open text of quotes'],
    ['('.repeat(4_000), 'brackets'],
    ['1'.repeat(4_000), 'digits'],
    ['1.'.repeat(2_000), 'points'],
    [' '.repeat(4_000), 'blanks'],
    ['datetime'.repeat(500), 'words'],
    [`datetime'${'2020-01-01T'.repeat(300)}`, 'times'],
    ['not '.repeat(1_000), 'negations'],
    ['Id eq '.repeat(600), 'comparisons'],
  ])('%# comes to an end', (text) => {
    expect(typeof read(text)).toBe('string');
  });
});
