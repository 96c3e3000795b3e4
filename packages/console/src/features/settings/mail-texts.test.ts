import { describe, expect, test } from 'vitest';
import { fillName, findMailText, type MailTexts, withMailText, withoutMailText } from './mail-texts.ts';

const CREATED_EN = { kind: 'key.created', locale: 'en' } as const;
const CREATED_JA = { kind: 'key.created', locale: 'ja' } as const;
const TEXTS: MailTexts = [{ ...CREATED_EN, subject: 'New key for {name}', intro: null }];

describe('the words of mails', () => {
  test('belong to a kind and a language', () => {
    expect(findMailText(TEXTS, CREATED_EN)?.subject).toBe('New key for {name}');
    expect(findMailText(TEXTS, CREATED_JA)).toBeNull();
  });

  test('are changed one part at a time, in their place', () => {
    const both = withMailText(TEXTS, CREATED_JA, { intro: 'キーが作成されました。' });
    expect(both).toEqual([...TEXTS, { ...CREATED_JA, subject: null, intro: 'キーが作成されました。' }]);
    expect(withMailText(both, CREATED_EN, { intro: 'Hello' })[0]).toEqual({
      ...CREATED_EN,
      subject: 'New key for {name}',
      intro: 'Hello',
    });
  });

  test('are the usual ones again once nothing is left of them', () => {
    expect(withMailText(TEXTS, CREATED_EN, { subject: '' })).toEqual([]);
    expect(withoutMailText(TEXTS, CREATED_EN)).toEqual([]);
  });

  test('take a name as it is', () => {
    expect(fillName('{name} & {name}', '$& <b>')).toBe('$& <b> & $& <b>');
  });
});
