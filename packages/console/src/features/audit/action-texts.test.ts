import { describe, expect, test } from 'vitest';
import { AUDIT_ACTIONS } from '../../../../server/src/features/audit/audit-actions.ts';
import { ACTION_TEXTS, AREA_TEXTS, areaOf, wordAction } from './action-texts.ts';

describe('the words of the audit log', () => {
  test.each(AUDIT_ACTIONS)('say in both languages what happened: %s', (action) => {
    expect(Object.keys(ACTION_TEXTS)).toContain(action);
    expect(Object.keys(AREA_TEXTS)).toContain(areaOf(action));
  });

  test('tell users from service accounts, and a change of patterns from others', () => {
    expect(wordAction('account.disabled', 'en', 'user')).toBe('Disabled user');
    expect(wordAction('account.disabled', 'ja', 'service')).toBe('サービスアカウントを停止');
    expect(wordAction('key.changed', 'en', 'scopes')).toBe('Changed patterns');
  });

  test('leave what a newer server writes as it is', () => {
    expect(wordAction('vault.opened', 'ja')).toBe('vault.opened');
    expect(wordAction('key.created', 'en', 'key')).toBe('Created key');
  });

  test('have no event that the server does not write', () => {
    const known: readonly string[] = AUDIT_ACTIONS;
    const plain = Object.keys(ACTION_TEXTS).map((name) => name.split(':')[0] ?? name);
    expect(plain.filter((name) => !known.includes(name))).toEqual([]);
  });
});
