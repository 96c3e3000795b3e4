import {
  authErrors,
  type Caller,
  type KeyIdentity,
  type TokenPrincipal,
  type Workspace,
} from '../../http/index.ts';
import { type Clock, DAY_MS } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import { Secret } from '../../lib/secret.ts';
import { inTransaction, type Storage } from '../../storage/index.ts';
import type { AuditService } from '../audit/index.ts';
import type { KeyAuthenticator, UsageRecorder } from '../keys/index.ts';
import { type LimitsService, toLimitError } from '../limits/index.ts';
import { effectivePermissions, narrowKey } from '../scopes/index.ts';
import type { Settings, SettingsService } from '../settings/index.ts';
import { type CheckedToken, createCheckedTokens } from './checked-tokens.ts';
import {
  ANCESTORS_MAX,
  buildClaims,
  type ClaimsInput,
  type Delegation,
  lineOf,
  listActors,
  permissionsOf,
  type TokenClaims,
  withoutRights,
  withSignersOfLine,
} from './claims.ts';
import type { ProvenKey } from './key-refusal.ts';
import {
  newTokenId,
  type PreparedToken,
  prepareToken,
  TOKEN_CHARACTERS_MAX,
  type TokenHolder,
  type TokenWish,
  toClaimsInput,
} from './prepared-token.ts';
import type { PublicJwk, SigningKeys } from './signing-keys/index.ts';
import { signToken } from './token-text.ts';
import { tokenErrors } from './tokens.errors.ts';
import { deleteEndedTokens, insertEndedToken, isAnyTokenEnded } from './tokens.repo.ts';

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

/** A token that is good, and who stands behind it. */
export interface KnownToken {
  /** The id of the key that signed it. */
  readonly kid: string;
  readonly claims: TokenClaims;
  readonly principal: TokenPrincipal;
}

export interface TokensService {
  /**
   * A token for a key whose secret was just proven and that is valid. It ends with its lifetime or with the
   * presented secret, whichever is earlier.
   *
   * @throws token.resource_not_allowed, token.too_long for a narrowed one, auth.key_expired when less than a second
   * of the key is left
   */
  issue(workspace: Workspace, proven: ProvenKey, wish?: TokenWish): Promise<IssuedToken>;
  /**
   * The same for tokens that the key will be got again and again, while key, account and settings are the ones that
   * are handed in. What is the same in each of them is made once.
   *
   * @throws token.resource_not_allowed, auth.key_expired
   */
  prepare(workspace: Workspace, settings: Settings, holder: TokenHolder, wish: TokenWish): PreparedToken;
  /**
   * A token in exchange for another one (RFC 8693): never with more rights, never for longer, for another audience
   * only if the first one was for this server, and ended with it. `actor` is who got it, when that is another client:
   * then it ends with his key and account as well.
   *
   * @throws token.resource_not_allowed, token.too_long, token.chain_too_long, auth.invalid_credential when less than
   * a second is left
   */
  derive(
    workspace: Workspace,
    subject: KnownToken,
    wish: TokenWish,
    actor: ProvenKey | null,
  ): Promise<IssuedToken>;
  /**
   * Who stands behind a token, for use at this server: signature, claims, not ended, and key and account in the
   * very state in which the token was got.
   *
   * @throws auth.invalid_credential, the same whatever is wrong
   */
  verify(workspace: Workspace, token: Secret, ip: string | null): Promise<TokenPrincipal>;
  /** The same for a token for this server or for any resource of the setting `tokenResources`. @throws auth.invalid_credential */
  inspect(workspace: Workspace, token: Secret, ip: string | null): Promise<KnownToken>;
  /** The same for routes that the auth hook lets everybody into; counts the use of the key. @throws auth.invalid_credential, limit.* */
  authenticate(token: Secret, facts: RequestFacts): Promise<TokenPrincipal>;
  /** The claims of a token that we signed and that has not run out, whomever it is for and whatever became of it; or null. */
  read(workspace: Workspace, token: Secret): Promise<TokenClaims | null>;
  /** Ends a token. Durable before it returns. @throws auth.invalid_credential also when it has ended before */
  end(caller: Caller, token: Secret): Promise<void>;
  /** Ends a token that `read` has read, and all that were got for it. Durable before it returns; false when it had ended. */
  endRead(caller: Caller, claims: TokenClaims): Promise<boolean>;
  /** The keys with which others check our tokens. */
  listPublicKeys(workspace: Workspace): Promise<readonly PublicJwk[]>;
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
  readonly keyLimiter: LimitsService;
  readonly signingKeys: SigningKeys;
}

const SECOND_MS = 1_000;
/**
 * How much longer than its life it is known that a token was ended. A clock may be days ahead and then be set right:
 * what was thrown away meanwhile would let the token live again.
 */
const ENDED_KEPT_MS = 7 * DAY_MS;
const SWEEP_ROWS = 500;
const SWEEP_ROUNDS_MAX = 200;

/**
 * The key as this token may use it: token ∩ present rights. The epochs of key and account are those at which
 * the token was got, so nothing was narrowed since and the token's own permissions are all still held. A key
 * may have been *widened* (which ends no tokens): hence its scopes are replaced by those that the token tells.
 * A token that was asked for with less than its key may do is judged by what it tells, whatever the access of its
 * key. A token that tells none (`introspect`) means the present rights by definition.
 */
function toTokenKey(key: KeyIdentity, claims: TokenClaims): KeyIdentity {
  const own = permissionsOf(claims);
  if (own === null) return key;
  return claims.narrowed === true || key.access === 'scoped' ? narrowKey(key, own) : key;
}

class Tokens implements TokensService {
  readonly #deps: TokensDeps;
  readonly #checked = createCheckedTokens();

  constructor(deps: TokensDeps) {
    this.#deps = deps;
  }

  async issue(workspace: Workspace, proven: ProvenKey, wish: TokenWish = {}): Promise<IssuedToken> {
    const origin = {
      parent: null,
      delegation: null,
      actorEndsAt: null,
      signersOfLine: [],
      mayHideRights: true,
    };
    const made = await this.#make(workspace, proven, wish, origin);
    if (made === null) throw authErrors.key_expired();
    return made;
  }

  prepare(workspace: Workspace, settings: Settings, holder: TokenHolder, wish: TokenWish): PreparedToken {
    return prepareToken(this.#deps, workspace, settings, holder, wish);
  }

  async derive(
    workspace: Workspace,
    { kid, claims, principal }: KnownToken,
    wish: TokenWish,
    actor: ProvenKey | null,
  ): Promise<IssuedToken> {
    if ((claims.anc?.length ?? 0) >= ANCESTORS_MAX) throw tokenErrors.chain_too_long();
    const resource = wish.resource ?? claims.aud;
    // A token for one service must not become one for another, or for this server, in the hands of that service.
    if (claims.aud !== workspace.url && resource !== claims.aud) {
      throw tokenErrors.resource_not_allowed({
        detail: 'The subject token is for another resource; a token got for it can only be for the same one.',
      });
    }
    const { account, key } = principal;
    const isNarrowed = claims.narrowed === true || wish.permissions !== undefined;
    const inside = effectivePermissions(account, key);
    const made = await this.#make(
      workspace,
      { account, key, keyEpoch: claims.kepo },
      { resource, permissions: isNarrowed ? (wish.permissions ?? inside) : undefined },
      {
        parent: claims,
        delegation: delegate(claims, actor),
        actorEndsAt: actor?.key.expiresAt ?? null,
        signersOfLine: [...(claims.anckid ?? []), kid],
        // A scoped key may have been widened since: without its rights, the token would gain what came later.
        mayHideRights: claims.introspect === true || key.access !== 'scoped',
      },
    );
    if (made === null) throw authErrors.invalid_credential();
    return made;
  }

  /** Null when less than a second of the credential is left. */
  async #make(
    workspace: Workspace,
    holder: TokenHolder,
    wish: TokenWish,
    origin: Pick<ClaimsInput, 'parent' | 'delegation' | 'actorEndsAt'> & {
      readonly signersOfLine: readonly string[];
      readonly mayHideRights: boolean;
    },
  ): Promise<IssuedToken | null> {
    const { clock, random, settings: settingsService, signingKeys } = this.#deps;
    const settings = await settingsService.getKnown(workspace.id);
    const unsigned = buildClaims({
      ...toClaimsInput(workspace, settings, holder, wish),
      parent: origin.parent,
      delegation: origin.delegation,
      actorEndsAt: origin.actorEndsAt,
      jti: newTokenId(random),
      now: clock.now(),
    });
    if (unsigned === null) return null;
    const signer = await signingKeys.findSigner(workspace, settings);
    const claims = withSignersOfLine(unsigned, origin.signersOfLine, signer.kid);
    const text = await signToken(claims, signer);
    if (text.length <= TOKEN_CHARACTERS_MAX) return { token: new Secret(text), claims };
    // Without its rights a token means the present ones: from a narrowed one that would be a wider one.
    if (claims.narrowed === true || !origin.mayHideRights) {
      throw tokenErrors.too_long({
        detail: `The token would have ${text.length} characters; at most ${TOKEN_CHARACTERS_MAX} are allowed. Ask for fewer actions or identifiers.`,
      });
    }
    const short = withoutRights(claims);
    return { token: new Secret(await signToken(short, signer)), claims: short };
  }

  async verify(workspace: Workspace, token: Secret, ip: string | null): Promise<TokenPrincipal> {
    return (await this.#resolve(workspace, token, ip, [workspace.url])).principal;
  }

  async inspect(workspace: Workspace, token: Secret, ip: string | null): Promise<KnownToken> {
    const { tokenResources } = await this.#deps.settings.getKnown(workspace.id);
    return await this.#resolve(workspace, token, ip, [workspace.url, ...tokenResources]);
  }

  async read(workspace: Workspace, token: Secret): Promise<TokenClaims | null> {
    return (await this.#read(workspace, token, null))?.claims ?? null;
  }

  async #read(
    workspace: Workspace,
    token: Secret,
    audiences: readonly string[] | null,
  ): Promise<CheckedToken | null> {
    const { clock, signingKeys } = this.#deps;
    return await this.#checked.read(token.reveal(), {
      issuer: workspace.url,
      audiences,
      workspaceId: workspace.id,
      now: clock.now(),
      findKey: (kid) => signingKeys.findVerifier(workspace.id, kid),
    });
  }

  async #resolve(
    workspace: Workspace,
    token: Secret,
    ip: string | null,
    audiences: readonly string[],
  ): Promise<KnownToken> {
    const checked = await this.#read(workspace, token, audiences);
    if (checked === null || (await this.#hasEnded(workspace.id, checked)))
      throw authErrors.invalid_credential();
    const { kid, claims } = checked;
    const outcome = await this.#findUnchanged(workspace.id, claims, ip);
    if (outcome === null) throw authErrors.invalid_credential();
    // Whoever got the token for somebody else holds it: it must not outlive the trust in his key.
    for (const [index, actor] of listActors(claims.act).entries()) {
      // Stryker disable next-line UnaryOperator, ArrayDeclaration, OptionalChaining: each actor has its state, which only `readClaims` knows
      const [kgen = -1, kepo = -1, aepo = -1] = claims.actst?.[index] ?? [];
      if ((await this.#findUnchanged(workspace.id, { ...actor, kgen, kepo, aepo }, ip)) === null)
        throw authErrors.invalid_credential();
    }
    const principal: TokenPrincipal = {
      kind: 'token',
      account: outcome.account,
      key: toTokenKey(outcome.key, claims),
      token: { jti: claims.jti, issuedAt: claims.iat * SECOND_MS, expiresAt: claims.exp * SECOND_MS },
    };
    return { kid, claims, principal };
  }

  /** The key, when it is good, and key and account are in the state that a token tells of; else null. */
  async #findUnchanged(
    workspaceId: string,
    told: Pick<TokenClaims, 'sub' | 'client_id' | 'kgen' | 'kepo' | 'aepo'>,
    ip: string | null,
  ): Promise<ProvenKey | null> {
    const outcome = await this.#deps.keyAuthenticator.reassess(workspaceId, told.client_id, told.kgen, ip);
    const isUnchanged =
      outcome.code === 'valid' &&
      // Stryker disable next-line ConditionalExpression: a key stays with its account, which its MAC holds
      outcome.account.id === told.sub &&
      outcome.keyEpoch === told.kepo &&
      outcome.account.epoch === told.aepo;
    return isUnchanged ? outcome : null;
  }

  /** Ending a token raises the epoch, so one that had not ended under it has not ended now. */
  async #hasEnded(workspaceId: string, checked: CheckedToken): Promise<boolean> {
    const { epochGuard, read } = this.#deps.storage;
    // Stryker disable next-line LogicalOperator: the same on SQLite; on PostgreSQL the tests of ended tokens notice it
    const epoch = epochGuard.peek(workspaceId) ?? (await epochGuard.read(workspaceId));
    // Stryker disable next-line ConditionalExpression: to look again finds the same, later
    if (checked.lastingUnder === epoch) return false;
    if (await isAnyTokenEnded(read, workspaceId, lineOf(checked.claims))) return true;
    checked.lastingUnder = epoch;
    return false;
  }

  async authenticate(token: Secret, facts: RequestFacts): Promise<TokenPrincipal> {
    const { workspace, ip, userAgent } = facts;
    const principal = await this.verify(workspace, token, ip);
    const held = await this.#deps.keyLimiter.count(principal, true);
    this.#deps.usage.record({
      workspaceId: workspace.id,
      keyId: principal.key.id,
      action: null,
      outcome: held.code === 'within' ? 'valid' : held.code,
      ip,
      userAgent,
    });
    const over = toLimitError(held);
    if (over !== null) throw over;
    return principal;
  }

  async end(caller: Caller, token: Secret): Promise<void> {
    const { claims, principal } = await this.#resolve(caller.workspace, token, caller.ip, [
      caller.workspace.url,
    ]);
    if (!(await this.endRead({ ...caller, principal }, claims))) throw authErrors.invalid_credential();
  }

  async endRead(caller: Caller, claims: TokenClaims): Promise<boolean> {
    const { storage, audit } = this.#deps;
    const { jti, exp, sub, client_id: keyId } = claims;
    const row = { workspaceId: caller.workspace.id, jti, expiresAt: exp * SECOND_MS };
    return await inTransaction(storage, async (tx) => {
      if (!(await insertEndedToken(tx, row))) return false;
      await audit.record(tx, caller, {
        action: 'token.ended',
        target: { kind: 'token', id: jti },
        accountId: sub,
        keyId,
      });
      return true;
    });
  }

  async listPublicKeys(workspace: Workspace): Promise<readonly PublicJwk[]> {
    return await this.#deps.signingKeys.listPublic(workspace, await this.#deps.settings.get(workspace.id));
  }

  async sweep(): Promise<void> {
    const { storage, clock, signingKeys } = this.#deps;
    const before = clock.now() - ENDED_KEPT_MS;
    for (let round = 0; round < SWEEP_ROUNDS_MAX; round += 1) {
      const deleted = await inTransaction(storage, (tx) => deleteEndedTokens(tx, before, SWEEP_ROWS));
      if (deleted < SWEEP_ROWS) break;
    }
    await signingKeys.sweep();
  }
}

/** The same client again is no delegation; what was delegated before stays told (RFC 8693 4.1). */
function delegate(subject: TokenClaims, actor: ProvenKey | null): Delegation | null {
  const { act: before, actst: states = [] } = subject;
  if (actor === null) return before === undefined ? null : { act: before, states };
  const { account, key, keyEpoch } = actor;
  const own = { sub: account.id, client_id: key.id };
  return {
    act: before === undefined ? own : { ...own, act: before },
    states: [[key.generation, keyEpoch, account.epoch], ...states],
  };
}

/** @see TokensService */
export const createTokensService = (deps: TokensDeps): TokensService => new Tokens(deps);
