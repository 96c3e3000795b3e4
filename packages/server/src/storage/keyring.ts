import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import type { Clock } from '../lib/clock.ts';
import { openBytes, sealBytes } from '../lib/envelope.ts';
import { newId } from '../lib/ids.ts';
import type { Random } from '../lib/random.ts';
import type { Executor, Storage } from './database.ts';
import { handOnPlace, readHandedOnPeppers } from './handed-on-peppers.repo.ts';
import { inTransaction, type Tx } from './transaction.ts';

/**
 * What a data key is for. `pepper`: HMAC of secrets. `row`: MAC over key rows. `seal`: encryption of
 * signing keys, mail bodies and one-time payloads. One key never serves two purposes.
 */
export type KeyPurpose = 'pepper' | 'row' | 'seal';
const PURPOSES: readonly KeyPurpose[] = ['pepper', 'row', 'seal'];

export interface DataKey {
  readonly id: string;
  readonly purpose: KeyPurpose;
  readonly key: KeyObject;
}

/**
 * Random data keys, stored encrypted under the master key. Rotating the master key wraps them anew and
 * touches nothing that they protect.
 */
export interface Keyring {
  /** The newest key of a purpose: for new values. */
  current(purpose: KeyPurpose): DataKey;
  /** A key by id: for stored values. Null when it is unknown here. */
  find(id: string): DataKey | null;
  /** Every key of a purpose, the newest first: for values that are looked up without knowing under which one. */
  list(purpose: KeyPurpose): readonly DataKey[];
  /**
   * Learns the peppers that were made since (`rotatePepper`). Callers at the same time share one read.
   *
   * @returns whether there was a new one
   */
  refresh(): Promise<boolean>;
  /**
   * Peppers that were handed on and do not open, as of the last `refresh`: somebody has altered them. The keys under
   * them are unknown here; they do not keep the others from being learned.
   */
  unopened(): readonly string[];
  /** `dk_…:base64url`, bound to its place by `additionalData`. */
  seal(plain: string, additionalData: string): string;
  /** The plain text; throws when the value was altered, moved or sealed under an unknown key. */
  open(sealed: string, additionalData: string): string;
}

const CHECK_PLACE = 'meta/master_key_check';
const CHECK_TEXT = 'keyreeve master key check';

/** Where a data key is wrapped: it opens nowhere else, and for nothing else. */
export function wrapPlace(id: string, purpose: string): string {
  return `data_keys/${id}/${purpose}`;
}

export class MasterKeyError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'MasterKeyError';
  }
}

export interface KeyringDeps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly random: Random;
  readonly masterKey: Uint8Array;
}

/**
 * Unlocks the data keys with the master key, and makes the first of each purpose in a new database.
 *
 * @throws MasterKeyError when the master key is not the one that this database was made with.
 */
export async function openKeyring(deps: KeyringDeps): Promise<Keyring> {
  const master = createSecretKey(deps.masterKey);
  const rows = await inTransaction(deps.storage, async (tx) => {
    await checkMasterKey(tx, deps, master);
    for (const purpose of PURPOSES) {
      const found = await tx
        .selectFrom('data_keys')
        .select('id')
        .where('purpose', '=', purpose)
        .limit(1)
        .executeTakeFirst();
      if (found === undefined) await insertFirstDataKey(tx, deps, master, purpose);
    }
    return await tx
      .selectFrom('data_keys')
      .select(['id', 'purpose', 'wrapped'])
      .orderBy('created_at')
      .orderBy('id')
      .limit(10_000)
      .execute();
  });
  const keys: DataKey[] = [];
  for (const row of rows) {
    const plain = openBytes(master, Buffer.from(row.wrapped, 'base64url'), wrapPlace(row.id, row.purpose));
    const purpose = PURPOSES.find((known) => known === row.purpose);
    if (plain === null || purpose === undefined)
      throw new MasterKeyError(`The data key ${row.id} does not open with this master key.`);
    keys.push({ id: row.id, purpose, key: createSecretKey(plain) });
  }
  return makeKeyring(keys, deps);
}

/** @param made oldest first */
function makeKeyring(made: readonly DataKey[], { storage, random }: KeyringDeps): Keyring {
  const keys = new Map<string, DataKey>();
  const newest = new Map<string, DataKey>();
  const add = (dataKey: DataKey): void => {
    // At the end, also of one that is known: the order is that in which they were made.
    keys.delete(dataKey.id);
    keys.set(dataKey.id, dataKey);
    newest.set(dataKey.purpose, dataKey);
  };
  for (const dataKey of made) add(dataKey);
  const current = (purpose: KeyPurpose): DataKey => {
    const dataKey = newest.get(purpose);
    if (dataKey === undefined) throw new Error(`There is no data key for ${purpose}.`);
    return dataKey;
  };
  const tryOpen = (sealed: string, additionalData: string): string | null => {
    const [id = '', text = ''] = sealed.split(':');
    const dataKey = keys.get(id);
    const plain =
      dataKey?.purpose === 'seal'
        ? openBytes(dataKey.key, Buffer.from(text, 'base64url'), additionalData)
        : null;
    return plain === null ? null : Buffer.from(plain).toString('utf8');
  };
  const open = (sealed: string, additionalData: string): string => {
    const plain = tryOpen(sealed, additionalData);
    if (plain === null)
      throw new Error(`A sealed value at ${additionalData} does not open: it was altered or moved.`);
    return plain;
  };
  const learn = async (): Promise<boolean> => {
    const knownBefore = keys.size;
    const altered: string[] = [];
    for (const { id, sealed } of await readHandedOnPeppers(storage.read)) {
      const known = keys.get(id);
      const plain = known === undefined ? tryOpen(sealed, handOnPlace(id)) : null;
      if (known !== undefined) add(known);
      else if (plain === null) altered.push(id);
      else add({ id, purpose: 'pepper', key: createSecretKey(Buffer.from(plain, 'base64url')) });
    }
    unopened = altered;
    return keys.size > knownBefore;
  };
  let unopened: readonly string[] = [];
  let learning: Promise<boolean> | null = null;
  return {
    current,
    open,
    find: (id) => keys.get(id) ?? null,
    unopened: () => unopened,
    list: (purpose) => [...keys.values()].filter((dataKey) => dataKey.purpose === purpose).toReversed(),
    refresh: async () => {
      learning ??= learn().finally(() => {
        learning = null;
      });
      return await learning;
    },
    seal: (plain, additionalData) => {
      const dataKey = current('seal');
      const sealed = sealBytes(dataKey.key, Buffer.from(plain), additionalData, random);
      return `${dataKey.id}:${Buffer.from(sealed).toString('base64url')}`;
    },
  };
}

async function insertFirstDataKey(
  tx: Tx,
  { random, clock }: KeyringDeps,
  master: KeyObject,
  purpose: KeyPurpose,
): Promise<void> {
  const row = { id: newId(random, 'dataKey'), purpose, createdAt: clock.now() };
  await insertDataKey(tx, random, master, { ...row, key: random.bytes(32) });
}

export async function insertDataKey(
  tx: Tx,
  random: Random,
  master: KeyObject,
  dataKey: { id: string; purpose: KeyPurpose; createdAt: number; key: Uint8Array },
): Promise<void> {
  const { id, purpose, createdAt, key } = dataKey;
  const wrapped = Buffer.from(sealBytes(master, key, wrapPlace(id, purpose), random)).toString('base64url');
  await tx.insertInto('data_keys').values({ id, purpose, wrapped, created_at: createdAt }).execute();
}

async function checkMasterKey(tx: Tx, deps: KeyringDeps, master: KeyObject): Promise<void> {
  const value = await readMasterKeyCheck(tx);
  if (value === null) {
    const row = { name: 'master_key_check', value: makeMasterKeyCheck(deps.random, master) };
    await tx.insertInto('meta').values(row).execute();
  } else if (!hasMasterKey(value, master)) throw wrongMasterKey();
}

/** The check value of the database; null in a new one. */
export async function readMasterKeyCheck(exec: Executor): Promise<string | null> {
  const row = await exec
    .selectFrom('meta')
    .select('value')
    .where('name', '=', 'master_key_check')
    .executeTakeFirst();
  return row?.value ?? null;
}

export function makeMasterKeyCheck(random: Random, master: KeyObject): string {
  return Buffer.from(sealBytes(master, Buffer.from(CHECK_TEXT), CHECK_PLACE, random)).toString('base64url');
}

export function wrongMasterKey(): MasterKeyError {
  return new MasterKeyError(
    'The master key is not the one that this database was made with. Restore the right KEYREEVE_MASTER_KEY (or the file master.key in the data folder); with another one no stored key can ever be verified. If the master key was rotated elsewhere, start with the new one.',
  );
}

/** Whether this is the master key of the database that has this check value (`meta.master_key_check`). */
export function isMasterKeyOf(checkValue: string, masterKey: Uint8Array): boolean {
  return hasMasterKey(checkValue, createSecretKey(masterKey));
}

function hasMasterKey(checkValue: string, master: KeyObject): boolean {
  const plain = openBytes(master, Buffer.from(checkValue, 'base64url'), CHECK_PLACE);
  return plain !== null && Buffer.from(plain).toString('utf8') === CHECK_TEXT;
}

export function newMasterKey(): Uint8Array {
  return randomBytes(32);
}
