import { AppError } from '../../../errors/index.ts';
import type { Caller } from '../../../http/index.ts';
import { Secret } from '../../../lib/secret.ts';
import { inTransaction, type Storage } from '../../../storage/index.ts';
import type { AuditService } from '../../audit/index.ts';
import type { UsageRecorder } from '../../keys/index.ts';
import { findOver, type LimitsService } from '../../limits/index.ts';
import { effectivePermissions } from '../../scopes/index.ts';
import type { ProvenKey } from '../key-refusal.ts';
import type { IssuedToken, KnownToken, TokensService } from '../tokens.service.ts';
import { type Form, requireParameter } from './form.ts';
import { narrowRights, readAskedRights, readResource } from './narrowing.ts';
import { oauthErrors } from './oauth.errors.ts';

export const TOKEN_ROUTE = '/oauth2/token';
export const ACCESS_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:access_token';
export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';

export interface Exchanged {
  readonly issued: IssuedToken;
  readonly subject: KnownToken;
}

/**
 * Gives a token for another one (RFC 8693). Whoever holds the subject token may exchange it, since he gets no more
 * than he has; `client` is set when he has also shown who he is.
 *
 * @throws oauth.*, token.resource_not_allowed, token.too_long, token.chain_too_long
 */
export type ExchangeToken = (caller: Caller, form: Form, client: ProvenKey | null) => Promise<Exchanged>;

interface Deps {
  readonly storage: Storage;
  readonly audit: AuditService;
  readonly usage: UsageRecorder;
  readonly keyLimiter: LimitsService;
  readonly tokens: TokensService;
}

/** @throws oauth.invalid_request for what token exchange could mean elsewhere, and does not mean here */
function checkExchange(form: Form): void {
  const requireType = (name: string, value: string): void => {
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

export function createTokenExchange({ storage, audit, usage, keyLimiter, tokens }: Deps): ExchangeToken {
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

  /** Somebody acts for somebody else from here on: the log says who, before he gets the token. */
  const record = async (caller: Caller, client: ProvenKey, { issued, subject }: Exchanged): Promise<void> => {
    const principal = { kind: 'key', account: client.account, key: client.key } as const;
    const { sub, client_id: keyId, jti } = subject.claims;
    await inTransaction(storage, (tx) =>
      audit.record(
        tx,
        { ...caller, principal },
        {
          action: 'token.exchanged',
          target: { kind: 'token', id: issued.claims.jti },
          accountId: sub,
          keyId,
          detail: { subjectToken: jti, resource: issued.claims.aud },
        },
      ),
    );
  };

  return async (caller, form, client) => {
    checkExchange(form);
    const subject = await requireSubject(caller, form);
    const { principal, claims } = subject;
    const { workspace, ip, userAgent } = caller;
    const held = effectivePermissions(principal.account, principal.key);
    const wish = { resource: readResource(form), permissions: narrowRights(held, readAskedRights(form)) };
    const isOther = client !== null && client.key.id !== claims.client_id;
    // The key of a client that exchanges its own token was counted when it authenticated.
    const isCounted = client?.key.id === principal.key.id;
    const over = findOver(isCounted ? null : await keyLimiter.count(principal, true));
    const countUse = (outcome: string): void =>
      usage.record({
        workspaceId: workspace.id,
        keyId: principal.key.id,
        action: 'iam:tokens:issue',
        outcome,
        ip,
        userAgent,
      });
    if (over !== null) {
      countUse(over.code);
      throw over.error;
    }
    const issued = await tokens.derive(workspace, subject, wish, isOther ? client : null);
    countUse('valid');
    if (isOther) await record(caller, client, { issued, subject });
    return { issued, subject };
  };
}
