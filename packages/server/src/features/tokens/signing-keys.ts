import {
  type CryptoKey,
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
} from 'jose';
import { type Caller, systemCaller, type Workspace } from '../../http/index.ts';
import { type Clock, DAY_MS, MINUTE_MS, toIso } from '../../lib/clock.ts';
import {
  inTransaction,
  type Keyring,
  type SigningKeysTable,
  type Storage,
  type Tx,
} from '../../storage/index.ts';
import type { AuditService } from '../audit/index.ts';
import type { SigningAlgorithm, SigningKey, VerificationKey } from './token-text.ts';
import {
  deleteRetiredSigningKeys,
  insertSigningKey,
  listSigningKeys,
  retireSigningKeys,
} from './tokens.repo.ts';

/** A public key as it stands in the JWKS: never a private member. */
export type PublicJwk = JWK & { readonly alg: SigningAlgorithm; readonly use: 'sig'; readonly kid: string };

/** The keys that sign the tokens of each workspace. */
export interface SigningKeys {
  /**
   * The key that signs now. Makes the first one; and when the wanted algorithm is another, or the key has
   * signed for 90 days, publishes a successor, which takes over after 20 minutes.
   */
  findSigner(workspace: Workspace, algorithm: SigningAlgorithm): Promise<SigningKey>;
  /** A key that still verifies, or null. */
  findVerifier(workspaceId: string, kid: string): Promise<VerificationKey | null>;
  /** All that verify now or will soon, for others to fetch. */
  listPublic(workspace: Workspace, algorithm: SigningAlgorithm): Promise<readonly PublicJwk[]>;
  /**
   * Publishes a successor now. It signs after 20 minutes, when every cached JWKS has it; the old key verifies
   * until a day after that, when its last token is gone. Does nothing while a successor is already waiting.
   */
  rotate(caller: Caller, algorithm: SigningAlgorithm): Promise<void>;
  /** Deletes keys that verify nothing any more. */
  sweep(): Promise<void>;
}

interface Deps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly keyring: Keyring;
  readonly audit: AuditService;
}

const ACTIVATION_DELAY_MS = 20 * MINUTE_MS;
const RETIREMENT_DELAY_MS = DAY_MS;
const SIGNING_PERIOD_MS = 90 * DAY_MS;
const CACHE_MS = MINUTE_MS;
/** How often an unknown key id may make us look again: an attacker chooses the ids. */
const MISS_COOLDOWN_MS = 1_000;
const JWT_PUBLIC_MEMBERS = ['kty', 'crv', 'x', 'y', 'n', 'e'] as const;

interface LoadedKey extends VerificationKey {
  readonly row: SigningKeysTable;
  readonly publicJwk: PublicJwk;
}

interface CachedKeys {
  readonly loadedAt: number;
  readonly keys: readonly LoadedKey[];
}

function privatePlace(kid: string): string {
  return `signing_keys/${kid}/private`;
}

async function toCryptoKey(jwk: JWK, algorithm: string): Promise<CryptoKey> {
  const key = await importJWK(jwk, algorithm);
  if (key instanceof Uint8Array) throw new Error('A signing key is asymmetric.');
  return key;
}

function isWaiting(row: SigningKeysTable, algorithm: string, now: number): boolean {
  return row.activates_at > now && row.algorithm === algorithm;
}

class StoredSigningKeys implements SigningKeys {
  readonly #deps: Deps;
  readonly #cache = new Map<string, CachedKeys>();
  readonly #loading = new Map<string, Promise<CachedKeys>>();
  readonly #preparing = new Map<string, Promise<void>>();
  readonly #lastMissAt = new Map<string, number>();
  readonly #signers = new Map<string, SigningKey>();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async findSigner(workspace: Workspace, algorithm: SigningAlgorithm): Promise<SigningKey> {
    const keys = await this.#ensure(workspace, algorithm);
    const now = this.#deps.clock.now();
    const signer = keys.findLast((key) => key.row.activates_at <= now);
    if (signer === undefined)
      throw new Error(`The workspace ${workspace.id} has no signing key that is active.`);
    const known = this.#signers.get(signer.kid);
    if (known !== undefined) return known;
    const jwk = JSON.parse(
      this.#deps.keyring.open(signer.row.sealed_private_jwk, privatePlace(signer.kid)),
    ) as JWK;
    const made = {
      kid: signer.kid,
      algorithm: signer.algorithm,
      privateKey: await toCryptoKey(jwk, signer.algorithm),
    };
    this.#signers.set(signer.kid, made);
    return made;
  }

  async findVerifier(workspaceId: string, kid: string): Promise<VerificationKey | null> {
    const find = (cached: CachedKeys) => cached.keys.find((key) => key.kid === kid);
    let found = find(await this.#load(workspaceId, CACHE_MS));
    const now = this.#deps.clock.now();
    if (
      found === undefined &&
      now - (this.#lastMissAt.get(workspaceId) ?? Number.NEGATIVE_INFINITY) >= MISS_COOLDOWN_MS
    ) {
      this.#lastMissAt.set(workspaceId, now);
      found = find(await this.#load(workspaceId, 0));
    }
    const isRetired = found !== undefined && found.row.retires_at !== null && found.row.retires_at <= now;
    return found === undefined || isRetired ? null : found;
  }

  async listPublic(workspace: Workspace, algorithm: SigningAlgorithm): Promise<readonly PublicJwk[]> {
    // The first key is made here too: a JWKS without keys would be cached by those who fetch it before the
    // first token exists.
    return (await this.#ensure(workspace, algorithm)).map((key) => key.publicJwk);
  }

  async rotate(caller: Caller, algorithm: SigningAlgorithm): Promise<void> {
    const made = await makeKeyPair(algorithm);
    await inTransaction(this.#deps.storage, async (tx) => {
      const now = this.#deps.clock.now();
      const rows = await listSigningKeys(tx, caller.workspace.id, now);
      if (rows.some((row) => isWaiting(row, algorithm, now))) return;
      const activatesAt = rows.length === 0 ? now : now + ACTIVATION_DELAY_MS;
      await retireSigningKeys(tx, caller.workspace.id, activatesAt + RETIREMENT_DELAY_MS);
      await this.#insert(tx, caller, made, activatesAt);
    });
    this.#cache.delete(caller.workspace.id);
  }

  async sweep(): Promise<void> {
    const { storage, clock } = this.#deps;
    await inTransaction(storage, (tx) => deleteRetiredSigningKeys(tx, clock.now() - DAY_MS));
  }

  /** The live keys, after what is due was done: the first key, or a successor. */
  async #ensure(workspace: Workspace, algorithm: SigningAlgorithm): Promise<readonly LoadedKey[]> {
    const { keys } = await this.#load(workspace.id, CACHE_MS);
    const now = this.#deps.clock.now();
    const live = keys.filter((key) => key.row.retires_at === null || key.row.retires_at > now);
    const newest = live.at(-1);
    const isDue =
      newest === undefined ||
      newest.algorithm !== algorithm ||
      newest.row.activates_at + SIGNING_PERIOD_MS <= now;
    if (!isDue) return live;
    await this.#prepareOnce(workspace, () => {
      const caller = systemCaller(workspace, 'signing keys');
      return newest === undefined ? this.#makeFirst(caller, algorithm) : this.rotate(caller, algorithm);
    });
    return (await this.#load(workspace.id, 0)).keys;
  }

  /** Many first logins at once wait for one pair of keys instead of making one each. */
  async #prepareOnce(workspace: Workspace, prepare: () => Promise<void>): Promise<void> {
    const running = this.#preparing.get(workspace.id);
    if (running !== undefined) return await running;
    const started = prepare().finally(() => this.#preparing.delete(workspace.id));
    this.#preparing.set(workspace.id, started);
    await started;
  }

  /** Looks again inside the transaction: two processes that both miss the first key make one, not two. */
  async #makeFirst(caller: Caller, algorithm: SigningAlgorithm): Promise<void> {
    const made = await makeKeyPair(algorithm);
    await inTransaction(this.#deps.storage, async (tx) => {
      const now = this.#deps.clock.now();
      const rows = await listSigningKeys(tx, caller.workspace.id, now);
      if (rows.length === 0) await this.#insert(tx, caller, made, now);
    });
  }

  async #insert(tx: Tx, caller: Caller, made: KeyPair, activatesAt: number): Promise<void> {
    const { keyring, clock, audit } = this.#deps;
    const { kid, alg } = made.publicJwk;
    await insertSigningKey(tx, {
      kid,
      workspace_id: caller.workspace.id,
      algorithm: alg,
      public_jwk: JSON.stringify(made.publicJwk),
      sealed_private_jwk: keyring.seal(JSON.stringify(made.privateJwk), privatePlace(kid)),
      created_at: clock.now(),
      activates_at: activatesAt,
      retires_at: null,
    });
    await audit.record(tx, caller, {
      action: 'signing_key.created',
      target: { kind: 'signing_key', id: kid },
      detail: { algorithm: alg, activatesAt: toIso(activatesAt) },
    });
  }

  /** From memory while that is younger than `ageMax`; several callers at once share one read. */
  async #load(workspaceId: string, ageMax: number): Promise<CachedKeys> {
    const cached = this.#cache.get(workspaceId);
    const age = this.#deps.clock.now() - (cached?.loadedAt ?? 0);
    // A clock that was set back must not keep an old list alive.
    if (cached !== undefined && age >= 0 && age < ageMax) return cached;
    const running = this.#loading.get(workspaceId);
    // A read that began before this call may not know what the caller has just written.
    if (running !== undefined && ageMax > 0) return await running;
    const started = this.#read(workspaceId).finally(() => {
      if (this.#loading.get(workspaceId) === started) this.#loading.delete(workspaceId);
    });
    this.#loading.set(workspaceId, started);
    return await started;
  }

  async #read(workspaceId: string): Promise<CachedKeys> {
    const loadedAt = this.#deps.clock.now();
    const rows = await listSigningKeys(this.#deps.storage.read, workspaceId, loadedAt);
    const known = new Map(this.#cache.get(workspaceId)?.keys.map((key) => [key.kid, key]));
    const keys: LoadedKey[] = [];
    for (const row of rows) {
      const before = known.get(row.kid);
      keys.push(before === undefined ? await toLoadedKey(row) : { ...before, row });
    }
    const cached: CachedKeys = { loadedAt, keys };
    this.#cache.set(workspaceId, cached);
    return cached;
  }
}

async function toLoadedKey(row: SigningKeysTable): Promise<LoadedKey> {
  const algorithm = row.algorithm as SigningAlgorithm;
  const publicJwk = JSON.parse(row.public_jwk) as PublicJwk;
  return { kid: row.kid, algorithm, publicKey: await toCryptoKey(publicJwk, algorithm), row, publicJwk };
}

interface KeyPair {
  readonly publicJwk: PublicJwk;
  readonly privateJwk: JWK;
}

/** A fresh pair. The key id is the RFC 7638 thumbprint, so that one id can never stand for two keys. */
async function makeKeyPair(algorithm: SigningAlgorithm): Promise<KeyPair> {
  const pair = await generateKeyPair(algorithm, { extractable: true });
  const exported = await exportJWK(pair.publicKey);
  const kid = await calculateJwkThumbprint(exported);
  const members = Object.fromEntries(
    JWT_PUBLIC_MEMBERS.flatMap((name) => (exported[name] === undefined ? [] : [[name, exported[name]]])),
  );
  return {
    publicJwk: { ...members, alg: algorithm, use: 'sig', kid },
    privateJwk: await exportJWK(pair.privateKey),
  };
}

/** @see SigningKeys */
export function createSigningKeys(deps: Deps): SigningKeys {
  return new StoredSigningKeys(deps);
}
