import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type TransportCode, UNEXPECTED_ANSWER, type VerifyAnswer } from '@keyreeve/sdk';
import { describe, expect, test } from 'vitest';
import { ERROR_TEXTS_EN } from './error-texts.en.ts';
import { ERROR_TEXTS_JA } from './error-texts.ja.ts';
import { SERVER_REMEDIES } from './server-remedies.ts';

const DOCS = path.resolve(import.meta.dirname, '../../../../docs/errors');

const TRANSPORT_CODES: Record<TransportCode, true> = {
  'client.malformed_answer': true,
  'client.timeout': true,
  'client.unreachable': true,
};
const VERIFICATION_CODES: Record<VerifyAnswer['code'], true> = {
  valid: true,
  malformed: true,
  not_found: true,
  expired: true,
  disabled: true,
  account_disabled: true,
  insufficient_scope: true,
  ip_not_allowed: true,
  rate_limited: true,
  quota_exceeded: true,
};

/** The advice on the docs page of each code of the server. */
const REMEDIES = new Map(
  readdirSync(DOCS)
    .filter((name) => name !== 'README.md')
    .map((name) => {
      const page = readFileSync(path.join(DOCS, name), 'utf8');
      return [name.replace(/\.md$/, ''), page.split('## What to do')[1]?.trim() ?? ''] as const;
    }),
);
const CODES = [
  ...REMEDIES.keys(),
  ...Object.keys(TRANSPORT_CODES),
  ...Object.keys(VERIFICATION_CODES),
  UNEXPECTED_ANSWER,
  'client.unexpected',
].toSorted();

const LANGUAGES = [
  ['English', ERROR_TEXTS_EN],
  ['Japanese', ERROR_TEXTS_JA],
] as const;

describe.each(LANGUAGES)('the %s error texts', (language, texts) => {
  const isJapanese = language === 'Japanese';

  test('exist for every code of the product, and for nothing else', () => {
    expect(REMEDIES.size).toBeGreaterThan(50);
    expect(Object.keys(texts).toSorted()).toEqual(CODES);
  });

  test('are whole sentences that speak to people, not to programs', () => {
    const end = isJapanese ? /[ぁ-ん].*。$/ : /^[A-Z].*\.$/;
    const faulty = Object.entries(texts).filter(
      ([, { title, remedy }]) =>
        title === remedy ||
        [title, remedy].some((text) => !end.test(text) || /`|please|successful|無効|公開キー/i.test(text)),
    );
    expect(faulty).toEqual([]);
  });
});

test('Japanese texts have Japanese punctuation', () => {
  const faulty = Object.values(ERROR_TEXTS_JA).filter(({ title, remedy }) =>
    /[.,:;!?()]/.test(`${title}${remedy}`),
  );
  expect(faulty).toEqual([]);
});

test('the standing advice of a code is not shown a second time as a detail', () => {
  const shown = [...REMEDIES].filter(
    ([code, remedy]) =>
      ERROR_TEXTS_EN[code as keyof typeof ERROR_TEXTS_EN].remedy !== remedy && !SERVER_REMEDIES.has(remedy),
  );
  expect(shown).toEqual([]);
  expect([...SERVER_REMEDIES].filter((remedy) => ![...REMEDIES.values()].includes(remedy))).toEqual([]);
});
