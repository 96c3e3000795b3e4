import {
  authErrors,
  type Caller,
  type KeyIdentity,
  type TokenPrincipal,
  type Workspace,
} from '../../http/index.ts';
import { randomBase62 } from '../../lib/base62.ts';
import { type Clock, HOUR_MS } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import { Secret } from '../../lib/secret.ts';
import { inTransaction, type Storage } from '../../storage/index.ts';
import type { AuditService } from '../audit/index.ts';
import type { KeyAuthenticator, UsageRecorder } from '../keys/index.ts';
import type { SettingsService } from '../settings/index.ts';
import { buildClaims, permissionsOf, type TokenClaims, withoutRights } from './claims.ts';
import type { ProvenKey } from './key-refusal.ts';
import type { PublicJwk, SigningKeys } from './signing-keys.ts';
import { readToken, signToken } from './token-text.ts';
import { tokenErrors } from './tokens.errors.ts';
import { deleteEndedTokens, insertEndedToken, isTokenEnded } from './tokens.repo.ts';

/** A token that was just made. */
export interface IssuedToken {
  readonly token: Secret;
  readonly claims: TokenClaims;
}

/** What is known of a request before its credential is. */
export interface RequestFacts {
  readonly workspace: Workspace;
  readonly ip: string | null;
  readonly userAgent: string | null;
}

export interface TokensService {
  /**
   * A token for a key whose secret was just proven and that is valid. It ends with its lifetime or with the
   * presented secret, whichever is earlier. `resource` is the audience, one of the setting `tokenResources`;
   * without it the token is for this server.
   *
   * @throws token.resource_not_allowed, auth.key_expired when less than a second of the key is left
   */
  issue(workspace: Workspace, proven: ProvenKey, resource?: string): Promise<IssuedToken>;
  /**
   * Who stands behind a token, for use at this server: signature, claims, not ended, and key and account in the
   * very state in which the token was got.
   *
   * @throws auth.invalid_credential, the same whatever is wrong
   */
  verify(workspace: Workspace, token: Secret, ip: string | null): Promise<TokenPrincipal>;
  /** The same for routes that the auth hook lets everybody into; counts the use of the key. @throws auth.invalid_credential */
  authenticate(token: Secret, facts: RequestFacts): Promise<TokenPrincipal>;
  /** Ends a token. Durable before it returns. @throws auth.invalid_credential also when it has ended before */
  end(caller: Caller, token: Secret): Promise<void>;
  /** The keys with which others check our tokens. */
  listPublicKeys(workspace: Workspace): Promise<readonly PublicJwk[]>;
  /** Publishes a new signing key, which takes over after 20 minutes. */
  rotateSigningKeys(caller: Caller): Promise<void>;
  /** Forgets ended tokens and signing keys whose time is over; for a job that runs now and then. */
  sweep(): Promise<void>;
}

export interface TokensDeps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly random: Random;
  readonly audit: AuditService;
  readonly settings: SettingsService;
  readonly keyAuthenticator: KeyAuthenticator;
  readonly usage: UsageRecorder;
  readonly signingKeys: SigningKeys;
}

/** Longer tokens do not survive every proxy and header limit on their way. */
const TOKEN_CHARACTERS_MAX = 4_096;
const JTI_CHARACTERS = 22;
const SECOND_MS = 1_000;
const SWEEP_ROWS = 500;
const SWEEP_ROUNDS_MAX = 200;

/**
 * The key as this token may use it: token ∩ present rights. The epochs of key and account are those at which
 * the token was got, so nothing was narrowed since and the token's own permissions are all still held. A key
 * may have been *widened* (which ends no tokens): hence its scopes are replaced by those that the token tells.
 * A token that tells none (`introspect`) means the present rights by definition.
 */
function toTokenKey(key: KeyIdentity, claims: TokenClaims): KeyIdentity {
  const own = permissionsOf(claims);
  return key.access === 'scoped' && own !== null ? { ...key, scopes: own } : key;
}

class Tokens implements TokensService {
  readonly #deps: TokensDeps;

  constructor(deps: TokensDeps) {
    this.#deps = deps;
  }

  async issue(workspace: Workspace, proven: ProvenKey, resource?: string): Promise<IssuedToken> {
    const { clock, random, settings: settingsService, signingKeys } = this.#deps;
    const settings = await settingsService.get(workspace.id);
    if (resource !== undefined && resource !== workspace.url && !settings.tokenResources.includes(resource)) {
      throw tokenErrors.resource_not_allowed({
        fields: [{ field: 'resource', message: 'is not in the setting tokenResources' }],
      });
    }
    const claims = buildClaims({
      issuer: workspace.url,
      audience: resource ?? workspace.url,
      workspaceId: workspace.id,
      account: proven.account,
      key: proven.key,
      keyEpoch: proven.keyEpoch,
      jti: randomBase62(random, JTI_CHARACTERS),
      now: clock.now(),
      lifetimeSeconds: settings.tokenLifetimeSeconds,
    });
    if (claims === null) throw authErrors.key_expired();
    const signer = await signingKeys.findSigner(workspace, settings.signingAlgorithm);
    const text = await signToken(claims, signer);
    if (text.length <= TOKEN_CHARACTERS_MAX) return { token: new Secret(text), claims };
    const short = withoutRights(claims);
    return { token: new Secret(await signToken(short, signer)), claims: short };
  }

  async verify(workspace: Workspace, token: Secret, ip: string | null): Promise<TokenPrincipal> {
    const { storage, clock, keyAuthenticator, signingKeys } = this.#deps;
    const claims = await readToken(token.reveal(), {
      issuer: workspace.url,
      workspaceId: workspace.id,
      now: clock.now(),
      findKey: (kid) => signingKeys.findVerifier(workspace.id, kid),
    });
    if (claims === null || (await isTokenEnded(storage.read, workspace.id, claims.jti)))
      throw authErrors.invalid_credential();
    const outcome = await keyAuthenticator.reassess(workspace.id, claims.client_id, claims.kgen, ip);
    const isUnchanged =
      outcome.code === 'valid' &&
      outcome.account.id === claims.sub &&
      outcome.keyEpoch === claims.kepo &&
      outcome.account.epoch === claims.aepo;
    if (!isUnchanged) throw authErrors.invalid_credential();
    return {
      kind: 'token',
      account: outcome.account,
      key: toTokenKey(outcome.key, claims),
      token: { jti: claims.jti, issuedAt: claims.iat * SECOND_MS, expiresAt: claims.exp * SECOND_MS },
    };
  }

  async authenticate(token: Secret, facts: RequestFacts): Promise<TokenPrincipal> {
    const { workspace, ip, userAgent } = facts;
    const principal = await this.verify(workspace, token, ip);
    this.#deps.usage.record({
      workspaceId: workspace.id,
      keyId: principal.key.id,
      outcome: 'valid',
      ip,
      userAgent,
    });
    return principal;
  }

  async end(caller: Caller, token: Secret): Promise<void> {
    const { storage, audit } = this.#deps;
    const principal = await this.verify(caller.workspace, token, caller.ip);
    const isFirst = await inTransaction(storage, async (tx) => {
      const { jti, expiresAt } = principal.token;
      if (!(await insertEndedToken(tx, { workspaceId: caller.workspace.id, jti, expiresAt }))) return false;
      await audit.record(
        tx,
        { ...caller, principal },
        {
          action: 'token.ended',
          target: { kind: 'token', id: jti },
          accountId: principal.account.id,
          keyId: principal.key.id,
        },
      );
      return true;
    });
    if (!isFirst) throw authErrors.invalid_credential();
  }

  async listPublicKeys(workspace: Workspace): Promise<readonly PublicJwk[]> {
    const { signingAlgorithm } = await this.#deps.settings.get(workspace.id);
    return await this.#deps.signingKeys.listPublic(workspace, signingAlgorithm);
  }

  async rotateSigningKeys(caller: Caller): Promise<void> {
    const { signingAlgorithm } = await this.#deps.settings.get(caller.workspace.id);
    await this.#deps.signingKeys.rotate(caller, signingAlgorithm);
  }

  async sweep(): Promise<void> {
    const { storage, clock, signingKeys } = this.#deps;
    // An hour more than needed: a node whose clock is behind still takes the token for alive.
    const before = clock.now() - HOUR_MS;
    for (let round = 0; round < SWEEP_ROUNDS_MAX; round += 1) {
      const deleted = await inTransaction(storage, (tx) => deleteEndedTokens(tx, before, SWEEP_ROWS));
      if (deleted < SWEEP_ROWS) break;
    }
    await signingKeys.sweep();
  }
}

/** @see TokensService */
export function createTokensService(deps: TokensDeps): TokensService {
  return new Tokens(deps);
}
