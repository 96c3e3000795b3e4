import { describe, expect, it } from 'vitest';
import { listErrorEntries } from '../../errors/index.ts';
import { toPlainText, toReasonPhrase } from './gallery.answer.ts';
import { packageErrors } from './gallery.errors.ts';

describe('toReasonPhrase', () => {
  it('is one line of printable latin-1, at most 512 characters', () => {
    const phrase = toReasonPhrase(
      packageErrors.unreadable({ detail: `a\r\nX-Injected: 1\u0000\u2028é芽${'x'.repeat(600)}` }),
    );
    expect(phrase).toMatch(/^[\x20-\x7e\xa0-\xff]{1,512}$/);
    expect(phrase.startsWith('a X-Injected: 1? é?')).toBe(true);
  });

  it.each([
    [
      packageErrors.exists({ detail: "A package with ID 'Http400' exists." }),
      'The package version already exists and cannot be modified',
    ],
    [
      packageErrors.not_permitted({ detail: 'It does not match Acme.401' }),
      'The API key does not permit this',
    ],
    [packageErrors.not_permitted({ detail: 'It does not match Acme.403' }), 'It does not match Acme.403'],
    [packageErrors.unreadable({ detail: 'At most 4,000 characters.' }), 'At most 4,000 characters.'],
  ])('gives no digits of another status away, which clients would take for it: %s', (error, phrase) => {
    expect(toReasonPhrase(error)).toBe(phrase);
  });

  it('has titles without digits to fall back on', () => {
    const titles = listErrorEntries()
      .filter((entry) => entry.code.startsWith('package.'))
      .map((entry) => entry.title);
    expect(titles.length).toBeGreaterThan(5);
    expect(titles.filter((title) => /\d/.test(title))).toEqual([]);
  });

  it('keeps the word by which PSResourceGet knows a missing key', () => {
    expect(toReasonPhrase(packageErrors.key_required())).toContain('API');
  });
});

describe('toPlainText', () => {
  it('keeps plain text as it is', () => {
    expect(toPlainText("It's é fine.")).toBe("It's é fine.");
  });
});
