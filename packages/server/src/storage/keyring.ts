import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import type { Clock } from '../lib/clock.ts';
import { openBytes, sealBytes } from '../lib/envelope.ts';
import { newId } from '../lib/ids.ts';
import type { Random } from '../lib/random.ts';
import type { Storage } from './database.ts';
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
  /** `dk_…:base64url`, bound to its place by `additionalData`. */
  seal(plain: string, additionalData: string): string;
  /** The plain text; throws when the value was altered, moved or sealed under an unknown key. */
  open(sealed: string, additionalData: string): string;
}

const CHECK_TEXT = 'keyreeve master key check';

function wrapPlace(id: string, purpose: string): string {
  return `data_keys/${id}/${purpose}`;
}

export class MasterKeyError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'MasterKeyError';
  }
}

interface KeyringDeps {
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
      if (found === undefined) await insertDataKey(tx, deps, master, purpose);
    }
    return await tx
      .selectFrom('data_keys')
      .select(['id', 'purpose', 'wrapped'])
      .orderBy('created_at')
      .orderBy('id')
      .limit(10_000)
      .execute();
  });
  const keys = new Map<string, DataKey>();
  const newest = new Map<string, DataKey>();
  for (const row of rows) {
    const plain = openBytes(master, Buffer.from(row.wrapped, 'base64url'), wrapPlace(row.id, row.purpose));
    const purpose = PURPOSES.find((known) => known === row.purpose);
    if (plain === null || purpose === undefined)
      throw new MasterKeyError(`The data key ${row.id} does not open with this master key.`);
    const dataKey: DataKey = { id: row.id, purpose, key: createSecretKey(plain) };
    keys.set(row.id, dataKey);
    newest.set(purpose, dataKey);
  }
  return makeKeyring(keys, newest, deps.random);
}

function makeKeyring(keys: Map<string, DataKey>, newest: Map<string, DataKey>, random: Random): Keyring {
  const current = (purpose: KeyPurpose): DataKey => {
    const dataKey = newest.get(purpose);
    if (dataKey === undefined) throw new Error(`There is no data key for ${purpose}.`);
    return dataKey;
  };
  return {
    current,
    find: (id) => keys.get(id) ?? null,
    seal: (plain, additionalData) => {
      const dataKey = current('seal');
      const sealed = sealBytes(dataKey.key, Buffer.from(plain), additionalData, random);
      return `${dataKey.id}:${Buffer.from(sealed).toString('base64url')}`;
    },
    open: (sealed, additionalData) => {
      const [id = '', text = ''] = sealed.split(':');
      const dataKey = keys.get(id);
      const plain =
        dataKey?.purpose === 'seal'
          ? openBytes(dataKey.key, Buffer.from(text, 'base64url'), additionalData)
          : null;
      if (plain === null)
        throw new Error(`A sealed value at ${additionalData} does not open: it was altered or moved.`);
      return Buffer.from(plain).toString('utf8');
    },
  };
}

async function insertDataKey(
  tx: Tx,
  deps: KeyringDeps,
  master: KeyObject,
  purpose: KeyPurpose,
): Promise<void> {
  const id = newId(deps.random, 'dataKey');
  const wrapped = sealBytes(master, deps.random.bytes(32), wrapPlace(id, purpose), deps.random);
  await tx
    .insertInto('data_keys')
    .values({
      id,
      purpose,
      wrapped: Buffer.from(wrapped).toString('base64url'),
      created_at: deps.clock.now(),
    })
    .execute();
}

async function checkMasterKey(tx: Tx, deps: KeyringDeps, master: KeyObject): Promise<void> {
  const row = await tx
    .selectFrom('meta')
    .select('value')
    .where('name', '=', 'master_key_check')
    .executeTakeFirst();
  if (row === undefined) {
    const value = Buffer.from(
      sealBytes(master, Buffer.from(CHECK_TEXT), 'meta/master_key_check', deps.random),
    ).toString('base64url');
    await tx.insertInto('meta').values({ name: 'master_key_check', value }).execute();
    return;
  }
  if (!hasMasterKey(row.value, master)) {
    throw new MasterKeyError(
      'The master key is not the one that this database was made with. Restore the right KEYREEVE_MASTER_KEY (or the file master.key in the data folder); with another one no stored key can ever be verified.',
    );
  }
}

/** Whether this is the master key of the database that has this check value (`meta.master_key_check`). */
export function isMasterKeyOf(checkValue: string, masterKey: Uint8Array): boolean {
  return hasMasterKey(checkValue, createSecretKey(masterKey));
}

function hasMasterKey(checkValue: string, master: KeyObject): boolean {
  const plain = openBytes(master, Buffer.from(checkValue, 'base64url'), 'meta/master_key_check');
  return plain !== null && Buffer.from(plain).toString('utf8') === CHECK_TEXT;
}

export function newMasterKey(): Uint8Array {
  return randomBytes(32);
}

/**
 * Wraps every data key under another master key, in one transaction. What the data keys protect is not
 * touched: no API key, token or sealed mail changes.
 *
 * @throws MasterKeyError when the old master key is not the right one; nothing is changed then
 */
export async function rotateMasterKey(deps: KeyringDeps, nextMasterKey: Uint8Array): Promise<number> {
  const [oldKey, newKey] = [createSecretKey(deps.masterKey), createSecretKey(nextMasterKey)];
  return await inTransaction(deps.storage, async (tx) => {
    await checkMasterKey(tx, deps, oldKey);
    const rows = await tx
      .selectFrom('data_keys')
      .select(['id', 'purpose', 'wrapped'])
      .limit(10_000)
      .execute();
    for (const row of rows) {
      const place = wrapPlace(row.id, row.purpose);
      const plain = openBytes(oldKey, Buffer.from(row.wrapped, 'base64url'), place);
      if (plain === null)
        throw new MasterKeyError(`The data key ${row.id} does not open with this master key.`);
      const wrapped = Buffer.from(sealBytes(newKey, plain, place, deps.random)).toString('base64url');
      await tx.updateTable('data_keys').set({ wrapped }).where('id', '=', row.id).execute();
    }
    const check = sealBytes(newKey, Buffer.from(CHECK_TEXT), 'meta/master_key_check', deps.random);
    await tx
      .updateTable('meta')
      .set({ value: Buffer.from(check).toString('base64url') })
      .where('name', '=', 'master_key_check')
      .execute();
    return rows.length;
  });
}
