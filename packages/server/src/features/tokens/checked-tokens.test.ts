import { KeyObject } from 'node:crypto';
import { generateKeyPair } from 'jose';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type CheckedTokens, createCheckedTokens } from './checked-tokens.ts';
import type { TokenClaims } from './claims.ts';
import { SAMPLE_CLAIMS, SAMPLE_ISSUER, SAMPLE_SECONDS } from './samples.ts';
import {
  createSigningKey,
  type SigningKey,
  signToken,
  type TokenExpectations,
  type VerificationKey,
} from './token-text.ts';

const KID = 'k'.repeat(43);
const PARENT_KID = 'p'.repeat(43);

const claims: TokenClaims = { ...SAMPLE_CLAIMS, anc: ['jti-0'], anckid: [PARENT_KID] };

async function makePair(kid: string): Promise<SigningKey & VerificationKey> {
  const pair = await generateKeyPair('ES256', { extractable: true });
  return { ...createSigningKey(kid, 'ES256', KeyObject.from(pair.privateKey)), publicKey: pair.publicKey };
}

let key: SigningKey & VerificationKey;
let parentKey: VerificationKey;
let found: Map<string, VerificationKey>;
let tokens: CheckedTokens;

beforeAll(async () => {
  [key, parentKey] = [await makePair(KID), await makePair(PARENT_KID)];
});
beforeEach(() => {
  found = new Map([
    [KID, key],
    [PARENT_KID, parentKey],
  ]);
  tokens = createCheckedTokens();
});

async function read(text: string, more: Partial<TokenExpectations> = {}) {
  return await tokens.read(text, {
    issuer: SAMPLE_ISSUER,
    audiences: [SAMPLE_ISSUER],
    workspaceId: 'wsp_1',
    now: SAMPLE_SECONDS * 1000,
    findKey: (kid) => Promise.resolve(found.get(kid) ?? null),
    ...more,
  });
}

describe('a token that was checked', () => {
  it('is the same for whoever shows it again', async () => {
    const text = await signToken(claims, key);
    const first = await read(text);
    expect(first).toMatchObject({ kid: KID, claims, lastingUnder: null });
    expect(await read(text)).toBe(first);
    expect(await read(`${text}x`)).toBeNull();
  });

  it('is looked at anew for somebody else', async () => {
    const text = await signToken(claims, key);
    const first = await read(text);
    expect(await read(text, { audiences: ['https://other.test'] })).toBeNull();
    const forAnybody = await read(text, { audiences: null });
    expect(forAnybody).toMatchObject({ claims });
    expect(forAnybody).not.toBe(first);
  });

  it.each<[string, Partial<TokenExpectations>]>([
    ['in another workspace', { workspaceId: 'wsp_2' }],
    ['at another address', { issuer: 'https://other.test' }],
    ['after its life', { now: claims.exp * 1000 }],
    ['before its life', { now: (claims.iat - 61) * 1000 }],
  ])('is no good %s', async (_name, where) => {
    const text = await signToken(claims, key);
    expect(await read(text)).not.toBeNull();
    expect(await read(text, where)).toBeNull();
    expect(await read(text)).not.toBeNull();
  });

  it('is no good once its key is gone, or another one has its id', async () => {
    const text = await signToken(claims, key);
    expect(await read(text)).not.toBeNull();
    found.set(KID, { ...parentKey, kid: KID });
    expect(await read(text)).toBeNull();
    found.delete(KID);
    expect(await read(text)).toBeNull();
  });

  it('is no good once a key of its line is gone', async () => {
    const text = await signToken(claims, key);
    expect(await read(text)).not.toBeNull();
    found.delete(PARENT_KID);
    expect(await read(text)).toBeNull();
  });

  it('without a line stays good without one', async () => {
    const { anc: _anc, anckid: _anckid, ...own } = claims;
    const text = await signToken(own, key);
    const first = await read(text);
    expect(await read(text)).toBe(first);
  });

  it('is no good when its key goes while it is checked', async () => {
    const text = await signToken(claims, key);
    const asked: string[] = [];
    const findKey = (kid: string) => {
      asked.push(kid);
      // The third question is the one after the signature and the line were found good.
      return Promise.resolve(asked.length > 2 ? null : (found.get(kid) ?? null));
    };
    expect(await read(text, { findKey })).toBeNull();
    expect(asked).toEqual([KID, PARENT_KID, KID]);
  });

  it('is forgotten when as many others came after it as are kept', async () => {
    tokens = createCheckedTokens(3);
    const [first, ...others] = await Promise.all(
      [0, 1, 2, 3].map((index) => signToken({ ...claims, jti: `jti-${index}` }, key)),
    );
    const [known, last] = [await read(first ?? ''), others.pop()];
    for (const text of others) await read(text);
    expect(await read(first ?? '')).toBe(known);
    await read(last ?? '');
    expect(await read(first ?? '')).not.toBe(known);
  });
});
