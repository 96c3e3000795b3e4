import { describe, expect, it } from 'vitest';
import { isNameTyped } from './typed-name.ts';

describe('a name that is typed to confirm something', () => {
  it.each([
    ['Mio Tachibana', 'Mio Tachibana'],
    [' Mio Tachibana ', 'Mio Tachibana'],
    ['Mio Tachibana', 'Mio\u00a0Tachibana'],
    ['Mio Tachibana', 'Mio  Tachibana'],
    ['橘 美緒', '橘\u3000美緒'],
    ['Zoë', 'Zoe\u0308'],
    ['Zoe\u0308', 'Zoë'],
    ['deploy', '\u200fdeploy\u202e'],
    ['deploy', 'de\u00adploy\u200b'],
    ['نمیدانم', 'نمی\u200cدانم'],
    ['👩💻 team', '👩\u200d💻\ufe0f team'],
  ])('“%s” is “%s”', (typed, name) => {
    expect(isNameTyped(typed, name)).toBe(true);
    expect(isNameTyped(name, name)).toBe(true);
  });

  it.each([
    ['', 'Mio'],
    ['mio', 'Mio'],
    ['Mi', 'Mio'],
    ['MioTachibana', 'Mio Tachibana'],
    ['Zoe', 'Zoë'],
    ['', '\u200b\u2800'],
  ])('“%s” is not “%s”', (typed, name) => expect(isNameTyped(typed, name)).toBe(false));

  it('can be copied when it has nothing that could be typed', () =>
    expect(isNameTyped('\u200b\u2800', '\u200b\u2800')).toBe(true));
});
