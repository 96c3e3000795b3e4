import { createHmac, createPublicKey, type JsonWebKeyInput, type KeyObject, verify } from 'node:crypto';
import { type Claims, parseSegment, type Specimen } from './forge.ts';

/** Which checks a verifier makes beside the signature and the end of the token. */
export interface Care {
  readonly algorithm: boolean;
  readonly type: boolean;
  readonly issuer: boolean;
  readonly audience: boolean;
}

/**
 * A verifier as people write it by hand. Without the check of the algorithm it does what the header says: no
 * signature for `none`, the public key as a shared secret, the key that the token brings.
 */
export function isAcceptedBy(care: Care, text: string, { claims, kid, publicKey }: Specimen): boolean {
  try {
    const [head = '', payload = '', signature = ''] = text.split('.');
    const header = parseSegment(head);
    const told = parseSegment(payload);
    if (care.algorithm && (header['alg'] !== 'ES256' || header['kid'] !== kid)) return false;
    if (care.type && header['typ'] !== 'at+jwt') return false;
    if (care.issuer && told['iss'] !== claims['iss']) return false;
    if (care.audience && told['aud'] !== claims['aud']) return false;
    if (Number(told['exp']) * 1_000 <= Date.now()) return false;
    return isSigned(
      header,
      Buffer.from(`${head}.${payload}`),
      Buffer.from(signature, 'base64url'),
      care.algorithm ? publicKey : (broughtKey(header) ?? publicKey),
    );
  } catch {
    return false;
  }
}

function broughtKey(header: Claims): KeyObject | null {
  const jwk = header['jwk'];
  return typeof jwk === 'object' && jwk !== null
    ? createPublicKey({ key: jwk, format: 'jwk' } as JsonWebKeyInput)
    : null;
}

function isSigned(header: Claims, text: Buffer, signature: Buffer, key: KeyObject): boolean {
  const algorithm = String(header['alg']).toLowerCase();
  if (algorithm === 'none') return true;
  if (algorithm === 'hs256') {
    const secret = key.export({ type: 'spki', format: 'pem' });
    return createHmac('sha256', secret).update(text).digest().equals(signature);
  }
  return verify('sha256', text, { key, dsaEncoding: 'ieee-p1363' }, signature);
}
