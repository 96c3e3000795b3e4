import { describe, expect, test } from 'vitest';
import { readDetail, wordValue } from './detail-values.ts';

const nobody = () => null;
const word = (name: string, value: unknown, locale: 'en' | 'ja' = 'en') =>
  wordValue(name, value, locale, nobody).text;

describe('the detail of an event', () => {
  test('has its units and its words', () => {
    expect(word('tokenLifetimeSeconds', 1_800)).toBe('30 minutes');
    expect(word('expiryNoticeDays', [30, 1], 'ja')).toBe('30日, 1日');
    expect(word('overlapHours', 24)).toBe('24 hours');
    expect(word('sizeBytes', 12_400_000)).toBe('12.4 MB');
    expect(word('isActive', false)).toBe('Disabled');
    expect(word('role', 'admin', 'ja')).toBe('管理者');
    expect(word('mailed', true)).toBe('yes');
    expect(word('disabledReason', null)).toBe('none');
    expect(word('aliases', [], 'ja')).toBe('なし');
    expect(word('code', 'session.account_disabled')).toBe('The account is disabled.');
  });

  test('tells instants with their zone', () => {
    expect(word('expiresAt', '2027-02-20T14:05:00.000Z')).toMatch(/^20 Feb 2027, \d\d:\d\d \S+$/);
    expect(word('activatesAt', Date.UTC(2027, 1, 20, 12))).toMatch(/^20 Feb 2027, /);
  });

  test('writes rights one a line', () => {
    const scopes = [
      { actions: ['package:push'], resources: ['Hayama.*', 'HayamaDsc'] },
      { actions: ['package:unlist'], resources: ['*'] },
    ];
    expect(wordValue('scopes', scopes, 'en', nobody)).toEqual({
      text: 'package:push: Hayama.*, HayamaDsc\npackage:unlist: *',
      isMono: true,
    });
  });

  test('names accounts that are known and leaves the others by id', () => {
    const nameOf = (id: string) => (id === 'acc_1' ? 'Mio Tachibana' : null);
    expect(wordValue('managers', ['acc_1', 'acc_2'], 'en', nameOf).text).toBe('Mio Tachibana, acc_2');
  });

  test('shows what it does not know as it is', () => {
    expect(word('moonPhase', 'waxing')).toBe('waxing');
    expect(word('code', 'vault.sealed')).toBe('vault.sealed');
    expect(word('nested', { deep: [1] })).toBe('{"deep":[1]}');
    expect(word('displayName', '<img src=x onerror=alert(1)>')).toBe('<img src=x onerror=alert(1)>');
  });

  test('tells a change from a fact', () => {
    const fields = readDetail(
      { locale: { from: 'en', to: 'ja' }, count: 3, odd: { from: 1, to: 2, by: 3 } },
      'en',
      nobody,
    );
    expect(fields.map(({ name, from, to }) => [name, from?.text ?? null, to.text])).toEqual([
      ['locale', 'English', '日本語'],
      ['count', null, '3'],
      ['odd', null, '{"from":1,"to":2,"by":3}'],
    ]);
  });
});
