import type { AccountIdentity, KeyAccess, KeyIdentity } from '../../http/index.ts';
import { DAY_MS } from '../../lib/clock.ts';
import type { KeyLimits } from '../../lib/key-limits.ts';
import type { Permission } from '../../lib/permission.ts';

/** One secret of a key. */
export interface Generation {
  readonly number: number;
  /** HMAC under the pepper; empty when the secret was revoked and nothing can match. */
  readonly digest: string;
  readonly pepperId: string;
  readonly expiresAt: number | null;
}

/** A key as the rules see it. */
export interface ApiKey {
  readonly id: string;
  readonly workspaceId: string;
  readonly accountId: string;
  /** The account whose packages it acts for. */
  readonly ownerId: string;
  readonly comment: string;
  readonly access: KeyAccess;
  readonly scopes: readonly Permission[];
  /** Null for imported keys. */
  readonly lifetimeDays: number | null;
  readonly createdAt: number;
  readonly createdBy: string | null;
  /** When it was last regenerated; null when it never was. */
  readonly renewedAt: number | null;
  readonly updatedAt: number;
  readonly isEnabled: boolean;
  readonly disabledReason: string | null;
  readonly disabledAt: number | null;
  readonly current: Generation;
  readonly old: Generation | null;
  readonly ipRanges: readonly string[];
  readonly limits: KeyLimits | null;
  readonly foreignDigest: string | null;
  readonly epoch: number;
  readonly version: number;
}

export type KeyStatus = 'active' | 'expiring' | 'expired' | 'disabled';

export function isExpired(expiresAt: number | null, now: number): boolean {
  return expiresAt !== null && now >= expiresAt;
}

/** How long before its expiry a key counts as expiring: the largest of the notice days. */
export function noticeMsOf(noticeDays: readonly number[]): number {
  return Math.max(0, ...noticeDays) * DAY_MS;
}

/** `expiring` from the first notice day on. Disabled wins over expired: enabling alone would not help an expired key. */
export function statusOf(key: ApiKey, now: number, noticeDays: readonly number[]): KeyStatus {
  if (!key.isEnabled) return 'disabled';
  const { expiresAt } = key.current;
  if (isExpired(expiresAt, now)) return 'expired';
  return expiresAt !== null && expiresAt - now <= noticeMsOf(noticeDays) ? 'expiring' : 'active';
}

export function toKeyIdentity(key: ApiKey, generation: Generation): KeyIdentity {
  return {
    id: key.id,
    ownerId: key.ownerId,
    comment: key.comment,
    access: key.access,
    scopes: key.scopes,
    limits: key.limits,
    generation: generation.number,
    expiresAt: generation.expiresAt,
  };
}

/** The answer to a presented credential. Without the right secret it is `malformed` or `not_found`, and nothing more. */
export type KeyOutcome =
  | { readonly code: 'malformed' }
  | { readonly code: 'not_found' }
  | {
      readonly code: 'valid' | 'expired' | 'disabled' | 'account_disabled' | 'ip_not_allowed';
      readonly key: KeyIdentity;
      readonly keyEpoch: number;
      readonly account: AccountIdentity;
    };
