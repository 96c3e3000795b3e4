import { type ClientOptions, createClient } from './client.ts';
import type { Credential } from './credential.ts';
import { KeyreeveError, KeyreeveTransportError } from './errors.ts';
import { createKeyVerifier, type KeyCacheOptions, type KeyVerifier } from './key-verifier.ts';
import { readAddress } from './options.ts';
import { isAction, isResource } from './permissions.ts';
import { isIpAddress, isToken, type Presented, type ReadHeader, readPresented } from './presented.ts';
import { buildRefusal, type Refusal, type RefusalName } from './refusals.ts';
import {
  createTokenVerifier,
  isPermitted,
  type TokenClaims,
  TokenRefusedError,
  type TokenVerifier,
} from './tokens.ts';
import type { VerifyAnswer } from './verify-key.ts';

/** `Call` is what the framework hands to a handler, and with it to the functions of options and rules. */
export interface GuardOptions<Call extends readonly unknown[]> extends Pick<ClientOptions, 'fetch'> {
  /** Address of the workspace, for instance `https://keys.example.com`; the issuer of its tokens. */
  readonly baseUrl: string;
  /** Who this service is when it asks about keys: a key whose scopes contain `iam:keys:verify`. */
  readonly credential: Credential;
  /** Milliseconds for one question to the server, 5,000 by default; then the request is answered with 503. */
  readonly timeoutMs?: number;
  /**
   * Answers about keys are kept while nothing was revoked; `{}` by default. With null the server is asked about each
   * request.
   */
  readonly cache?: KeyCacheOptions | null;
  /** Instead of one made from these options, for instance to share its cache with other parts of the program. */
  readonly keyVerifier?: KeyVerifier;
  /** What tokens must be for; by default the workspace. See `TokenVerifierOptions`. */
  readonly audience?: string;
  /** 0 to 300 seconds, 30 by default. */
  readonly clockToleranceSeconds?: number;
  /**
   * `offline` (default): tokens are checked on this machine and end at their `exp`, whatever was revoked since; the
   * server is asked only about those that cannot tell their rights. `introspect`: the server is asked about each.
   */
  readonly tokens?: 'offline' | 'introspect';
  /**
   * Address of the client, for keys with an IP allow list, which are refused without it; a text that is no address
   * is none. Nothing is read from `X-Forwarded-For` unless this function does, and it should only where a proxy of
   * yours sets that header.
   */
  readonly clientIp?: (...call: Call) => string | null | undefined;
  /** Told when a request was answered with 503, since whoever sent it is not told why. Holds no credential. */
  readonly onUnavailable?: (error: Error) => void;
}

/** What a route demands. */
export interface GuardRule<Call extends readonly unknown[]> {
  /** `service:verb` or `service:resource:verb`; null when it is enough to be somebody. */
  readonly action: string | null | ((...call: Call) => string | null | Promise<string | null>);
  /**
   * To what the action is done; without it, the action must be held on everything (`*`). A function that gives
   * undefined, as frameworks do for a parameter that the path does not have, is an error of the program.
   */
  readonly resource?: string | ((...call: Call) => string | undefined | Promise<string | undefined>);
  /** Lets requests without any credential pass, with null for the identity; a bad credential is still refused. */
  readonly allowAnonymous?: boolean;
}

/** Who calls: the holder of a key. */
export interface KeyIdentity {
  readonly kind: 'key';
  /** The API key. */
  readonly keyId: string;
  readonly accountId: string;
  readonly account: NonNullable<VerifyAnswer['account']>;
  readonly access: VerifyAnswer['access'];
  readonly scopes: VerifyAnswer['scopes'];
  /** ISO 8601, UTC; null for keys that never expire, which are imported. */
  readonly expiresAt: string | null;
}

/** Who calls: the holder of a token that was got for a key. */
export interface TokenIdentity {
  readonly kind: 'token';
  /** The API key. */
  readonly keyId: string;
  readonly accountId: string;
  readonly claims: TokenClaims;
  /** ISO 8601, UTC. */
  readonly expiresAt: string;
}

export type Identity = KeyIdentity | TokenIdentity;

/** What is read of a request before its body. */
export interface RequestView {
  readonly readHeader: ReadHeader;
}

export type Verdict = { readonly identity: Identity | null } | { readonly refusal: Refusal };

/** The part that the middlewares of all frameworks share. */
export interface Guard<Call extends readonly unknown[]> {
  /**
   * May this request pass?
   *
   * @throws Error when the server does not accept the credential of this service, or the question it asks: a fault
   * of its operator, which its clients are told as 500 by the framework; what the functions of the rule throw
   */
  check(rule: GuardRule<Call>, view: RequestView, call: Call): Promise<Verdict>;
  /** Ends what the guard runs in the background; not a key verifier that was handed to it. */
  close(): Promise<void>;
}

/** Options, or a function that is called at the first request: for programs that are built where no secrets are. */
export type GuardSource<Call extends readonly unknown[]> = GuardOptions<Call> | (() => GuardOptions<Call>);

interface Parts<Call extends readonly unknown[]> {
  readonly options: GuardOptions<Call>;
  readonly baseUrl: string;
  readonly keyVerifier: KeyVerifier;
  readonly tokenVerifier: TokenVerifier;
}

const TIMEOUT_MS = 5_000;

function buildParts<Call extends readonly unknown[]>(options: GuardOptions<Call>): Parts<Call> {
  const { credential, timeoutMs = TIMEOUT_MS, cache = {}, audience, clockToleranceSeconds } = options;
  const baseUrl = readAddress('baseUrl', options.baseUrl);
  const shared = { credential, timeoutMs, ...(options.fetch === undefined ? {} : { fetch: options.fetch }) };
  const client = createClient({ baseUrl, ...shared });
  return {
    options,
    baseUrl,
    keyVerifier: options.keyVerifier ?? createKeyVerifier({ client, ...(cache === null ? {} : { cache }) }),
    tokenVerifier: createTokenVerifier({
      issuer: baseUrl,
      ...shared,
      ...(audience === undefined ? {} : { audience }),
      ...(clockToleranceSeconds === undefined ? {} : { clockToleranceSeconds }),
    }),
  };
}

function requireAction(action: unknown): string | null {
  if (action === null || (typeof action === 'string' && isAction(action))) return action;
  throw new TypeError(
    'action must be null or look like service:verb or service:resource:verb, in lower case, at most 64 characters.',
  );
}

/** A value that is missing, for instance a parameter that was mistyped, must not be taken for "on everything". */
function requireText(resource: unknown): string {
  if (typeof resource === 'string') return resource;
  throw new TypeError('resource must be a text.');
}

/**
 * Finds what can be found wrong with a rule before the first request comes.
 *
 * @throws TypeError
 */
export function checkRule<Call extends readonly unknown[]>(rule: GuardRule<Call>): void {
  if (typeof rule.action !== 'function') requireAction(rule.action);
  if (rule.resource !== undefined && typeof rule.resource !== 'function') requireText(rule.resource);
}

interface Question {
  readonly action: string | null;
  readonly resource: string | undefined;
}

async function readQuestion<Call extends readonly unknown[]>(
  { action, resource }: GuardRule<Call>,
  call: Call,
): Promise<Question> {
  return {
    action: requireAction(typeof action === 'function' ? await action(...call) : action),
    resource:
      resource === undefined
        ? undefined
        : requireText(typeof resource === 'function' ? await resource(...call) : resource),
  };
}

const KEY_REFUSALS: ReadonlyMap<VerifyAnswer['code'], RefusalName> = new Map([
  ['expired', 'key_expired'],
  ['disabled', 'key_disabled'],
  ['account_disabled', 'account_disabled'],
  ['insufficient_scope', 'insufficient_scope'],
  ['ip_not_allowed', 'ip_not_allowed'],
  ['rate_limited', 'rate_limited'],
  ['quota_exceeded', 'quota_exceeded'],
]);

/** What the server would refuse as a malformed question: no key looks so, and none of our callers may cause that. */
const KEY_TEXT = /^[\x20-\x7e]{1,1024}$/;

function toKeyQuestion(presented: Presented): { key: string } | { apiKey: string; secretKey: string } | null {
  if (presented.kind === 'bearer') return KEY_TEXT.test(presented.value) ? { key: presented.value } : null;
  const { apiKey, secretKey } = presented;
  return KEY_TEXT.test(apiKey) && apiKey.length <= 256 ? { apiKey, secretKey } : null;
}

type Outcome =
  | { readonly identity: Identity }
  | { readonly refused: RefusalName; readonly retryAfterSeconds?: number | null };

async function checkKey<Call extends readonly unknown[]>(
  parts: Parts<Call>,
  presented: Presented,
  { action, resource }: Question,
  call: Call,
): Promise<Outcome> {
  const key = toKeyQuestion(presented);
  if (key === null) return { refused: 'invalid_credential' };
  // Behind a proxy that is believed, this can be whatever a client has written. What is no address is none: the server
  // would refuse the whole question, and the client would pass for a fault of this service.
  const ip = parts.options.clientIp?.(...call) ?? '';
  // Nothing is held on what is no resource; who it is that asks must be known all the same.
  const isAskable = action !== null && (resource === undefined || isResource(resource));
  const answer = await parts.keyVerifier.verify({
    ...key,
    ...(isAskable ? { action } : {}),
    ...(isAskable && resource !== undefined ? { resource } : {}),
    ...(isIpAddress(ip) ? { ip } : {}),
  });
  if (!answer.valid) {
    const refused = KEY_REFUSALS.get(answer.code) ?? 'invalid_credential';
    return { refused, retryAfterSeconds: answer.limits?.retryAfterSeconds ?? null };
  }
  const { keyId, account, access, scopes, expiresAt } = answer;
  if (keyId === null || account === null)
    throw new KeyreeveTransportError('client.malformed_answer', 'The server did not say whose key it is.');
  if (action !== null && !isAskable) return { refused: 'insufficient_scope' };
  return { identity: { kind: 'key', keyId, accountId: account.id, account, access, scopes, expiresAt } };
}

async function checkToken<Call extends readonly unknown[]>(
  { tokenVerifier, options }: Parts<Call>,
  token: string,
  { action, resource }: Question,
): Promise<Outcome> {
  let claims: TokenClaims;
  try {
    const isAsked = options.tokens === 'introspect';
    claims = isAsked ? await tokenVerifier.introspect(token) : await tokenVerifier.verify(token);
    if (claims.introspect) claims = await tokenVerifier.introspect(token);
  } catch (error) {
    if (error instanceof TokenRefusedError) return { refused: 'invalid_credential' };
    throw error;
  }
  if (action !== null && !isPermitted(claims, action, resource)) return { refused: 'insufficient_scope' };
  const { clientId, sub, expiresAt } = claims;
  return { identity: { kind: 'token', keyId: clientId, accountId: sub, claims, expiresAt } };
}

/**
 * Seconds to wait when the server cannot answer now.
 *
 * @throws Error for a server that answers, but not to us. Its status is kept in `cause` only: frameworks would pass it
 * on to clients, who are not at fault.
 */
function readOutage(error: unknown): number | null {
  if (error instanceof KeyreeveTransportError) return null;
  if (!(error instanceof KeyreeveError)) throw error;
  if (error.status >= 500 || error.status === 429) return error.retryAfterSeconds;
  throw new Error(`The Keyreeve server does not answer this service: ${error.code}.`, { cause: error });
}

/**
 * Makes the part that the middlewares of all frameworks share.
 *
 * @throws TypeError when an option cannot be used; the message names it and repeats no value
 */
export function createGuard<Call extends readonly unknown[]>(source: GuardSource<Call>): Guard<Call> {
  let parts: Parts<Call> | null = typeof source === 'function' ? null : buildParts(source);
  const open = () => (parts ??= buildParts(typeof source === 'function' ? source() : source));
  return {
    check: async (rule, view, call) => {
      const { baseUrl, options } = open();
      const isBrowser = view.readHeader('sec-fetch-site').length > 0;
      const refuse = (
        name: RefusalName,
        more: { action?: string | null; retryAfterSeconds?: number | null } = {},
      ) => ({
        refusal: buildRefusal(name, { baseUrl, isBrowser, ...more }),
      });
      const presented = readPresented(view.readHeader);
      if (presented === null) return rule.allowAnonymous === true ? { identity: null } : refuse('required');
      if (typeof presented === 'string') return refuse(presented);
      const question = await readQuestion(rule, call);
      try {
        const outcome =
          presented.kind === 'bearer' && isToken(presented.value)
            ? await checkToken(open(), presented.value, question)
            : await checkKey(open(), presented, question, call);
        if ('identity' in outcome) return outcome;
        const isScope = outcome.refused === 'insufficient_scope';
        return refuse(outcome.refused, {
          retryAfterSeconds: outcome.retryAfterSeconds ?? null,
          ...(isScope ? { action: question.action } : {}),
        });
      } catch (error) {
        const retryAfterSeconds = readOutage(error);
        options.onUnavailable?.(error as Error);
        return refuse('unavailable', { retryAfterSeconds });
      }
    },
    close: async () => {
      if (parts !== null && parts.options.keyVerifier === undefined) await parts.keyVerifier.close();
    },
  };
}
