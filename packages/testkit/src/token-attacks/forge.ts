import { createHmac, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import type { JWK } from 'jose';
import type { Harness } from '../harness.ts';
import { type ClientPair, getToken } from '../oauth-client.ts';

export type Claims = Readonly<Record<string, unknown>>;

/** A good token, with all that is needed to make others of it. */
export interface Specimen {
  readonly text: string;
  readonly claims: Claims;
  readonly kid: string;
  /** The private key of the server itself: nothing but what is wrong with a forged token keeps it out. */
  readonly signer: KeyObject;
  readonly publicKey: KeyObject;
}

export function parseSegment(segment: string): Claims {
  return JSON.parse(Buffer.from(segment, 'base64url').toString()) as Claims;
}

/** Gets a token, and looks into the database for the key by which it was signed. */
export async function takeSpecimen(harness: Harness, client: ClientPair): Promise<Specimen> {
  const { access_token: text } = await getToken(harness, client);
  const [head = '', payload = ''] = text.split('.');
  const kid = String(parseSegment(head)['kid']);
  const { keyring, storage } = harness.deps;
  const row = await storage.read
    .selectFrom('signing_keys')
    .select('sealed_private_jwk')
    .where('kid', '=', kid)
    .executeTakeFirstOrThrow();
  const jwk = JSON.parse(keyring.open(row.sealed_private_jwk, `signing_keys/${kid}/private`)) as JWK;
  const signer = createPrivateKey({ key: jwk, format: 'jwk' });
  return { text, claims: parseSegment(payload), kid, signer, publicKey: createPublicKey(signer) };
}

/** A segment: bytes and texts as they are, anything else as JSON. */
export function encode(part: unknown): string {
  if (Buffer.isBuffer(part)) return part.toString('base64url');
  return Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');
}

/** Signs rightly, in the name of whatever algorithm the header tells. */
export function forge(
  head: unknown,
  payload: unknown,
  key: KeyObject,
  dsaEncoding: 'ieee-p1363' | 'der' = 'ieee-p1363',
): string {
  const text = `${encode(head)}.${encode(payload)}`;
  return `${text}.${sign('sha256', Buffer.from(text), { key, dsaEncoding }).toString('base64url')}`;
}

export function forgeByHmac(head: unknown, payload: unknown, hash: string, secret: string | Buffer): string {
  const text = `${encode(head)}.${encode(payload)}`;
  return `${text}.${createHmac(hash, secret).update(text).digest('base64url')}`;
}
