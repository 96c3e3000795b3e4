import { CompactSign, calculateJwkThumbprint, compactVerify, exportJWK, importJWK } from 'jose';
import { describe, expect, it } from 'vitest';
import { makeKeyPair, privatePlace, toCryptoKey } from './key-pair.ts';

describe('a pair of keys', () => {
  it.each([
    ['ES256', ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'], ['crv', 'd', 'kty', 'x', 'y']],
    ['EdDSA', ['alg', 'crv', 'kid', 'kty', 'use', 'x'], ['crv', 'd', 'kty', 'x']],
    ['RS256', ['alg', 'e', 'kid', 'kty', 'n', 'use'], ['d', 'dp', 'dq', 'e', 'kty', 'n', 'p', 'q', 'qi']],
  ] as const)(
    'of %s is published by its public members, under its thumbprint',
    async (algorithm, open, own) => {
      const { publicJwk, privateJwk } = await makeKeyPair(algorithm);
      expect(Object.keys(publicJwk).toSorted()).toEqual(open);
      expect(Object.keys(privateJwk).toSorted()).toEqual(own);
      expect(publicJwk).toMatchObject({
        alg: algorithm,
        use: 'sig',
        kid: await calculateJwkThumbprint(privateJwk),
      });
      const token = await new CompactSign(Buffer.from('text'))
        .setProtectedHeader({ alg: algorithm })
        .sign(await importJWK(privateJwk, algorithm));
      const { alg: _alg, ...bare } = publicJwk;
      const verified = await compactVerify(token, await toCryptoKey(bare, algorithm));
      expect(Buffer.from(verified.payload).toString()).toBe('text');
    },
  );

  it('is never a shared secret', async () => {
    const secret = { kty: 'oct', k: Buffer.alloc(32).toString('base64url') };
    await expect(toCryptoKey(secret, 'HS256')).rejects.toThrow('A signing key is asymmetric.');
    const { publicJwk } = await makeKeyPair('ES256');
    const { kty, crv, x, y } = publicJwk;
    expect(await exportJWK(await toCryptoKey(publicJwk, 'ES256'))).toEqual({ kty, crv, x, y });
  });

  it('has an id that no command line takes for an option', async () => {
    const kids: string[] = [];
    // One thumbprint in 64 begins with a hyphen: all of these would miss it once in a hundred thousand runs.
    while (kids.length < 730) kids.push((await makeKeyPair('EdDSA')).publicJwk.kid);
    expect(kids.filter((kid) => kid.startsWith('-'))).toEqual([]);
  });

  it('has its private half sealed at a place of its own', () => {
    expect(privatePlace('k1')).toBe('signing_keys/k1/private');
  });
});
