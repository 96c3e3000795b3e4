import { toStoredLimits } from '../../lib/key-limits.ts';
import { isSameDigest, macParts } from '../../lib/mac.ts';
import type { Secret } from '../../lib/secret.ts';
import type { Keyring } from '../../storage/index.ts';
import type { ApiKey, Generation } from './api-key.ts';

/** The stored form of a secret: HMAC-SHA-256 under the newest pepper over workspace, key, generation and secret. */
export function digestSecret(
  keyring: Keyring,
  place: { workspaceId: string; keyId: string; generation: number },
  secretKey: Secret,
): { digest: string; pepperId: string } {
  const pepper = keyring.current('pepper');
  return {
    digest: macParts(pepper.key, [place.workspaceId, place.keyId, place.generation, secretKey.reveal()]),
    pepperId: pepper.id,
  };
}

/** True when the secret is that of this generation. Takes the same time whichever character differs. */
export function isSecretOf(
  keyring: Keyring,
  key: ApiKey,
  generation: Generation,
  secretKey: Secret,
): boolean {
  const pepper = keyring.find(generation.pepperId);
  // Stryker disable next-line ConditionalExpression, StringLiteral: `isSameDigest` refuses an empty digest, too
  if (pepper === null || generation.digest === '') return false;
  const digest = macParts(pepper.key, [key.workspaceId, key.id, generation.number, secretKey.reveal()]);
  return isSameDigest(digest, generation.digest);
}

/** The stored form of a foreign credential, of which we were given only the SHA-256. */
export function digestForeign(
  keyring: Keyring,
  workspaceId: string,
  sha256: string,
): { digest: string; pepperId: string } {
  const pepper = keyring.current('pepper');
  return {
    digest: macParts(pepper.key, ['foreign', workspaceId, sha256.toLowerCase()]),
    pepperId: pepper.id,
  };
}

/** What may be stored of a foreign credential, the newest pepper first: nothing in it tells under which one it is. */
export function listForeignDigests(keyring: Keyring, workspaceId: string, sha256: string): readonly string[] {
  return keyring
    .list('pepper')
    .map(({ key }) => macParts(key, ['foreign', workspaceId, sha256.toLowerCase()]));
}

/** Whether a secret of this key is stored under a pepper that was made after this process had read them. */
export function lacksPepperOf(keyring: Keyring, key: ApiKey): boolean {
  return [key.current, key.old].some(
    (generation) =>
      generation !== null && generation.digest !== '' && keyring.find(generation.pepperId) === null,
  );
}

function rowParts(key: ApiKey): (string | number | null)[] {
  const { current, old } = key;
  const limits = toStoredLimits(key.limits);
  return [
    key.id,
    key.workspaceId,
    key.accountId,
    key.ownerId,
    key.access,
    JSON.stringify(key.scopes),
    key.lifetimeDays,
    key.isEnabled ? 1 : 0,
    JSON.stringify(key.ipRanges),
    key.foreignDigest,
    key.epoch,
    current.number,
    current.digest,
    current.pepperId,
    current.expiresAt,
    old?.number ?? null,
    old?.digest ?? null,
    old?.pepperId ?? null,
    old?.expiresAt ?? null,
    // Only where there are some: rows of releases without limits stay good, and taking them away changes the parts.
    ...(limits === null ? [] : ['limits', limits]),
  ];
}

/**
 * MAC over all that decides what a key may do. It is checked whenever a row is loaded, so that somebody who
 * can write rows of this table, but does not hold the master key, can neither mint nor widen a key.
 */
export function rowMacOf(keyring: Keyring, key: ApiKey): string {
  const { id, key: macKey } = keyring.current('row');
  return `${id}:${macParts(macKey, rowParts(key))}`;
}

export function isRowIntact(keyring: Keyring, key: ApiKey, rowMac: string): boolean {
  // Stryker disable next-line StringLiteral: no data key has either for its id, and no row for its MAC
  const [id = '', mac = ''] = rowMac.split(':');
  const dataKey = keyring.find(id);
  return dataKey?.purpose === 'row' && isSameDigest(macParts(dataKey.key, rowParts(key)), mac);
}
