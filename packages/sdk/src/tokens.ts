import { compactVerify, errors } from 'jose';
import { type Credential, toHeader } from './credential.ts';
import { fetchDocument, IssuerKeys } from './issuer-keys.ts';
import { readAddress, readTimeout } from './options.ts';
import { isPermittedBy } from './permissions.ts';
import { TokenRefusedError } from './token-refused.ts';
import {
  readClaims,
  readDetails,
  readScope,
  readSignersOfLine,
  splitToken,
  type TokenClaims,
} from './token-text.ts';

export type { TokenPermission } from './permissions.ts';
export { type TokenRefusal, TokenRefusedError } from './token-refused.ts';
export type { TokenClaims } from './token-text.ts';

const TIMEOUT_MS = 5_000;
const TOLERANCE_SECONDS = 30;
const TOLERANCE_SECONDS_MAX = 300;

export interface TokenVerifierOptions {
  /** Address of the workspace, for instance `https://keys.example.com`: the `iss` of its tokens, letter by letter. */
  readonly issuer: string;
  /**
   * What the tokens must be for. By default the workspace itself, as tokens are when no `resource` was asked for; a
   * service that has an address of its own among the workspace's `tokenResources` names that.
   */
  readonly audience?: string;
  /** By how much the clocks of this machine and the server may differ: 0 to 300 seconds, 30 by default. */
  readonly clockToleranceSeconds?: number;
  /** Milliseconds for each fetch of metadata or keys, 5,000 by default. */
  readonly timeoutMs?: number;
  /** Instead of the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch;
  /** Who asks the server in {@link TokenVerifier.introspect}; not needed for anything else. */
  readonly credential?: Credential;
}

export interface TokenVerifier {
  /**
   * Checks a token on this machine, by the keys that the issuer publishes: signature, type, issuer, audience, times and
   * form (RFC 9068 4, RFC 8725). What was revoked since is not known here: a token ends at `expiresAt`.
   *
   * When `introspect` of the claims is true, the rights did not fit into the token: ask {@link introspect}.
   *
   * @throws TokenRefusedError when it is not good; `reason` says why
   * @throws KeyreeveTransportError when the keys of the issuer cannot be had: then refuse, and say that it was not checked
   */
  verify(token: string): Promise<TokenClaims>;
  /**
   * Asks the server about a token (RFC 7662): also whether it, its key or its account was revoked, and what it permits
   * now. Needs `credential`. The token is checked on this machine first, so that nobody makes the server work for nothing.
   *
   * @throws TokenRefusedError when it is not good; `inactive` when only the server knows why
   * @throws KeyreeveError when the server does not accept `credential`
   * @throws KeyreeveTransportError when no answer comes
   * @throws TypeError without `credential`
   */
  introspect(token: string): Promise<TokenClaims>;
}

function toRefusal(error: unknown): unknown {
  if (error instanceof errors.JWSSignatureVerificationFailed) return new TokenRefusedError('wrong_signature');
  return error instanceof errors.JOSEError ? new TokenRefusedError('malformed') : error;
}

function readTolerance(seconds: number): number {
  if (Number.isInteger(seconds) && seconds >= 0 && seconds <= TOLERANCE_SECONDS_MAX) return seconds;
  throw new TypeError(`clockToleranceSeconds must be a whole number from 0 to ${TOLERANCE_SECONDS_MAX}.`);
}

/**
 * Verifies access tokens of one workspace without asking the server about each: it fetches the metadata (RFC 8414)
 * and keys (RFC 7517) of the issuer when the first token comes, and again every five minutes. While the issuer is
 * away the last keys serve for fifteen minutes at most. ES256, EdDSA and RS256; never an algorithm, key or address
 * that only the token names. Make one and share it.
 *
 * @throws TypeError when an option cannot be used; the message names it and repeats no value
 */
export function createTokenVerifier(options: TokenVerifierOptions): TokenVerifier {
  const issuer = readAddress('issuer', options.issuer);
  const audience = options.audience ?? issuer;
  const toleranceSeconds = readTolerance(options.clockToleranceSeconds ?? TOLERANCE_SECONDS);
  const timeoutMs = readTimeout(options.timeoutMs ?? TIMEOUT_MS);
  const fetch = options.fetch ?? globalThis.fetch;
  const header = options.credential === undefined ? null : toHeader(options.credential);
  const keys = new IssuerKeys({ issuer, timeoutMs, fetch });

  const verify = async (token: string): Promise<TokenClaims> => {
    const { kid, algorithm, payload } = splitToken(token);
    const key = await keys.find(kid, algorithm);
    if (key === null) throw new TokenRefusedError('unknown_key');
    try {
      await compactVerify(token, key, { algorithms: [algorithm] });
    } catch (error) {
      throw toRefusal(error);
    }
    const claims = readClaims(payload, { issuer, audience, toleranceSeconds, now: Date.now() });
    // They are published for longer than their tokens live: one that is gone was retired at once, and its tokens with it.
    for (const signer of readSignersOfLine(payload))
      if (!(await keys.has(signer))) throw new TokenRefusedError('unknown_key');
    return claims;
  };

  const introspect = async (token: string): Promise<TokenClaims> => {
    if (header === null) throw new TypeError('credential is needed to ask the server about tokens.');
    const claims = await verify(token);
    const url = await keys.endpoint('introspection_endpoint');
    const answer = await fetchDocument(
      url,
      { timeoutMs, fetch },
      { method: 'POST', headers: Object.fromEntries([header]), body: new URLSearchParams({ token }) },
    );
    return withRights(claims, answer);
  };
  return Object.freeze({ verify, introspect });
}

/** The claims with the rights of the answer. Its word on anything else than the token that was sent counts for nothing. */
function withRights(claims: TokenClaims, answer: Readonly<Record<string, unknown>>): TokenClaims {
  const scope = readScope(answer['scope']);
  const isSame = answer['sub'] === undefined || answer['sub'] === claims.sub;
  if (answer['active'] !== true || !isSame || scope === null) throw new TokenRefusedError('inactive');
  const details = answer['authorization_details'];
  const permissions = details === undefined ? [{ actions: scope, resources: ['*'] }] : readDetails(details);
  if (permissions === null) throw new TokenRefusedError('inactive');
  return { ...claims, scope, permissions, introspect: false };
}

/**
 * Do the claims permit the action on the resource? By the rules of the server: `*` in a pattern stands for any run of
 * characters, ASCII case does not count for `package:` actions, action and resource must be in the same permission.
 * Always false while `introspect` is true, since nobody here knows.
 *
 * @param action `service:verb` or `service:resource:verb`
 * @param resource without one: on everything (`*`)
 * @throws TypeError when `action` is not one
 */
export function isPermitted(
  claims: Pick<TokenClaims, 'permissions'>,
  action: string,
  resource?: string,
): boolean {
  return isPermittedBy(claims.permissions ?? [], action, resource);
}
