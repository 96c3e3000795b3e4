import {
  type CryptoKey,
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
} from 'jose';
import type { SigningAlgorithm } from '../token-text.ts';

/** A public key as it stands in the JWKS: never a private member. */
export type PublicJwk = JWK & { readonly alg: SigningAlgorithm; readonly use: 'sig'; readonly kid: string };

export interface KeyPair {
  readonly publicJwk: PublicJwk;
  readonly privateJwk: JWK;
}

const JWT_PUBLIC_MEMBERS = ['kty', 'crv', 'x', 'y', 'n', 'e'] as const;

/** A fresh pair. The key id is the RFC 7638 thumbprint, so that one id can never stand for two keys. */
export async function makeKeyPair(algorithm: SigningAlgorithm): Promise<KeyPair> {
  const pair = await generateKeyPair(algorithm, { extractable: true });
  const exported = await exportJWK(pair.publicKey);
  const kid = await calculateJwkThumbprint(exported);
  // One thumbprint in 64 begins with a hyphen, and a command line takes such an id for an option: in an emergency,
  // `keyreeve signing-keys retire` would refuse the id of just that key.
  if (kid.startsWith('-')) return await makeKeyPair(algorithm);
  const members = Object.fromEntries(
    JWT_PUBLIC_MEMBERS.flatMap((name) => (exported[name] === undefined ? [] : [[name, exported[name]]])),
  );
  return {
    publicJwk: { ...members, alg: algorithm, use: 'sig', kid },
    privateJwk: await exportJWK(pair.privateKey),
  };
}

export async function toCryptoKey(jwk: JWK, algorithm: string): Promise<CryptoKey> {
  const key = await importJWK(jwk, algorithm);
  if (key instanceof Uint8Array) throw new Error('A signing key is asymmetric.');
  return key;
}

/** Where the private half of a key is sealed: it opens nowhere else. */
export function privatePlace(kid: string): string {
  return `signing_keys/${kid}/private`;
}
