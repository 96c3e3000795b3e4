import type { AccountIdentity, KeyIdentity } from '../../http/index.ts';
import type { EpochGuard } from '../../storage/index.ts';
import type { ApiKey } from './api-key.ts';

/** A secret that was proven by its HMAC: whoever shows it again is known by a hash that costs a fifth of that. */
export interface ProvenSecret {
  /** The SHA-256, as 32 Latin-1 characters: half the memory of a buffer. */
  readonly sha256: string;
  readonly key: KeyIdentity;
  readonly keyEpoch: number;
  readonly account: AccountIdentity;
}

/** A key whose row was found intact, with the account behind it. */
export interface KnownKey {
  readonly key: ApiKey;
  readonly account: AccountIdentity;
  /** Of the current secret, and of the old one while both are good. */
  provenCurrent: ProvenSecret | null;
  provenOld: ProvenSecret | null;
}

export interface KeyCache {
  /** The key, from memory when nothing of its workspace was revoked since it was read, otherwise by `load`. */
  find(workspaceId: string, keyId: string, load: KeyLoader): Promise<KnownKey | null>;
  /** The same without waiting, under an epoch that the guard has told just now; without `load` only from memory. */
  findNow(
    workspaceId: string,
    epoch: number,
    keyId: string,
    load: ((rememberedAccount: RememberedAccount) => KnownKey | null) | null,
  ): KnownKey | null;
}

/** Accounts are shared between their keys: without it each key would hold, and each miss parse, its own copy. */
export type RememberedAccount = (
  accountId: string,
  load: () => AccountIdentity | null,
) => AccountIdentity | null;

type KeyLoader = () => Promise<KnownKey | null>;

interface Kept<Value> {
  /** What `EpochGuard` told before the row was read. */
  readonly epoch: number;
  readonly value: Value;
}

// Of each of two halves. A key takes about 1 KB in memory, so all of them at most some 25 MB.
const KEYS_MAX = 12_500;
const ACCOUNTS_MAX = 5_000;

/**
 * The most recent of what was kept, in two halves: when the younger is full, it becomes the older, and what nobody has
 * asked for in the meantime is gone. As good as remembering the order of each use, and without its cost at each hit.
 */
class Recent<Value> {
  readonly #halfMax: number;
  readonly #nameOf: (value: Value) => string;
  #young = new Map<string, Kept<Value>>();
  #old = new Map<string, Kept<Value>>();

  /**
   * @param nameOf The name as the value itself has it. That by which somebody has asked may be a piece of what he sent,
   * and V8 keeps the whole text in memory as long as a piece of it: a whole credential.
   */
  constructor(halfMax: number, nameOf: (value: Value) => string) {
    this.#halfMax = halfMax;
    this.#nameOf = nameOf;
  }

  get(name: string): Kept<Value> | undefined {
    const young = this.#young.get(name);
    if (young !== undefined) return young;
    const old = this.#old.get(name);
    if (old !== undefined) this.set(old);
    return old;
  }

  set(kept: Kept<Value>): void {
    if (this.#young.size >= this.#halfMax) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(this.#nameOf(kept.value), kept);
  }
}

/**
 * Keeps keys as long as nothing of their workspace is revoked, in whichever process: a hit is as true as a read
 * (SQLite), or as the lease on the epoch (PostgreSQL). What is not there is never kept: a new key raises no epoch.
 */
export function createKeyCache(guard: EpochGuard): KeyCache {
  const keys = new Recent<KnownKey>(KEYS_MAX, ({ key }) => key.id);
  const accounts = new Recent<AccountIdentity>(ACCOUNTS_MAX, ({ id }) => id);

  const recall = (workspaceId: string, keyId: string, epoch: number): KnownKey | null => {
    const kept = keys.get(keyId);
    return kept !== undefined && kept.epoch === epoch && kept.value.key.workspaceId === workspaceId
      ? kept.value
      : null;
  };

  const rememberAccounts =
    (workspaceId: string, epoch: number): RememberedAccount =>
    (accountId, load) => {
      const kept = accounts.get(accountId);
      if (kept !== undefined && kept.epoch === epoch && kept.value.workspaceId === workspaceId)
        return kept.value;
      const value = load();
      if (value !== null) accounts.set({ epoch, value });
      return value;
    };

  return {
    find: async (workspaceId, keyId, load) => {
      const epoch = guard.peek(workspaceId) ?? (await guard.read(workspaceId));
      const known = recall(workspaceId, keyId, epoch);
      if (known !== null) return known;
      const value = await load();
      if (value !== null) keys.set({ epoch, value });
      return value;
    },
    findNow: (workspaceId, epoch, keyId, load) => {
      const known = recall(workspaceId, keyId, epoch);
      if (known !== null || load === null) return known;
      const value = load(rememberAccounts(workspaceId, epoch));
      if (value !== null) keys.set({ epoch, value });
      return value;
    },
  };
}
