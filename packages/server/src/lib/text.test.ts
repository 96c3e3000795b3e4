import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasHiddenText, isEmailAddress } from './text.ts';

describe('isEmailAddress', () => {
  it.each([
    'ada@example.com',
    'Ada.Lovelace+keys@sub.example.co.jp',
    "o'brien@example.com",
    'a@b.c',
    'a_b-c!#$%&*+/=?^{|}~@example.com',
    'root@localhost',
    `${'a'.repeat(64)}@example.com`,
    `ada@${'d'.repeat(63)}.example.com`,
    'ada@xn--bcher-kva.example',
    'ada@10.example',
  ])('accepts %s', (text) => expect(isEmailAddress(text)).toBe(true));

  it.each([
    ['nothing', ''],
    ['no domain', 'ada@'],
    ['no local part', '@example.com'],
    ['no at sign', 'ada.example.com'],
    ['two at signs', 'ada@b@example.com'],
    ['a list', 'ada@example.com,eve@example.com'],
    ['a list with semicolons', 'ada@example.com;eve@example.com'],
    ['a name', 'Ada <ada@example.com>'],
    ['a group', 'team:ada@example.com;'],
    ['a comment', 'ada(comment)@example.com'],
    ['a quoted local part', '"eve@example.org"@example.com'],
    ['a route', '@a.example,@b.example:ada@example.com'],
    ['an address literal', 'ada@[127.0.0.1]'],
    ['a blank', 'ada @example.com'],
    ['a leading blank', ' ada@example.com'],
    ['a line end', 'ada@example.com\n'],
    ['a second header', 'ada@example.com\r\nBcc: eve@example.com'],
    ['a tab', 'ada@example.com\t'],
    ['a NUL', 'ada@example.com\0'],
    ['a foreign letter', 'ada@ex\u00E4mple.com'],
    ['a foreign at sign', 'ada\uFF20example.com'],
    ['an encoded word', '=?utf-8?q?eve=40example.org=3e=00?=foo@example.com, a@b.cd'],
    ['an encoded word alone', '=?utf-8?q?eve=40example.org=3e=00?=@example.com'],
    ['a back slash', 'a\\da@example.com'],
    ['a leading dot', '.ada@example.com'],
    ['a trailing dot before the at sign', 'ada.@example.com'],
    ['two dots', 'a..da@example.com'],
    ['two dots in the domain', 'ada@example..com'],
    ['a domain that begins with a hyphen', 'ada@-example.com'],
    ['a domain that ends with a dot', 'ada@example.com.'],
    ['a local part of 65 characters', `${'a'.repeat(65)}@example.com`],
    ['a domain that is too long', `ada@${'d'.repeat(250)}.com`],
  ])('refuses %s', (_name, text) => expect(isEmailAddress(text)).toBe(false));

  it('accepts no text with a character that separates addresses or headers', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        if (isEmailAddress(text)) expect(text).not.toMatch(/[\s,;:<>()[\]"\\\u0000-\u0020\u007F-\uFFFF]/);
      }),
      { numRuns: 3_000 },
    );
  });

  it('answers in linear time on texts that nearly match', () => {
    const texts = [`a@${'a.'.repeat(50_000)}`, 'a'.repeat(100_000), `${'a'.repeat(64)}@${'a-'.repeat(90)}`];
    const before = process.cpuUsage();
    for (const text of texts) expect(isEmailAddress(text)).toBe(false);
    const { user, system } = process.cpuUsage(before);
    expect(user + system).toBeLessThan(50_000);
  });
});

describe('hasHiddenText', () => {
  it.each([
    '',
    'Ada Lovelace',
    'Straße 7',
    '日本語の名前',
    'עברית',
    'العربية',
    '\u{1F600}',
    'a\tb',
    'two\nlines',
    '\u{1F469}\u200D\u{1F52C}',
  ])('lets %j pass', (text) => expect(hasHiddenText(text)).toBe(false));

  it.each([
    ['a NUL', 'a\0b'],
    ['a bell', '\u0007'],
    ['a carriage return', 'a\rb'],
    ['an escape sequence', '\u001B[31mred'],
    ['a DEL', '\u007F'],
    ['a C1 control', '\u0085'],
    ['the last C1 control', '\u009F'],
    ['a right-to-left override', 'cod\u202Etxt.exe'],
    ['an embedding', '\u202A'],
    ['an isolate', '\u2066'],
    ['the end of an isolate', '\u2069'],
    ['a lone high surrogate', 'a\uD83D'],
    ['a lone low surrogate', '\uDE00a'],
  ])('finds %s', (_name, text) => expect(hasHiddenText(text)).toBe(true));
});
