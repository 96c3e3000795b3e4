import { AppError } from '../../../errors/index.ts';
import type { Caller } from '../../../http/index.ts';
import type { Permission } from '../../../lib/permission.ts';
import { Secret } from '../../../lib/secret.ts';
import { inTransaction, type Storage } from '../../../storage/index.ts';
import type { AuditService } from '../../audit/index.ts';
import type { UsageRecorder } from '../../keys/index.ts';
import { effectivePermissions } from '../../scopes/index.ts';
import { permissionsOf } from '../claims.ts';
import type { ProvenKey } from '../key-refusal.ts';
import type { IssuedToken, KnownToken, TokensService } from '../tokens.service.ts';
import type { ClientAuthenticator, PresentedClient } from './client-authentication.ts';
import { type Form, requireParameter } from './form.ts';
import { narrowRights, readAskedRights } from './narrowing.ts';
import { oauthErrors } from './oauth.errors.ts';

export const TOKEN_ROUTE = '/oauth2/token';
export const ACCESS_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:access_token';
export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
export const CLIENT_CREDENTIALS = 'client_credentials';

/** A token as the token endpoint answers it. */
export interface Granted {
  readonly issued: IssuedToken;
  /** What the token permits, also where it is too long to tell. */
  readonly permissions: readonly Permission[];
  readonly isExchanged: boolean;
  /** When the key behind it stops; null when it never does. Milliseconds. */
  readonly keyExpiresAt: number | null;
}

export interface TokenGrants {
  /**
   * Answers `POST /oauth2/token`: client_credentials (RFC 6749 4.4) with an API key as client id and its secret key
   * as client secret, and token exchange (RFC 8693).
   *
   * @throws oauth.*, token.resource_not_allowed, token.too_long, token.chain_too_long
   */
  grant(caller: Caller, form: Form, presented: PresentedClient | null): Promise<Granted>;
}

interface Deps {
  readonly storage: Storage;
  readonly audit: AuditService;
  readonly usage: UsageRecorder;
  readonly tokens: TokensService;
  readonly clients: ClientAuthenticator;
}

/** RFC 8707 calls it `resource`, RFC 8693 also `audience`; here both mean the one service that a token is for. */
function readResource(form: Form): string | undefined {
  const [resource, audience] = [form.get('resource'), form.get('audience')];
  if (resource !== undefined && audience !== undefined && resource !== audience)
    throw oauthErrors.invalid_target({
      detail: 'resource and audience name different services; a token is for one. Send one of them.',
    });
  return resource ?? audience;
}

/** @throws oauth.invalid_request for what token exchange could mean elsewhere, and does not mean here */
function checkExchange(form: Form): void {
  const requireType = (name: string, value: string | undefined): void => {
    if (value !== ACCESS_TOKEN_TYPE)
      throw oauthErrors.invalid_request({
        detail: `${name} must be ${ACCESS_TOKEN_TYPE}, the only type that is exchanged here.`,
      });
  };
  requireType('subject_token_type', requireParameter(form, 'subject_token_type'));
  const wanted = form.get('requested_token_type');
  if (wanted !== undefined) requireType('requested_token_type', wanted);
  if (form.has('actor_token') || form.has('actor_token_type'))
    throw oauthErrors.invalid_request({
      detail:
        'actor_token is not supported. Authenticate the client instead: its key becomes the actor of the token.',
    });
}

export function createTokenGrants(deps: Deps): TokenGrants {
  const { storage, audit, usage, tokens, clients } = deps;

  const toGranted = (
    issued: IssuedToken,
    holder: ProvenKey | KnownToken['principal'],
    isExchanged: boolean,
  ) => ({
    issued,
    permissions: permissionsOf(issued.claims) ?? effectivePermissions(holder.account, holder.key),
    isExchanged,
    keyExpiresAt: holder.key.expiresAt,
  });

  const grantToClient = async (
    caller: Caller,
    form: Form,
    presented: PresentedClient | null,
  ): Promise<Granted> => {
    const proven = await clients.require(caller, presented, TOKEN_ROUTE);
    const held = effectivePermissions(proven.account, proven.key);
    const permissions = narrowRights(held, readAskedRights(form));
    const issued = await tokens.issue(caller.workspace, proven, {
      resource: readResource(form),
      permissions,
    });
    return toGranted(issued, proven, false);
  };

  const requireSubject = async (caller: Caller, form: Form): Promise<KnownToken> => {
    const token = new Secret(requireParameter(form, 'subject_token'));
    try {
      return await tokens.inspect(caller.workspace, token, caller.ip);
    } catch (error) {
      if (!(error instanceof AppError) || error.status !== 401) throw error;
      audit.countRefusal(caller, error, TOKEN_ROUTE);
      // RFC 8693 2.2.2 names this code for a subject token that is no good.
      throw oauthErrors.invalid_request({
        detail: 'subject_token is no good: it is none of ours, has ended, or its key has changed.',
        cause: error,
      });
    }
  };

  /** Whoever holds the subject token may exchange it: he gets less than he has. A client may show who he is. */
  const exchange = async (
    caller: Caller,
    form: Form,
    presented: PresentedClient | null,
  ): Promise<Granted> => {
    const client = presented === null ? null : await clients.require(caller, presented, TOKEN_ROUTE);
    checkExchange(form);
    const subject = await requireSubject(caller, form);
    const { principal, claims } = subject;
    const { workspace, ip, userAgent } = caller;
    usage.record({
      workspaceId: workspace.id,
      keyId: principal.key.id,
      outcome: 'valid',
      ip,
      userAgent,
    });
    const held = effectivePermissions(principal.account, principal.key);
    const permissions = narrowRights(held, readAskedRights(form));
    const isOther = client !== null && client.key.id !== claims.client_id;
    const actor = isOther ? { sub: client.account.id, client_id: client.key.id } : null;
    const issued = await tokens.derive(
      workspace,
      subject,
      { resource: readResource(form), permissions },
      actor,
    );
    if (isOther) await recordExchange(caller, client, subject, issued);
    return toGranted(issued, principal, true);
  };

  /** Somebody acts for somebody else from here on: the log says who, before he gets the token. */
  const recordExchange = async (
    caller: Caller,
    client: ProvenKey,
    { claims }: KnownToken,
    issued: IssuedToken,
  ): Promise<void> => {
    const principal = { kind: 'key', account: client.account, key: client.key } as const;
    await inTransaction(storage, (tx) =>
      audit.record(
        tx,
        { ...caller, principal },
        {
          action: 'token.exchanged',
          target: { kind: 'token', id: issued.claims.jti },
          accountId: claims.sub,
          keyId: claims.client_id,
          detail: { subjectToken: claims.jti, resource: issued.claims.aud },
        },
      ),
    );
  };

  return {
    grant: async (caller, form, presented) => {
      const type = requireParameter(form, 'grant_type');
      if (type === CLIENT_CREDENTIALS) return await grantToClient(caller, form, presented);
      if (type === TOKEN_EXCHANGE) return await exchange(caller, form, presented);
      throw oauthErrors.unsupported_grant_type({
        detail: `grant_type must be ${CLIENT_CREDENTIALS} or ${TOKEN_EXCHANGE}.`,
      });
    },
  };
}
