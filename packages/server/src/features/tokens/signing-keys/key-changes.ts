import { requestErrors } from '../../../errors/index.ts';
import type { Caller } from '../../../http/index.ts';
import { type Clock, DAY_MS, MINUTE_MS, toIso } from '../../../lib/clock.ts';
import {
  inTransaction,
  type Keyring,
  type SigningKeysTable,
  type Storage,
  type Tx,
} from '../../../storage/index.ts';
import type { AuditService } from '../../audit/index.ts';
import type { SigningAlgorithm } from '../token-text.ts';
import { type KeyPair, makeKeyPair, privatePlace } from './key-pair.ts';
import { signingKeyErrors } from './signing-keys.errors.ts';
import {
  destroySigningKey,
  findSigningKey,
  insertSigningKey,
  listLiveSigningKeys,
  NO_PRIVATE_KEY,
  setSigningKeyTimes,
} from './signing-keys.repo.ts';

export interface KeyChangesDeps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly keyring: Keyring;
  readonly audit: AuditService;
}

/**
 * How long a key is published before it signs. Somebody else's copy of the JWKS may be 5 minutes old when it is
 * handed out by a cache (`max-age=300` of jwks.routes.ts) and is kept for another 10 minutes by usual libraries
 * (`cacheMaxAge` of jose): 15 minutes. The other 5 are for clocks that differ.
 */
export const ACTIVATION_DELAY_MS = 20 * MINUTE_MS;
/**
 * How long a key verifies after its successor has begun to sign. A token lives for 24 hours at most (the bound of
 * the setting `tokenLifetimeSeconds`), counted from before it is signed, so the last one has run out by then: the
 * issuing process compares the same clock with `activates_at` that it writes into `exp`.
 */
export const RETIREMENT_DELAY_MS = DAY_MS;

/**
 * The key that signs at `now`, of live keys in their order. Where none has begun, the first one does: the clock is
 * behind that of the node that made it, or was set back, and refusing to sign would end every login until it is right.
 */
export function findSigningRow(rows: readonly SigningKeysTable[], now: number): SigningKeysTable | undefined {
  return rows.findLast((row) => row.activates_at <= now) ?? rows[0];
}

/** Makes the first key. Looks again inside the transaction: two processes that both miss it make one, not two. */
export async function createFirstKey(
  deps: KeyChangesDeps,
  caller: Caller,
  algorithm: SigningAlgorithm,
): Promise<void> {
  const made = await makeKeyPair(algorithm);
  await inTransaction(deps.storage, async (tx) => {
    const now = deps.clock.now();
    const rows = await listLiveSigningKeys(tx, caller.workspace.id, now);
    if (rows.length === 0) await insertKey(tx, deps, caller, made, now);
  });
}

/**
 * Publishes a successor, which signs after the activation delay, and gives the present key its end.
 *
 * @returns the key id of the successor; null when the last of those that wait has this algorithm already
 */
export async function publishSuccessor(
  deps: KeyChangesDeps,
  caller: Caller,
  algorithm: SigningAlgorithm,
): Promise<string | null> {
  const made = await makeKeyPair(algorithm);
  return await inTransaction(deps.storage, async (tx) => {
    const now = deps.clock.now();
    const rows = await listLiveSigningKeys(tx, caller.workspace.id, now);
    const newest = rows.at(-1);
    if (newest !== undefined && newest.activates_at > now && newest.algorithm === algorithm) return null;
    const row = await insertKey(tx, deps, caller, made, rows.length === 0 ? now : now + ACTIVATION_DELAY_MS);
    await setEnds(tx, [...rows, row], now);
    return row.kid;
  });
}

/**
 * Ends a key and its tokens at once. When it is the one that signs, a waiting successor signs from now on, or a new
 * one that nobody has fetched yet; when it was waiting, the present key signs on.
 *
 * @returns the key id of the one that signs from now on
 * @throws request.not_found, signing_key.already_retired
 */
export async function retireKeyAtOnce(
  deps: KeyChangesDeps,
  caller: Caller,
  kid: string,
  algorithm: SigningAlgorithm,
): Promise<string> {
  const { storage, clock, audit } = deps;
  const made = await makeKeyPair(algorithm);
  return await inTransaction(storage, async (tx) => {
    const now = clock.now();
    const workspaceId = caller.workspace.id;
    const target = await findSigningKey(tx, workspaceId, kid);
    if (target === undefined) throw requestErrors.not_found();
    if (isRetired(target, now)) throw signingKeyErrors.already_retired();
    const rows = await listLiveSigningKeys(tx, workspaceId, now);
    await destroySigningKey(tx, workspaceId, kid, now);
    let rest = rows.filter((row) => row.kid !== kid);
    if (findSigningRow(rows, now)?.kid === kid) {
      const waiting = rest.find((row) => row.activates_at > now);
      const successor = waiting ?? (await insertKey(tx, deps, caller, made, now));
      rest = [...rest.filter((row) => row !== waiting), { ...successor, activates_at: now }].toSorted(
        (one, other) => one.activates_at - other.activates_at,
      );
    }
    await setEnds(tx, rest, now);
    const signer = findSigningRow(rest, now);
    // Stryker disable next-line ConditionalExpression,CallExpression: one is left or was made, which the compiler cannot know
    if (signer === undefined) throw new Error(`The workspace ${workspaceId} would have no signing key.`);
    await audit.record(tx, caller, {
      action: 'signing_key.retired',
      target: { kind: 'signing_key', id: kid },
      detail: { algorithm: target.algorithm, successor: signer.kid },
    });
    return signer.kid;
  });
}

export function isRetired(row: SigningKeysTable, now: number): boolean {
  return row.sealed_private_jwk === NO_PRIVATE_KEY || (row.retires_at !== null && row.retires_at <= now);
}

/** From the present key on, each verifies until a day after its successor begins to sign; the last has no end yet. */
async function setEnds(tx: Tx, rows: readonly SigningKeysTable[], now: number): Promise<void> {
  const signer = findSigningRow(rows, now);
  const ahead = rows.slice(signer === undefined ? 0 : rows.indexOf(signer));
  for (const [index, row] of ahead.entries()) {
    const next = ahead[index + 1];
    await setSigningKeyTimes(tx, {
      kid: row.kid,
      activates_at: row.activates_at,
      retires_at: next === undefined ? null : next.activates_at + RETIREMENT_DELAY_MS,
    });
  }
}

async function insertKey(
  tx: Tx,
  { keyring, clock, audit }: KeyChangesDeps,
  caller: Caller,
  made: KeyPair,
  activatesAt: number,
): Promise<SigningKeysTable> {
  const { kid, alg } = made.publicJwk;
  const row: SigningKeysTable = {
    kid,
    workspace_id: caller.workspace.id,
    algorithm: alg,
    public_jwk: JSON.stringify(made.publicJwk),
    sealed_private_jwk: keyring.seal(JSON.stringify(made.privateJwk), privatePlace(kid)),
    created_at: clock.now(),
    activates_at: activatesAt,
    retires_at: null,
  };
  await insertSigningKey(tx, row);
  await audit.record(tx, caller, {
    action: 'signing_key.created',
    target: { kind: 'signing_key', id: kid },
    detail: { algorithm: alg, activatesAt: toIso(activatesAt) },
  });
  return row;
}
