import type { KeyLimits } from '../lib/key-limits.ts';
import type { Permission } from '../lib/permission.ts';

export type AccountKind = 'user' | 'service';
export type AccountRole = 'admin' | 'member';
export type KeyAccess = 'account' | 'scoped' | 'full';

/** Who stands behind a request, as far as decisions need it. Read anew for each request. */
export interface AccountIdentity {
  readonly id: string;
  readonly workspaceId: string;
  readonly kind: AccountKind;
  readonly displayName: string;
  /** E-mail of a user, technical name of a service account. */
  readonly login: string;
  /** Null for service accounts, which have no role. */
  readonly role: AccountRole | null;
  readonly isActive: boolean;
  readonly grants: readonly Permission[];
  /** What each of its keys is limited to, beside the limits of its own; null: nothing. */
  readonly keyLimits: KeyLimits | null;
  readonly epoch: number;
}

export interface KeyIdentity {
  /** The API key: the public half. */
  readonly id: string;
  readonly ownerId: string;
  readonly comment: string;
  readonly access: KeyAccess;
  readonly scopes: readonly Permission[];
  /** Its own limits; those of the account count beside them. */
  readonly limits: KeyLimits | null;
  /** The generation whose secret was presented. */
  readonly generation: number;
  /** When the presented secret stops working; null for imported keys without expiry. */
  readonly expiresAt: number | null;
}

export interface TokenIdentity {
  readonly jti: string;
  readonly issuedAt: number;
  readonly expiresAt: number;
}

export interface SessionPrincipal {
  readonly kind: 'session';
  readonly account: AccountIdentity;
  readonly sessionId: string;
  /** The service accounts that this user manages. */
  readonly managedIds: readonly string[];
}

export interface KeyPrincipal {
  readonly kind: 'key';
  readonly account: AccountIdentity;
  readonly key: KeyIdentity;
}

export interface TokenPrincipal {
  readonly kind: 'token';
  readonly account: AccountIdentity;
  readonly key: KeyIdentity;
  readonly token: TokenIdentity;
}

/** The command line on the server itself: set-up, unattended administrator, sweeps. */
export interface SystemPrincipal {
  readonly kind: 'system';
  readonly name: string;
}

export type AuthenticatedPrincipal = SessionPrincipal | KeyPrincipal | TokenPrincipal;
export type Principal = { readonly kind: 'anonymous' } | SystemPrincipal | AuthenticatedPrincipal;
export type CredentialKind = 'anonymous' | 'session' | 'key' | 'token';
