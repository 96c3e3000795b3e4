import { createPrivateKey, type JsonWebKey } from 'node:crypto';
import { type Caller, systemCaller, type Workspace } from '../../../http/index.ts';
import { DAY_MS, HOUR_MS } from '../../../lib/clock.ts';
import { inTransaction, type SigningKeysTable } from '../../../storage/index.ts';
import {
  createSigningKey,
  type SigningAlgorithm,
  type SigningKey,
  type VerificationKey,
} from '../token-text.ts';
import {
  createFirstKey,
  findSigningRow,
  isRetired,
  type KeyChangesDeps,
  publishSuccessor,
  retireKeyAtOnce,
} from './key-changes.ts';
import { type PublicJwk, privatePlace, toCryptoKey } from './key-pair.ts';
import { listLiveSigningKeys, sweepSigningKeys } from './signing-keys.repo.ts';

/** What the settings of a workspace say of its signing keys. */
export interface SigningPolicy {
  readonly signingAlgorithm: SigningAlgorithm;
  /** A key signs for so many days, then publishes its successor. */
  readonly signingKeyDays: number;
}

/** The keys that sign the tokens of each workspace. */
export interface SigningKeys {
  /**
   * The key that signs now. Makes the first one; and when the wanted algorithm is another, or the key has signed
   * for its days, publishes a successor, which takes over after 20 minutes.
   */
  findSigner(workspace: Workspace, policy: SigningPolicy): Promise<SigningKey>;
  /**
   * The same without waiting, from memory. Null when the keys must be read or made first, and always on PostgreSQL,
   * where whoever signs reads them: ask `findSigner`.
   */
  peekSigner(workspace: Workspace, policy: SigningPolicy): SigningKey | null;
  /**
   * A key that verifies, or null. What another process has retired at once is refused here with its commit on
   * SQLite, within a second on PostgreSQL.
   */
  findVerifier(workspaceId: string, kid: string): Promise<VerificationKey | null>;
  /** All that verify now or will soon, for others to fetch. */
  listPublic(workspace: Workspace, policy: SigningPolicy): Promise<readonly PublicJwk[]>;
  /**
   * Publishes a successor now. It signs after 20 minutes, when every cached JWKS has it; the old key verifies
   * until a day after that, when its last token is gone. Null while a successor is already waiting.
   */
  rotate(caller: Caller, algorithm: SigningAlgorithm): Promise<string | null>;
  /** Ends a key and its tokens; returns the id of the one that signs now. @see retireKeyAtOnce */
  retireAtOnce(caller: Caller, kid: string, algorithm: SigningAlgorithm): Promise<string>;
  /** Destroys the private halves of keys that verify nothing any more, and forgets those that ended 30 days ago. */
  sweep(): Promise<void>;
}

/** Where commits are not counted (PostgreSQL): how old the list of keys may be. Half of what rule 13 allows. */
const LIST_AGE_MS_MAX = 1_000;
const FORGET_AFTER_MS = 30 * DAY_MS;

interface LoadedKey extends VerificationKey {
  readonly row: SigningKeysTable;
  readonly publicJwk: PublicJwk;
  /** Opened when it first signs; gone from memory with the key. */
  signer: SigningKey | null;
}

interface LoadedKeys {
  /** Of the monotonic clock: a clock that is set back must not keep an old list alive. */
  readonly startedAt: number;
  /** The change counter of the database before the read; null where there is none. */
  readonly version: number | null;
  readonly keys: readonly LoadedKey[];
}

class StoredSigningKeys implements SigningKeys {
  readonly #deps: KeyChangesDeps;
  readonly #loaded = new Map<string, LoadedKeys>();
  readonly #loading = new Map<string, Promise<LoadedKeys>>();
  readonly #preparing = new Map<string, Promise<void>>();
  readonly #missedAt = new Map<string, number>();
  #changes = 0;

  constructor(deps: KeyChangesDeps) {
    this.#deps = deps;
  }

  async findSigner(workspace: Workspace, policy: SigningPolicy): Promise<SigningKey> {
    const found = this.#pickSigner(await this.#ensure(workspace, policy));
    if (found === null) throw new Error(`The workspace ${workspace.id} has no signing key that is active.`);
    return found;
  }

  peekSigner(workspace: Workspace, policy: SigningPolicy): SigningKey | null {
    const version = this.#deps.storage.changeCounter?.() ?? null;
    const loaded = this.#loaded.get(workspace.id);
    if (version === null || loaded === undefined || loaded.version !== version) return null;
    const now = this.#deps.clock.now();
    const live = listUnretired(loaded.keys, now);
    return isSuccessorDue(live, policy, now) ? null : this.#pickSigner(live);
  }

  #pickSigner(live: readonly LoadedKey[]): SigningKey | null {
    const row = findSigningRow(
      live.map((key) => key.row),
      this.#deps.clock.now(),
    );
    const found = live.find((key) => key.row === row);
    if (found === undefined) return null;
    found.signer ??= this.#openSigner(found);
    return found.signer;
  }

  #openSigner({ kid, algorithm, row }: LoadedKey): SigningKey {
    const jwk = JSON.parse(this.#deps.keyring.open(row.sealed_private_jwk, privatePlace(kid))) as JsonWebKey;
    return createSigningKey(kid, algorithm, createPrivateKey({ key: jwk, format: 'jwk' }));
  }

  async findVerifier(workspaceId: string, kid: string): Promise<VerificationKey | null> {
    const find = ({ keys }: LoadedKeys) => keys.find((key) => key.kid === kid);
    let found = find(await this.#load(workspaceId, LIST_AGE_MS_MAX));
    if (found === undefined && this.#mayLookAgain(workspaceId))
      found = find(await this.#load(workspaceId, 0));
    return found === undefined || isRetired(found.row, this.#deps.clock.now()) ? null : found;
  }

  async listPublic(workspace: Workspace, policy: SigningPolicy): Promise<readonly PublicJwk[]> {
    // The first key is made here too: a JWKS without keys would be cached by those who fetch it before the
    // first token exists.
    return (await this.#ensure(workspace, policy)).map((key) => key.publicJwk);
  }

  async rotate(caller: Caller, algorithm: SigningAlgorithm): Promise<string | null> {
    const kid = await publishSuccessor(this.#deps, caller, algorithm);
    this.#drop(caller.workspace.id);
    return kid;
  }

  async retireAtOnce(caller: Caller, kid: string, algorithm: SigningAlgorithm): Promise<string> {
    const signer = await retireKeyAtOnce(this.#deps, caller, kid, algorithm);
    this.#drop(caller.workspace.id);
    return signer;
  }

  async sweep(): Promise<void> {
    const { storage, clock } = this.#deps;
    const now = clock.now();
    // An hour more than needed: a node whose clock is behind still takes the last tokens for alive.
    await inTransaction(storage, (tx) => sweepSigningKeys(tx, now - HOUR_MS, now - FORGET_AFTER_MS));
  }

  /** After a commit of our own: also a read that began before it must not bring the old list back. */
  #drop(workspaceId: string): void {
    this.#changes += 1;
    this.#loaded.delete(workspaceId);
    this.#loading.delete(workspaceId);
  }

  /** The live keys, after what is due was done: the first key, or a successor. */
  async #ensure(workspace: Workspace, policy: SigningPolicy): Promise<readonly LoadedKey[]> {
    const { signingAlgorithm: algorithm } = policy;
    const now = this.#deps.clock.now();
    // Whoever signs looks at the list as it is: a token by a key that another node has just retired would be refused.
    const live = listUnretired((await this.#load(workspace.id, 0)).keys, now);
    if (!isSuccessorDue(live, policy, now)) return live;
    await this.#prepareOnce(workspace, async () => {
      const caller = systemCaller(workspace, 'signing keys');
      await (live.length === 0
        ? createFirstKey(this.#deps, caller, algorithm)
        : publishSuccessor(this.#deps, caller, algorithm));
      this.#drop(workspace.id);
    });
    const { keys } = await this.#load(workspace.id, 0);
    return listUnretired(keys, now);
  }

  /** Many first logins at once wait for one pair of keys instead of making one each. */
  async #prepareOnce(workspace: Workspace, prepare: () => Promise<void>): Promise<void> {
    const running = this.#preparing.get(workspace.id);
    if (running !== undefined) return await running;
    const started = prepare().finally(() => this.#preparing.delete(workspace.id));
    this.#preparing.set(workspace.id, started);
    await started;
  }

  /**
   * An unknown id may be that of a key another node has made since the list was read; but an attacker chooses the
   * ids, so it is worth one read a second. Where commits are counted, the list is never behind.
   */
  #mayLookAgain(workspaceId: string): boolean {
    if (this.#deps.storage.changeCounter !== null) return false;
    const now = performance.now();
    const isAllowed = now - (this.#missedAt.get(workspaceId) ?? Number.NEGATIVE_INFINITY) >= LIST_AGE_MS_MAX;
    if (isAllowed) this.#missedAt.set(workspaceId, now);
    return isAllowed;
  }

  /**
   * From memory while nothing was committed since, or, where that cannot be known, while it is younger than `ageMs`.
   * Several callers at once share one read.
   */
  async #load(workspaceId: string, ageMs: number): Promise<LoadedKeys> {
    const version = this.#deps.storage.changeCounter?.() ?? null;
    const loaded = this.#loaded.get(workspaceId);
    if (loaded !== undefined) {
      const isFresh =
        version === null ? performance.now() - loaded.startedAt < ageMs : loaded.version === version;
      if (isFresh) return loaded;
    }
    const running = this.#loading.get(workspaceId);
    // A read that began before this call may not know what was committed meanwhile.
    if (running !== undefined && version === null && ageMs > 0) return await running;
    const started = this.#read(workspaceId, version).finally(() => {
      if (this.#loading.get(workspaceId) === started) this.#loading.delete(workspaceId);
    });
    this.#loading.set(workspaceId, started);
    return await started;
  }

  async #read(workspaceId: string, version: number | null): Promise<LoadedKeys> {
    const startedAt = performance.now();
    const changes = this.#changes;
    const rows = await listLiveSigningKeys(this.#deps.storage.read, workspaceId, this.#deps.clock.now());
    const known = new Map(this.#loaded.get(workspaceId)?.keys.map((key) => [key.kid, key]));
    const keys: LoadedKey[] = [];
    for (const row of rows) {
      const key = known.get(row.kid);
      keys.push(key === undefined ? await toLoadedKey(row) : { ...key, row });
    }
    const loaded: LoadedKeys = { startedAt, version, keys };
    const newest = this.#loaded.get(workspaceId);
    if (changes === this.#changes && (newest === undefined || newest.startedAt <= startedAt))
      this.#loaded.set(workspaceId, loaded);
    return loaded;
  }
}

function listUnretired(keys: readonly LoadedKey[], now: number): readonly LoadedKey[] {
  return keys.filter((key) => !isRetired(key.row, now));
}

/** The first key is missing, or the last one has another algorithm than is wanted or has signed for its days. */
function isSuccessorDue(
  live: readonly LoadedKey[],
  { signingAlgorithm, signingKeyDays }: SigningPolicy,
  now: number,
): boolean {
  const newest = live.at(-1);
  return (
    newest === undefined ||
    newest.algorithm !== signingAlgorithm ||
    newest.row.activates_at + signingKeyDays * DAY_MS <= now
  );
}

async function toLoadedKey(row: SigningKeysTable): Promise<LoadedKey> {
  const algorithm = row.algorithm as SigningAlgorithm;
  const publicJwk = JSON.parse(row.public_jwk) as PublicJwk;
  return {
    kid: row.kid,
    algorithm,
    publicKey: await toCryptoKey(publicJwk, algorithm),
    row,
    publicJwk,
    signer: null,
  };
}

/** @see SigningKeys */
export function createSigningKeys(deps: KeyChangesDeps): SigningKeys {
  return new StoredSigningKeys(deps);
}
