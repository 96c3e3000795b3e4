import { createSecretKey } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import { openBytes, sealBytes } from '../lib/envelope.ts';
import { lockMasterKeyFiles } from './data-lock.ts';
import type { Storage } from './database.ts';
import {
  isMasterKeyOf,
  type KeyringDeps,
  MasterKeyError,
  makeMasterKeyCheck,
  newMasterKey,
  readMasterKeyCheck,
  wrapPlace,
  wrongMasterKey,
} from './keyring.ts';
import {
  adoptNextMasterKey,
  readMasterKeyFile,
  readNextMasterKey,
  writeNextMasterKey,
} from './master-key.ts';
import { inTransaction } from './transaction.ts';

const CHECKPOINT_WAIT_MS = 5_000;
const CHECKPOINT_PAUSE_MS = 20;

type RotationDeps = Omit<KeyringDeps, 'masterKey'>;

/**
 * Wraps every data key under another master key, in one transaction. What the data keys protect is not touched: no
 * API key, token or sealed mail changes, and processes that hold the data keys go on. May run in several processes
 * at once: the first one wraps, the others find it done.
 *
 * @returns how many data keys were wrapped; 0 when the database is new or was wrapped under the new key before
 * @throws MasterKeyError when it is wrapped under neither; nothing is changed then
 */
export async function rewrapDataKeys(
  { storage, random }: RotationDeps,
  keys: { readonly from: Uint8Array; readonly to: Uint8Array },
): Promise<number> {
  const [oldKey, newKey] = [createSecretKey(keys.from), createSecretKey(keys.to)];
  return await inTransaction(storage, async (tx) => {
    const check = await readMasterKeyCheck(tx);
    if (check === null || isMasterKeyOf(check, keys.to)) return 0;
    if (!isMasterKeyOf(check, keys.from)) throw wrongMasterKey();
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
      const wrapped = Buffer.from(sealBytes(newKey, plain, place, random)).toString('base64url');
      await tx.updateTable('data_keys').set({ wrapped }).where('id', '=', row.id).execute();
    }
    await tx
      .updateTable('meta')
      .set({ value: makeMasterKeyCheck(random, newKey) })
      .where('name', '=', 'master_key_check')
      .execute();
    return rows.length;
  });
}

/**
 * Removes what the old master key still opens from the files of the database. SQLite overwrites rows in place
 * (`secure_delete`), so only the log holds old ones, until it is emptied; PostgreSQL keeps old versions of rows until
 * the table is written anew.
 *
 * @returns false when readers or locks of others were in the way; nothing is lost then, and it may be tried again
 */
export async function scrubOldWraps(storage: Storage): Promise<boolean> {
  if (storage.engine === 'sqlite') return await emptyLog(storage);
  try {
    for (const table of ['data_keys', 'meta'])
      await sql`vacuum (full) ${sql.table(table)}`.execute(storage.migration.main);
    return true;
  } catch {
    return false;
  }
}

/** Readers at an older state keep the log; their statements are short. */
async function emptyLog(storage: Storage): Promise<boolean> {
  const startedAt = performance.now();
  for (;;) {
    const { rows } = await sql<{ busy: number }>`pragma wal_checkpoint(truncate)`.execute(storage.write);
    if (rows[0]?.busy === 0) return true;
    if (performance.now() - startedAt >= CHECKPOINT_WAIT_MS) return false;
    await delay(CHECKPOINT_PAUSE_MS);
  }
}

/** The steps of a rotation of the key file, in order; a crash after each leaves a database that starts. */
export type RotationStep = 'next key written' | 'data keys wrapped' | 'next key adopted';

/**
 * Puts a new master key into the data folder, beside a server that runs: it holds the data keys and goes on. The new
 * key is on the disk before anything is wrapped under it, and the old one goes only afterwards, so that a crash at any
 * point leaves the key that opens the database in one of the two files; the next start, or the next rotation, finds it.
 *
 * @param onStep called after each step; for tests
 * @throws MasterKeyError when another rotation is under way, or no file opens the database
 */
export async function rotateMasterKeyFile(
  deps: RotationDeps,
  dataDir: string,
  onStep: (step: RotationStep) => void = () => {},
): Promise<{ readonly count: number; readonly isScrubbed: boolean }> {
  const lock = lockMasterKeyFiles(dataDir);
  if (lock === null)
    throw new MasterKeyError('Another process rotates the master key right now. Wait until it has ended.');
  try {
    const from = await settleKeyFiles(deps.storage, dataDir);
    const to = newMasterKey();
    writeNextMasterKey(dataDir, to);
    onStep('next key written');
    const count = await rewrapDataKeys(deps, { from, to });
    onStep('data keys wrapped');
    adoptNextMasterKey(dataDir);
    onStep('next key adopted');
    return { count, isScrubbed: await scrubOldWraps(deps.storage) };
  } finally {
    lock.release();
  }
}

/**
 * The key in the data folder that opens the database. One that a rotation has left as the next one is put in its
 * place. Only for the holder of the lock: another one's next key must not be renamed.
 */
async function settleKeyFiles(storage: Storage, dataDir: string): Promise<Uint8Array> {
  const check = await readMasterKeyCheck(storage.read);
  const isRight = (key: Uint8Array | null): key is Uint8Array =>
    key !== null && check !== null && isMasterKeyOf(check, key);
  const present = readMasterKeyFile(dataDir);
  if (isRight(present)) return present;
  const next = readNextMasterKey(dataDir);
  if (!isRight(next)) throw wrongMasterKey();
  adoptNextMasterKey(dataDir);
  return next;
}

/**
 * The key of the data folder with which a start goes on when the one it has read first does not open the database: a
 * rotation was cut short, or is under way at this moment.
 *
 * @throws MasterKeyError when there is none
 */
export async function recoverMasterKey(storage: Storage, dataDir: string): Promise<Uint8Array> {
  const lock = lockMasterKeyFiles(dataDir);
  if (lock !== null) {
    try {
      return await settleKeyFiles(storage, dataDir);
    } finally {
      lock.release();
    }
  }
  // Whoever holds the lock finishes the files; we only need the key. Its own may have been renamed meanwhile.
  const check = await readMasterKeyCheck(storage.read);
  const candidates = [readNextMasterKey(dataDir), readMasterKeyFile(dataDir)];
  const right = candidates.find((key) => key !== null && check !== null && isMasterKeyOf(check, key));
  if (right == null) throw wrongMasterKey();
  return right;
}
