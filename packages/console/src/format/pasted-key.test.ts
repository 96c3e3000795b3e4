import { describe, expect, test } from 'vitest';
import { readPastedKey } from './pasted-key.ts';

const API_KEY = 'kr_0123456789ABCDEF';
const FULL_KEY = `${API_KEY}_abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG0z0dhD`;
const OTHER_FULL_KEY = `kr_zzzzzzzzzzzzzzzz_${'0'.repeat(43)}4VVbKv`;
const MISTYPED_KEY = FULL_KEY.replace('_abc', '_acb');

const full = { kind: 'full', apiKey: API_KEY, fullKey: FULL_KEY };

describe('a full key is recognised', () => {
  test('in the spelling of the documented vectors', () => {
    expect(readPastedKey(FULL_KEY)).toEqual(full);
    expect(readPastedKey(OTHER_FULL_KEY)).toEqual({
      kind: 'full',
      apiKey: 'kr_zzzzzzzzzzzzzzzz',
      fullKey: OTHER_FULL_KEY,
    });
  });

  test.each([
    `  ${FULL_KEY}\r\n`,
    `"${FULL_KEY}"`,
    `'${FULL_KEY}',`,
    `\u201c${FULL_KEY}\u201d`,
    `\ufeff${FULL_KEY}\u200b`,
    `${FULL_KEY.slice(0, 30)}\u00ad${FULL_KEY.slice(30)}`,
    `Bearer ${FULL_KEY}`,
    `Authorization: Bearer ${FULL_KEY}`,
    `X-NuGet-ApiKey:${FULL_KEY}`,
    `X-API-Key: ${FULL_KEY};`,
    `export KEYREEVE_API_KEY=${FULL_KEY} # laptop`,
    `<add key="https://keys.example.com" value="${FULL_KEY}" />`,
    `{"apiKey":"${API_KEY}","fullKey":"${FULL_KEY}"}`,
    `https://keys.example.com/?key=${FULL_KEY}&x=1`,
    `old ${MISTYPED_KEY} new ${FULL_KEY}`,
  ])('in %j', (text) => {
    expect(readPastedKey(text)).toEqual(full);
  });
});

describe('a key with a mistake is recognised as such', () => {
  test.each([
    MISTYPED_KEY,
    `Bearer ${MISTYPED_KEY}`,
    FULL_KEY.slice(0, -1),
    `${FULL_KEY}x`,
    FULL_KEY.slice(0, 30),
    FULL_KEY.toUpperCase().replace('KR_', 'kr_'),
  ])('%j', (text) => {
    expect(readPastedKey(text)).toEqual({ kind: 'mistyped', apiKey: API_KEY });
  });

  test('when it comes under another prefix than it was made for', () => {
    expect(readPastedKey(FULL_KEY.replace('kr_', 'acme_'))).toEqual({
      kind: 'mistyped',
      apiKey: 'acme_0123456789ABCDEF',
    });
  });
});

describe('an API key alone is recognised', () => {
  test.each([API_KEY, ` "${API_KEY}" `, `apikey: ${API_KEY}.`, `${API_KEY}/regenerate`])('in %j', (text) => {
    expect(readPastedKey(text)).toEqual({ kind: 'api-key', apiKey: API_KEY });
  });

  test('with a prefix of 2 to 8 lower-case letters only', () => {
    expect(readPastedKey('production_0123456789ABCDEF').kind).toBe('unknown');
    expect(readPastedKey('k_0123456789ABCDEF').kind).toBe('unknown');
    expect(readPastedKey('KR_0123456789ABCDEF').kind).toBe('unknown');
    expect(readPastedKey('acmecorp_0123456789ABCDEF').kind).toBe('api-key');
  });
});

test.each([
  '',
  'mio.tachibana@hayama.example',
  'my_variable',
  'kr_0123456789ABCDE',
  'kr_0123456789ABCDEFG',
  `x_${API_KEY}`,
  '0123456789ABCDEF_abcdefghijklmnopqrstuvwxyz',
])('nothing is recognised in %j', (text) => {
  expect(readPastedKey(text)).toEqual({ kind: 'unknown' });
});

test('nothing is looked for in what no key is ever hidden in: a text of a megabyte', () => {
  expect(readPastedKey(`${' '.repeat(1_000_000)}${FULL_KEY}`)).toEqual({ kind: 'unknown' });
});
