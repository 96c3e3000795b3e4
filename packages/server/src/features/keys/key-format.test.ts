import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { systemRandom } from '../../lib/random.ts';
import { Secret } from '../../lib/secret.ts';
import {
  checksumOf,
  hasFullKeyShape,
  newApiKey,
  newSecretKey,
  parseFullKey,
  parsePair,
  toFullKey,
} from './key-format.ts';

const FULL_KEY = /^kr_[0-9A-Za-z]{16}_[0-9A-Za-z]{49}$/;

describe('the key format', () => {
  it('has the published checksums', () => {
    expect(checksumOf('kr_0123456789ABCDEF', 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG')).toBe('0z0dhD');
    expect(checksumOf('kr_zzzzzzzzzzzzzzzz', '0'.repeat(43))).toBe('4VVbKv');
  });

  it('makes keys of the documented shape that read back in both spellings', () => {
    for (let round = 0; round < 200; round += 1) {
      const apiKey = newApiKey(systemRandom, 'kr');
      const secretKey = newSecretKey(systemRandom, apiKey);
      const fullKey = toFullKey(apiKey, secretKey);
      expect(fullKey.reveal()).toMatch(FULL_KEY);
      expect(parseFullKey(fullKey)).toEqual({ apiKey, secretKey: expect.any(Secret) });
      expect(parseFullKey(fullKey)?.secretKey.reveal()).toBe(secretKey.reveal());
      expect(parsePair(` ${apiKey}\r\n`, new Secret(`\t${secretKey.reveal()} `))?.apiKey).toBe(apiKey);
    }
  });

  it('refuses a key in which any single character was changed', () => {
    const apiKey = newApiKey(systemRandom, 'kr');
    const text = toFullKey(apiKey, newSecretKey(systemRandom, apiKey)).reveal();
    for (let index = 3; index < text.length; index += 1) {
      if (text[index] === '_') continue;
      const changed = `${text.slice(0, index)}${text[index] === 'a' ? 'b' : 'a'}${text.slice(index + 1)}`;
      expect(parseFullKey(new Secret(changed)), `character ${index}`).toBeNull();
    }
  });

  it('tolerates blanks around a full key, and none inside: there it would be a second spelling', () => {
    const apiKey = newApiKey(systemRandom, 'kr');
    const secret = newSecretKey(systemRandom, apiKey).reveal();
    expect(parseFullKey(new Secret(` ${apiKey}_${secret}\n`))?.apiKey).toBe(apiKey);
    for (const text of [`${apiKey} _${secret}`, `${apiKey}_ ${secret}`, `${apiKey}\n_${secret}`])
      expect(parseFullKey(new Secret(text)), JSON.stringify(text)).toBeNull();
  });

  it('reads any text without an exception', () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 120 }),
        (text) => parseFullKey(new Secret(text)) === null && parsePair(text, new Secret(text)) === null,
      ),
    );
  });

  it('tells a mistyped key of ours from a foreign credential', () => {
    expect(hasFullKeyShape(`kr_${'a'.repeat(16)}_short`)).toBe(true);
    expect(hasFullKeyShape('oy2abcdefghijklmnopqrstuvwxyz')).toBe(false);
  });

  it('accepts keys with older prefixes', () => {
    const apiKey = newApiKey(systemRandom, 'acme');
    expect(parseFullKey(toFullKey(apiKey, newSecretKey(systemRandom, apiKey)))?.apiKey).toBe(apiKey);
  });
});
