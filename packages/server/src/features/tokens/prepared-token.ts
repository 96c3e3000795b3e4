import { type AccountIdentity, authErrors, type KeyIdentity, type Workspace } from '../../http/index.ts';
import { randomBase62 } from '../../lib/base62.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Permission } from '../../lib/permission.ts';
import type { Random } from '../../lib/random.ts';
import { effectivePermissions } from '../scopes/index.ts';
import type { Settings } from '../settings/index.ts';
import { buildClaims, type ClaimsInput, findLife, type TokenClaims } from './claims.ts';
import type { SigningKeys } from './signing-keys/index.ts';
import { signTokenNow } from './token-text.ts';
import { tokenErrors } from './tokens.errors.ts';

/** Longer tokens do not survive every proxy and header limit on their way. */
export const TOKEN_CHARACTERS_MAX = 4_096;
const JTI_CHARACTERS = 22;

/** The key that a token is for, whose secret was proven and which is good. */
export interface TokenHolder {
  readonly account: AccountIdentity;
  readonly key: KeyIdentity;
  readonly keyEpoch: number;
}

/** What a token is asked for with, beside the credential. */
export interface TokenWish {
  /** The audience: one of the setting `tokenResources`; without it the token is for this server. */
  readonly resource?: string | undefined;
  /** Less than the credential may do; the asker has checked that it is less. Without it, all of it. */
  readonly permissions?: readonly Permission[] | undefined;
}

/** A token of which everything is known but its time, its id and the key that signs it. */
export interface PreparedToken {
  /** As an example: `iat`, `exp` and `jti` are others in each token. */
  readonly claims: TokenClaims;
  /**
   * A token with its life in seconds, or null when it cannot be made at once: its key must be read or has an algorithm
   * that has to be waited for, less than a second of the credential is left, or it would be too long with its rights.
   */
  issueNow(): { readonly token: string; readonly expiresInSeconds: number } | null;
}

export function newTokenId(random: Random): string {
  return randomBase62(random, JTI_CHARACTERS);
}

/** @throws token.resource_not_allowed */
export function toClaimsInput(
  workspace: Workspace,
  settings: Settings,
  { account, key, keyEpoch }: TokenHolder,
  { resource, permissions }: TokenWish,
): Omit<ClaimsInput, 'parent' | 'delegation' | 'actorEndsAt' | 'jti' | 'now'> {
  if (resource !== undefined && resource !== workspace.url && !settings.tokenResources.includes(resource)) {
    throw tokenErrors.resource_not_allowed({
      fields: [{ field: 'resource', message: 'is not in the setting tokenResources' }],
    });
  }
  return {
    issuer: workspace.url,
    audience: resource ?? workspace.url,
    workspaceId: workspace.id,
    account,
    key,
    keyEpoch,
    permissions: permissions ?? effectivePermissions(account, key),
    isNarrowed: permissions !== undefined,
    lifetimeSeconds: settings.tokenLifetimeSeconds,
  };
}

// In JSON no value contains a quotation mark as it is, so each of these is found where the member begins.
const TIMES = ',"iat":';
const AFTER_ID = ',"client_id":';

/** @see TokensService.prepare */
export function prepareToken(
  deps: { readonly clock: Clock; readonly random: Random; readonly signingKeys: SigningKeys },
  workspace: Workspace,
  settings: Settings,
  holder: TokenHolder,
  wish: TokenWish,
): PreparedToken {
  const { clock, random, signingKeys } = deps;
  const input = {
    ...toClaimsInput(workspace, settings, holder, wish),
    parent: null,
    delegation: null,
    actorEndsAt: null,
  };
  // Stryker disable next-line StringLiteral: an example, in whose place each token has its own
  const claims = buildClaims({ ...input, jti: '', now: clock.now() });
  if (claims === null) throw authErrors.key_expired();
  const text = JSON.stringify(claims);
  const before = text.slice(0, text.indexOf(TIMES));
  const after = text.slice(text.indexOf(AFTER_ID));
  const { key, lifetimeSeconds } = input;
  return {
    claims,
    issueNow: () => {
      const signer = signingKeys.peekSigner(workspace, settings);
      const life = findLife({ now: clock.now(), lifetimeSeconds, key, actorEndsAt: null, parent: null });
      if (signer === null || life === null) return null;
      const { iat, exp } = life;
      const claimsText = `${before}${TIMES}${iat},"exp":${exp},"jti":"${newTokenId(random)}"${after}`;
      const token = signTokenNow(claimsText, signer, TOKEN_CHARACTERS_MAX);
      return token === null ? null : { token, expiresInSeconds: exp - iat };
    },
  };
}
