import { describe, expect, test } from 'vitest';
import { initialsOf, splitGraphemes, stripInvisible } from './initials.ts';

describe('the initials of a name', () => {
  test.each([
    ['Mio Tachibana', 'MT'],
    ['Jean-Luc Marie Picard', 'JP'],
    ['plato', 'P'],
    ['élodie ångström', 'ÉÅ'],
    ['e\u0301lodie', 'É'.normalize('NFD')],
    ['ßeta tester', 'ßT'],
    ['build-agents', 'BA'],
    ['Daniel O’Shea', 'DO'],
    ['(Ops) 24/7 bot', 'OB'],
    ['3M', '3'],
    ['Анна Каренина', 'АК'],
  ])('of an alphabet are those of first and last word: %s', (name, initials) => {
    expect(initialsOf(name)).toBe(initials);
  });

  test.each([
    ['橘 美緒', '橘'],
    ['田中太郎', '田中'],
    ['すずき はなこ', 'すず'],
    ['マイケル・ジョーダン', 'マイ'],
    ['김철수', '김철'],
    ['葛\u{e0100}飾区', '葛\u{e0100}飾'],
    ['𠮷野家', '𠮷野'],
  ])('of an East Asian name are the first characters of its first word: %s', (name, initials) => {
    expect(initialsOf(name)).toBe(initials);
  });

  test('of a name written from right to left are its own letters, and do not join to a word', () => {
    expect(initialsOf('דוד כהן')).toBe('דכ');
    expect(initialsOf('محمد علي')).toBe('م\u200cع');
    expect(initialsOf('\u202eMio Tachibana')).toBe('MT');
  });

  test('never cut a character in two', () => {
    expect(initialsOf('👩‍💻 Ada Lovelace')).toBe('AL');
    expect(initialsOf('👩‍💻')).toBe('👩‍💻');
    expect(initialsOf('🇯🇵 🇩🇪')).toBe('🇯🇵');
    expect(initialsOf('नमस्ते दुनिया')).toBe('नदु');
    expect(initialsOf('\ud83d')).toBe('?');
  });

  test.each(['', '   ', '\u200b\u2800\u3164', '\u0000\u0007'])(
    'of a name with nothing to see are a question mark: %j',
    (name) => {
      expect(initialsOf(name)).toBe('?');
    },
  );

  test('of an endless name are found as quickly', () => {
    expect(initialsOf('a\u0301'.repeat(1_000_000))).toBe('Á'.normalize('NFD'));
  });
});

describe('a text without what cannot be seen', () => {
  test.each([
    ['a\u202eb\u2066c\u200fd', 'abcd'],
    ['one\r\n\ttwo   three ', 'one two three'],
    ['\u001b[31mred\u009b', '[31mred'],
    ['zero\u200bwidth\ufeff\u00ad', 'zerowidth'],
    ['tags\u{e0041}\u{e0042}', 'tags'],
    ['half \ud800 of', 'half of'],
    ['می\u200cخواهم', 'می\u200cخواهم'],
    ['👩‍💻', '👩‍💻'],
    ['e\u0301', 'e\u0301'],
  ])('%j becomes %j', (text, visible) => {
    expect(stripInvisible(text)).toBe(visible);
  });
});

test('what people take for one character is one grapheme', () => {
  expect(splitGraphemes('e\u0301👩‍💻a')).toEqual(['e\u0301', '👩‍💻', 'a']);
});
