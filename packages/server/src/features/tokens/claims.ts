import type { AccountIdentity, KeyIdentity } from '../../http/index.ts';
import type { Permission } from '../../lib/permission.ts';

/** RFC 9396: what the token permits, for services that read it offline. */
export interface AuthorizationDetail {
  readonly type: 'keyreeve';
  readonly actions: readonly string[];
  /** Patterns, as in scopes. */
  readonly identifiers: readonly string[];
}

/** RFC 8693 4.1: who got this token in exchange for another's; `act` within is who did so before. */
export interface TokenActor {
  /** The account. */
  readonly sub: string;
  /** The API key. */
  readonly client_id: string;
  readonly act?: TokenActor;
}

/**
 * In which state an actor was when he got the token: the generation of his key, and the epochs of his key and account
 * (docs/decisions/0004-token-epochs.md). Not within `act`, which tells of identities only (RFC 8693 4.1).
 */
export type ActorState = readonly [generation: number, keyEpoch: number, accountEpoch: number];

/** Who gets a token in exchange for another's, those before him within; and all their states, his first. */
export interface Delegation {
  readonly act: TokenActor;
  readonly states: readonly ActorState[];
}

/** The payload of a token. Times are seconds, as RFC 7519 wants them. */
export interface TokenClaims {
  readonly iss: string;
  readonly aud: string;
  /** The account. */
  readonly sub: string;
  readonly iat: number;
  readonly exp: number;
  readonly jti: string;
  /** The API key. */
  readonly client_id: string;
  /** The generation of the key whose secret was presented. */
  readonly kgen: number;
  /** Epochs of key and account when the token was made: see docs/decisions/0004-token-epochs.md. */
  readonly kepo: number;
  readonly aepo: number;
  readonly workspace: string;
  /** Only actions held on everything (`*`); absent when there are none. */
  readonly scope?: string;
  readonly authorization_details?: readonly AuthorizationDetail[];
  /** The rights did not fit: ask the server what the token may do. */
  readonly introspect?: true;
  /** The token was asked for with less than its key may do: what it tells is all it ever permits. */
  readonly narrowed?: true;
  /** The `jti`s of the tokens that it was exchanged for, oldest first: it ends with each of them. */
  readonly anc?: readonly string[];
  /** The ids of the signing keys of those, but for the one that signs this token: it ends with each of them, too. */
  readonly anckid?: readonly string[];
  readonly act?: TokenActor;
  /** Of each actor of `act`, the last one first: the token ends with the key of each. */
  readonly actst?: readonly ActorState[];
}

export interface ClaimsInput {
  readonly issuer: string;
  readonly audience: string;
  readonly workspaceId: string;
  readonly account: AccountIdentity;
  readonly key: KeyIdentity;
  readonly keyEpoch: number;
  /** What the token permits; the caller has checked that the key holds it. */
  readonly permissions: readonly Permission[];
  readonly isNarrowed: boolean;
  /** The token that is exchanged for this one, which must not outlive it. */
  readonly parent: TokenClaims | null;
  readonly delegation: Delegation | null;
  /** When the key of the client that gets the token ends; null for never, and where it is the key of the token. */
  readonly actorEndsAt: number | null;
  readonly jti: string;
  /** Milliseconds. */
  readonly now: number;
  readonly lifetimeSeconds: number;
}

const SECOND_MS = 1000;
/** The longest lifetime that the settings allow: no token of ours lives longer. */
const LIFETIME_SECONDS_MAX = 86_400;
/** How far the clocks of two nodes may differ before a token "from the future" is refused. */
const CLOCK_DIFFERENCE_SECONDS_MAX = 60;
const EVERYTHING = '*';
/** How often a token may be exchanged in a row: each time adds to its length and to what must be looked up. */
export const ANCESTORS_MAX = 8;

/** Actions that share their patterns are told together, which keeps tokens short. */
export function groupByResources(permissions: readonly Permission[]): readonly Permission[] {
  const groups = new Map<string, { readonly actions: Set<string>; readonly resources: readonly string[] }>();
  for (const { actions, resources } of permissions) {
    const name = JSON.stringify(resources);
    const group = groups.get(name) ?? { actions: new Set(), resources };
    for (const action of actions) group.actions.add(action);
    groups.set(name, group);
  }
  return [...groups.values()].map(({ actions, resources }) => ({ actions: [...actions], resources }));
}

/** `scope` as others read it, who know no resources: only actions held on everything; empty when there are none. */
export function toScope(permissions: readonly Permission[]): string {
  const everywhere = permissions.filter((permission) => permission.resources.includes(EVERYTHING));
  return [...new Set(everywhere.flatMap((permission) => permission.actions))].join(' ');
}

export function toDetails(permissions: readonly Permission[]): readonly AuthorizationDetail[] {
  return permissions.map(({ actions, resources }) => ({ type: 'keyreeve', actions, identifiers: resources }));
}

/**
 * When a new token begins and ends, in seconds: at the earlier of its lifetime and the expiry of the secret that was
 * presented, rounded down, so that it never outlives its key, nor that of who gets it for somebody else, nor the token that it was exchanged for; null when
 * less than a second is left.
 */
export function findLife({
  now,
  lifetimeSeconds,
  key,
  actorEndsAt,
  parent,
}: Pick<ClaimsInput, 'now' | 'lifetimeSeconds' | 'key' | 'actorEndsAt' | 'parent'>): {
  iat: number;
  exp: number;
} | null {
  const iat = Math.floor(now / SECOND_MS);
  const ends = [key.expiresAt, actorEndsAt].map((end) =>
    end === null ? Number.POSITIVE_INFINITY : Math.floor(end / SECOND_MS),
  );
  const exp = Math.min(iat + lifetimeSeconds, ...ends, parent?.exp ?? Number.POSITIVE_INFINITY);
  return exp <= iat ? null : { iat, exp };
}

/** The claims of a new token; null when less than a second of it would be left. */
export function buildClaims(input: ClaimsInput): TokenClaims | null {
  const { key, account, parent } = input;
  const life = findLife(input);
  if (life === null) return null;
  const { iat, exp } = life;
  const permissions = groupByResources(input.permissions);
  const scope = toScope(permissions);
  return {
    iss: input.issuer,
    aud: input.audience,
    sub: account.id,
    iat,
    exp,
    jti: input.jti,
    client_id: key.id,
    kgen: key.generation,
    kepo: input.keyEpoch,
    aepo: account.epoch,
    workspace: input.workspaceId,
    ...(scope === '' ? {} : { scope }),
    authorization_details: toDetails(permissions),
    ...(input.isNarrowed ? { narrowed: true } : {}),
    ...(parent === null ? {} : { anc: lineOf(parent) }),
    ...(input.delegation === null ? {} : { act: input.delegation.act, actst: input.delegation.states }),
  };
}

/** The `jti`s with which a token ends: its own, and those of the tokens that it came from. */
export function lineOf(claims: TokenClaims): readonly string[] {
  return [...(claims.anc ?? []), claims.jti];
}

/**
 * The token as this key signs it. Without the keys of its line, whoever has stolen a key could exchange his forgeries
 * for tokens of the next one, and keep those when the stolen one is retired at once.
 */
export function withSignersOfLine(
  claims: TokenClaims,
  signersOfLine: readonly string[],
  signerKid: string,
): TokenClaims {
  const others = [...new Set(signersOfLine)].filter((kid) => kid !== signerKid);
  return others.length === 0 ? claims : { ...claims, anckid: others };
}

/** The same token without its rights, for when they would make it longer than headers and proxies carry. */
export function withoutRights(claims: TokenClaims): TokenClaims {
  const { scope: _scope, authorization_details: _details, ...others } = claims;
  return { ...others, introspect: true };
}

/** The token's own permissions, or null when it does not carry them (`introspect`). */
export function permissionsOf(claims: TokenClaims): readonly Permission[] | null {
  if (claims.authorization_details === undefined) return null;
  return claims.authorization_details.map(({ actions, identifiers }) => ({
    actions,
    resources: identifiers,
  }));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

function isDetail(value: unknown): value is AuthorizationDetail {
  return (
    isRecord(value) &&
    value['type'] === 'keyreeve' &&
    isTexts(value['actions']) &&
    isTexts(value['identifiers'])
  );
}

function isActor(value: unknown, depth = 1): value is TokenActor {
  return (
    isRecord(value) &&
    depth <= ANCESTORS_MAX &&
    typeof value['sub'] === 'string' &&
    typeof value['client_id'] === 'string' &&
    isOptional(value['act'], (before) => isActor(before, depth + 1))
  );
}

/** The actors from the last one to the first. */
export function listActors(act: TokenActor | undefined): TokenActor[] {
  return act === undefined ? [] : [act, ...listActors(act.act)];
}

function isActorState(value: unknown): boolean {
  return Array.isArray(value) && value.length === 3 && value.every(isCount);
}

/** A state for each actor: one without could not be judged. */
function isDelegation(act: unknown, states: unknown): boolean {
  if (act === undefined) return states === undefined;
  if (!isActor(act) || !Array.isArray(states)) return false;
  return states.length === listActors(act).length && states.every(isActorState);
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function isLine(value: unknown): boolean {
  return isTexts(value) && value.length > 0 && value.length <= ANCESTORS_MAX;
}

function isOptional(value: unknown, isRight: (value: unknown) => boolean): boolean {
  return value === undefined || isRight(value);
}

const TEXTS = ['iss', 'aud', 'sub', 'jti', 'client_id', 'workspace'] as const;
const COUNTS = ['iat', 'exp', 'kgen', 'kepo', 'aepo'] as const;

/**
 * The payload as claims, or null when a claim is missing, has another type than the one that we issue, or
 * tells of a life that we never give. JSON has texts, fractions and 1e400 where a number of seconds is due.
 */
export function readClaims(payload: unknown, now: number): TokenClaims | null {
  if (!isRecord(payload)) return null;
  if (!TEXTS.every((name) => typeof payload[name] === 'string' && payload[name] !== '')) return null;
  if (!COUNTS.every((name) => isCount(payload[name]))) return null;
  const isRightsTold = Array.isArray(payload['authorization_details']);
  const isWellTyped =
    isOptional(payload['scope'], (value) => typeof value === 'string') &&
    isOptional(payload['authorization_details'], (value) => Array.isArray(value) && value.every(isDetail)) &&
    isOptional(payload['introspect'], (value) => value === true) &&
    isOptional(payload['narrowed'], (value) => value === true && isRightsTold) &&
    isOptional(payload['anc'], isLine) &&
    isOptional(payload['anckid'], isLine) &&
    isDelegation(payload['act'], payload['actst']) &&
    // Exactly one of the two: a token that tells nothing must not be taken for one that permits everything.
    isRightsTold !== (payload['introspect'] === true);
  if (!isWellTyped) return null;
  const claims = payload as unknown as TokenClaims;
  const isOfOurLife = claims.exp > claims.iat && claims.exp - claims.iat <= LIFETIME_SECONDS_MAX;
  return isOfOurLife && isWithinLife(claims, now) ? claims : null;
}

/** The token has begun, as far as clocks agree, and has not run out. */
export function isWithinLife({ iat, exp }: Pick<TokenClaims, 'iat' | 'exp'>, now: number): boolean {
  const seconds = Math.floor(now / SECOND_MS);
  return iat <= seconds + CLOCK_DIFFERENCE_SECONDS_MAX && seconds < exp;
}
