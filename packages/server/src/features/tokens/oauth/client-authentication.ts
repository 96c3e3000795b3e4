import { AppError } from '../../../errors/index.ts';
import { authErrors, type Caller, fromPair, parseBasic } from '../../../http/index.ts';
import { Secret } from '../../../lib/secret.ts';
import type { AuditService } from '../../audit/index.ts';
import type { KeyAuthenticator, KeyOutcome, UsageRecorder } from '../../keys/index.ts';
import { findOver, type LimitsService } from '../../limits/index.ts';
import { type ProvenKey, toRefusal } from '../key-refusal.ts';
import { decodeFormText, type Form } from './form.ts';
import { oauthErrors } from './oauth.errors.ts';

export type PresentedClient =
  | {
      readonly kind: 'client';
      /** Empty when only a full key was sent, which says by itself whose it is. */
      readonly clientId: string;
      readonly secret: Secret;
      /** The secret of a Basic header as it stands there, in case that the client did not encode it. */
      readonly unencoded?: Secret;
      readonly isBasic: boolean;
    }
  /** A key or token, for introspection only. */
  | { readonly kind: 'bearer'; readonly credential: Secret };

const BASIC_CHALLENGE = { 'www-authenticate': 'Basic realm="keyreeve", charset="UTF-8"' };

function refuse(reason: AppError, detail: string, isBasic: boolean): AppError {
  const headers = isBasic ? BASIC_CHALLENGE : {};
  return oauthErrors.invalid_client({ detail, headers, cause: reason });
}

/**
 * RFC 6749 2.3.1: both halves were form-encoded before they were joined, so a colon or percent sign of theirs does
 * not part them. Most programs do not encode; for our own secrets, letters and digits, both are the same, but an
 * imported key may have other characters.
 */
function readBasic(authorization: string): PresentedClient {
  const basic = parseBasic(authorization);
  if (basic === null) throw unreadableBasic();
  const clientId = decodeFormText(basic.user);
  if (clientId === null) throw unreadableBasic();
  const unencoded = basic.password;
  const secret = decodeFormText(unencoded.reveal());
  return {
    kind: 'client',
    clientId,
    secret: secret === null ? unencoded : new Secret(secret),
    ...(secret === unencoded.reveal() ? {} : { unencoded }),
    isBasic: true,
  };
}

function unreadableBasic(): AppError {
  return refuse(
    authErrors.invalid_credential(),
    'The Basic header cannot be read: encode client id and client secret as forms are, join them with a colon, then use base64.',
    true,
  );
}

function readAuthorization(authorization: string): PresentedClient {
  if (/^basic /i.test(authorization)) return readBasic(authorization);
  const bearer = /^bearer +(\S{1,8192})$/i.exec(authorization)?.[1];
  if (bearer !== undefined) return { kind: 'bearer', credential: new Secret(bearer) };
  throw refuse(
    authErrors.invalid_credential(),
    'The Authorization header is none that is supported here. Use Basic, or client_id and client_secret in the body.',
    true,
  );
}

/**
 * How the caller authenticates, or null when he does not. Never a session: a page of another site could post a form.
 *
 * @throws oauth.invalid_request when more than one method is used; oauth.invalid_client when a header cannot be read
 */
export function readClient(authorization: string | undefined, form: Form): PresentedClient | null {
  const secret = form.get('client_secret');
  const clientId = form.get('client_id');
  if (form.has('client_assertion') || form.has('client_assertion_type')) {
    throw refuse(
      authErrors.invalid_credential(),
      'client_assertion is not supported. Use Basic, or client_id and client_secret in the body.',
      false,
    );
  }
  const header = authorization?.trim() ?? '';
  if (header !== '') {
    if (secret !== undefined) {
      throw oauthErrors.invalid_request({
        detail:
          'Both the Authorization header and client_secret authenticate the client. Use one of them (RFC 6749 2.3).',
      });
    }
    const presented = readAuthorization(header);
    if (presented.kind === 'client' && clientId !== undefined && clientId !== presented.clientId) {
      throw oauthErrors.invalid_request({
        detail: 'client_id is another one than in the Authorization header. Leave it out.',
      });
    }
    return presented;
  }
  if (secret === undefined) return null;
  return { kind: 'client', clientId: clientId ?? '', secret: new Secret(secret), isBasic: false };
}

/** What a client comes for, as its usage names it. No right is asked for these. */
export const ROUTE_ACTIONS = {
  '/oauth2/token': 'iam:tokens:issue',
  '/oauth2/introspect': 'iam:tokens:introspect',
  '/oauth2/revoke': 'iam:tokens:revoke',
} as const;

type ClientRoute = keyof typeof ROUTE_ACTIONS;

/** Whoever wants to end a token must be able to, whatever the limits of his key. */
const UNLIMITED_ROUTE = '/oauth2/revoke';

export interface ClientAuthenticator {
  /**
   * The key behind a presented client. The state of the key is told only to the holder of the right secret; refusals
   * and uses are counted.
   *
   * @throws oauth.invalid_client, limit.* for a good key
   */
  require(caller: Caller, presented: PresentedClient | null, route: ClientRoute): Promise<ProvenKey>;
}

/** @throws oauth.invalid_client without a client, or with something else in its place */
function requireClient(presented: PresentedClient | null): Extract<PresentedClient, { kind: 'client' }> {
  if (presented?.kind === 'client') return presented;
  throw presented === null
    ? refuse(
        authErrors.required(),
        'Send the API key as client id and its secret key as client secret, with Basic or in the body.',
        true,
      )
    : refuse(
        authErrors.kind_not_accepted(),
        'A bearer credential does not authenticate a client here. Use Basic, or client_id and client_secret in the body.',
        true,
      );
}

export function createClientAuthenticator(deps: {
  readonly keyAuthenticator: KeyAuthenticator;
  readonly usage: UsageRecorder;
  readonly keyLimiter: LimitsService;
  readonly audit: AuditService;
}): ClientAuthenticator {
  const prove = async (
    caller: Caller,
    presented: PresentedClient | null,
    route: ClientRoute,
  ): Promise<ProvenKey> => {
    const { clientId, secret, unencoded, isBasic } = requireClient(presented);
    const { workspace, ip, userAgent } = caller;
    const authenticate = async (spelling: Secret): Promise<KeyOutcome> => {
      const credential = fromPair(clientId.trim(), new Secret(spelling.reveal().trim()));
      return await deps.keyAuthenticator.authenticate(
        workspace.id,
        credential.kind === 'pair' ? credential : { fullKey: credential.value },
        ip,
      );
    };
    let outcome = await authenticate(secret);
    if (!('key' in outcome) && unencoded !== undefined) outcome = await authenticate(unencoded);
    const isOther = 'key' in outcome && clientId !== '' && clientId.trim() !== outcome.key.id;
    if (!('key' in outcome) || isOther) {
      throw refuse(
        authErrors.invalid_credential(),
        'The client id is unknown or the client secret is wrong. Check that both were copied whole.',
        isBasic,
      );
    }
    const isHeld = outcome.code === 'valid' && route !== UNLIMITED_ROUTE;
    const over = findOver(isHeld ? await deps.keyLimiter.count(outcome, true) : null);
    deps.usage.record({
      workspaceId: workspace.id,
      keyId: outcome.key.id,
      action: ROUTE_ACTIONS[route],
      outcome: over?.code ?? outcome.code,
      ip,
      userAgent,
    });
    if (over !== null) throw over.error;
    if (outcome.code === 'valid') return outcome;
    const reason = toRefusal(outcome.code);
    throw refuse(reason, `${reason.entry.title}. ${reason.entry.remedy}`, isBasic);
  };

  return {
    require: async (caller, presented, route) => {
      try {
        return await prove(caller, presented, route);
      } catch (error) {
        if (error instanceof AppError && error.cause instanceof AppError)
          deps.audit.countRefusal(caller, error.cause, route);
        throw error;
      }
    },
  };
}
