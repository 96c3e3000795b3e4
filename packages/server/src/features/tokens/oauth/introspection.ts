import { isIP } from 'node:net';
import { AppError } from '../../../errors/index.ts';
import {
  type AccountIdentity,
  type AuthenticatedPrincipal,
  authErrors,
  type Caller,
  type KeyIdentity,
} from '../../../http/index.ts';
import { onTheBeat } from '../../../lib/beat.ts';
import type { Permission } from '../../../lib/permission.ts';
import type { Secret } from '../../../lib/secret.ts';
import type { AuditService } from '../../audit/index.ts';
import type { KeyAuthenticator, UsageRecorder } from '../../keys/index.ts';
import { findOver, type LimitsService } from '../../limits/index.ts';
import { can, effectivePermissions } from '../../scopes/index.ts';
import { groupByResources, type TokenClaims } from '../claims.ts';
import { toRefusal } from '../key-refusal.ts';
import { hasTokenShape } from '../token-text.ts';
import type { TokensService } from '../tokens.service.ts';
import type { ClientAuthenticator, PresentedClient } from './client-authentication.ts';
import type { Form } from './form.ts';
import { oauthErrors } from './oauth.errors.ts';

const ROUTE = '/oauth2/introspect';
const VERIFY_ACTION = 'iam:keys:verify';
/** Many times what any of the answers takes, and hardly noticed by who asks about a token that is no good. */
const INACTIVE_BEAT_MS = 10;
const BEARER_CHALLENGE = { 'www-authenticate': 'Bearer realm="keyreeve", error="invalid_token"' };

/** A token or key that is good, as somebody who may ask about it is told. */
export interface ActiveCredential {
  /** Null for a full key. */
  readonly claims: TokenClaims | null;
  readonly account: AccountIdentity;
  readonly key: KeyIdentity;
  /** Token ∩ present rights. */
  readonly permissions: readonly Permission[];
}

export interface Introspection {
  /** Who asks. @throws oauth.invalid_client, oauth.invalid_token, oauth.invalid_request */
  requireAsker(caller: Caller, presented: PresentedClient | null): Promise<AuthenticatedPrincipal>;
  /**
   * Answers `POST /oauth2/introspect` (RFC 7662) about a token, for this server or for another resource, or about a
   * full key. Null for whatever is no good, and for what the asker may not ask about: it needs `iam:keys:verify` on
   * the account behind it, or to be the client that got it.
   *
   * @throws oauth.invalid_request when `ip` is no address
   */
  ask(
    caller: Caller,
    asker: AuthenticatedPrincipal,
    credential: Secret,
    form: Form,
  ): Promise<ActiveCredential | null>;
}

interface Deps {
  readonly audit: AuditService;
  readonly usage: UsageRecorder;
  readonly keyLimiter: LimitsService;
  readonly tokens: TokensService;
  readonly clients: ClientAuthenticator;
  readonly keyAuthenticator: KeyAuthenticator;
}

/** From where the credential is used, as the service says that asks; without it, keys with an allow list are refused. */
function readIp(form: Form): string | null {
  const ip = form.get('ip');
  if (ip !== undefined && isIP(ip) === 0)
    throw oauthErrors.invalid_request({ detail: 'ip must be an IPv4 or IPv6 address.' });
  return ip ?? null;
}

/** The clients that got the token: that of the subject, or the last one that exchanged it. */
function isOwnClient(asker: AuthenticatedPrincipal, keyId: string, claims: TokenClaims | null): boolean {
  if (asker.kind === 'session') return false;
  return asker.key.id === keyId || asker.key.id === claims?.act?.client_id;
}

/** Null when it is no good now, whatever the reason. */
async function resolveCredential(
  { tokens, keyAuthenticator }: Deps,
  caller: Caller,
  credential: Secret,
  ip: string | null,
): Promise<Omit<ActiveCredential, 'permissions'> | null> {
  if (!hasTokenShape(credential.reveal())) {
    const outcome = await keyAuthenticator.authenticate(caller.workspace.id, { fullKey: credential }, ip);
    return outcome.code === 'valid' ? { claims: null, account: outcome.account, key: outcome.key } : null;
  }
  try {
    const { claims, principal } = await tokens.inspect(caller.workspace, credential, ip);
    return { claims, account: principal.account, key: principal.key };
  } catch (error) {
    if (error instanceof AppError && error.status === 401) return null;
    throw error;
  }
}

/** Who asks with a key or token of his own in the place of a client. */
async function resolveBearer(
  { usage, keyLimiter, tokens, keyAuthenticator }: Deps,
  caller: Caller,
  credential: Secret,
): Promise<AuthenticatedPrincipal> {
  const { workspace, ip, userAgent } = caller;
  if (hasTokenShape(credential.reveal())) return await tokens.authenticate(credential, caller);
  const outcome = await keyAuthenticator.authenticate(workspace.id, { fullKey: credential }, ip);
  if (!('key' in outcome)) throw authErrors.invalid_credential();
  const over = findOver(outcome.code === 'valid' ? await keyLimiter.count(outcome, true) : null);
  usage.record({
    workspaceId: workspace.id,
    keyId: outcome.key.id,
    action: 'iam:tokens:introspect',
    outcome: over?.code ?? outcome.code,
    ip,
    userAgent,
  });
  if (outcome.code !== 'valid') throw toRefusal(outcome.code);
  if (over !== null) throw over.error;
  return { kind: 'key', account: outcome.account, key: outcome.key };
}

export function createIntrospection(deps: Deps): Introspection {
  const { audit, usage, keyLimiter, clients } = deps;

  const find = async (
    caller: Caller,
    asker: AuthenticatedPrincipal,
    credential: Secret,
    ip: string | null,
  ): Promise<ActiveCredential | null> => {
    const found = await resolveCredential(deps, caller, credential, ip);
    if (found === null) return null;
    const { claims, account, key } = found;
    if (!isOwnClient(asker, key.id, claims) && !can(asker, VERIFY_ACTION, account.id)) return null;
    const held = await keyLimiter.count(found, true);
    const isWithin = held.code === 'within';
    usage.record({
      workspaceId: caller.workspace.id,
      keyId: key.id,
      action: null,
      outcome: isWithin ? 'valid' : held.code,
      ip,
      userAgent: null,
    });
    // RFC 7662 2.2 has no place for a reason.
    if (!isWithin) return null;
    return { ...found, permissions: groupByResources(effectivePermissions(account, key)) };
  };

  return {
    requireAsker: async (caller, presented) => {
      if (presented?.kind !== 'bearer') {
        const { account, key } = await clients.require(caller, presented, ROUTE);
        return { kind: 'key', account, key };
      }
      try {
        return await resolveBearer(deps, caller, presented.credential);
      } catch (error) {
        if (!(error instanceof AppError) || error.status !== 401) throw error;
        audit.countRefusal(caller, error, ROUTE);
        throw oauthErrors.invalid_token({
          detail: `${error.entry.title}. ${error.entry.remedy}`,
          headers: BEARER_CHALLENGE,
          cause: error,
        });
      }
    },
    ask: async (caller, asker, credential, form) => {
      const ip = readIp(form);
      // By its time, `{"active":false}` would tell an unknown token from one that was ended, or may not be asked about.
      return await onTheBeat(
        INACTIVE_BEAT_MS,
        () => find(caller, asker, credential, ip),
        (found) => found === null,
      );
    },
  };
}
