import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import {
  createTestDatabase,
  describeOn,
  type Harness,
  openTestStorage,
  startHarness,
  type TestDatabase,
} from '@keyreeve/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemRandom } from '../lib/random.ts';
import { lockMasterKeyFiles } from './data-lock.ts';
import type { Storage } from './database.ts';
import { type Keyring, MasterKeyError, openKeyring } from './keyring.ts';
import { readMasterKeyFile, readNextMasterKey } from './master-key.ts';
import {
  type RotationStep,
  recoverMasterKey,
  rewrapDataKeys,
  rotateMasterKeyFile,
  scrubOldWraps,
} from './master-key-rotation.ts';
import { migrateStorage } from './migrate.ts';

const OLD = Buffer.alloc(32, 1);
const NEW = Buffer.alloc(32, 2);
const WRONG = Buffer.alloc(32, 3);

let database: TestDatabase;
let storage: Storage;
beforeEach(async () => {
  database = await createTestDatabase({ isMigrated: true });
  storage = open();
  await migrateStorage(storage);
});
afterEach(async () => {
  await storage.close();
  await database.drop();
});

function open(): Storage {
  return openTestStorage(database);
}

const depsOn = (on: Storage) => ({ storage: on, clock: { now: () => 1_000 }, random: systemRandom });
const unlock = (masterKey: Uint8Array): Promise<Keyring> => openKeyring({ ...depsOn(storage), masterKey });
const opens = (masterKey: Uint8Array): Promise<boolean> =>
  unlock(masterKey).then(
    () => true,
    (error: unknown) => {
      if (error instanceof MasterKeyError) return false;
      throw error;
    },
  );
const readWraps = async (): Promise<string[]> => [
  ...(await storage.read.selectFrom('data_keys').select('wrapped').execute()).map((row) => row.wrapped),
  ...(
    await storage.read.selectFrom('meta').select('value').where('name', '=', 'master_key_check').execute()
  ).map((row) => row.value),
];

describe('wrapping under another master key', () => {
  it('leaves the data keys and what they protect as they are, and the old key opens nothing', async () => {
    const before = await unlock(OLD);
    const sealed = before.seal('a mail', 'outbox/1');
    expect(await rewrapDataKeys(depsOn(storage), { from: OLD, to: NEW })).toBe(3);
    const after = await unlock(NEW);
    expect(after.current('pepper').key.equals(before.current('pepper').key)).toBe(true);
    expect(after.open(sealed, 'outbox/1')).toBe('a mail');
    expect(await opens(OLD)).toBe(false);
  });

  it('changes nothing when neither key is right, and makes nothing in a new database', async () => {
    expect(await rewrapDataKeys(depsOn(storage), { from: OLD, to: NEW })).toBe(0);
    expect(await readWraps()).toEqual([]);
    await unlock(OLD);
    const before = await readWraps();
    await expect(rewrapDataKeys(depsOn(storage), { from: WRONG, to: NEW })).rejects.toThrow(MasterKeyError);
    expect(await readWraps()).toEqual(before);
  });

  it('happens once when several nodes start with both keys at the same time', async () => {
    await unlock(OLD);
    const nodes = [storage, open(), open()];
    const counts = await Promise.all(
      nodes.map((node) => rewrapDataKeys(depsOn(node), { from: OLD, to: NEW })),
    );
    expect(counts.toSorted((one, other) => one - other)).toEqual([0, 0, 3]);
    expect([await opens(NEW), await opens(OLD)]).toEqual([true, false]);
    await Promise.all(nodes.slice(1).map((node) => node.close()));
  });

  it('is nothing to do for a node that starts with both keys later', async () => {
    await unlock(OLD);
    await rewrapDataKeys(depsOn(storage), { from: OLD, to: NEW });
    const before = await readWraps();
    expect(await rewrapDataKeys(depsOn(storage), { from: OLD, to: NEW })).toBe(0);
    expect(await readWraps()).toEqual(before);
  });
});

describeOn('sqlite', 'the files after a rotation', () => {
  const holders = (wraps: readonly string[]): string[] =>
    readdirSync(database.dataDir).filter((name) => {
      const bytes = readFileSync(path.join(database.dataDir, name));
      return wraps.some((wrap) => bytes.includes(wrap));
    });

  it('hold no byte of the old wraps, neither in pages that are free nor in the log', async () => {
    await unlock(OLD);
    const old = await readWraps();
    await scrubOldWraps(storage);
    await storage.write.updateTable('data_keys').set({ created_at: 2 }).execute();
    expect(holders(old).toSorted()).toEqual(['keyreeve.db', 'keyreeve.db-wal']);
    await rewrapDataKeys(depsOn(storage), { from: OLD, to: NEW });
    const server = open();
    await server.read.selectFrom('meta').selectAll().execute();
    expect(await scrubOldWraps(storage)).toBe(true);
    expect(holders(old)).toEqual([]);
    expect(holders(await readWraps())).toEqual(['keyreeve.db']);
    await server.close();
  });
});

describeOn('postgres', 'the tables after a rotation', () => {
  it('hold no old version of a row, also while a node is reading', async () => {
    await unlock(OLD);
    await rewrapDataKeys(depsOn(storage), { from: OLD, to: NEW });
    const node = open();
    await node.read.selectFrom('data_keys').selectAll().execute();
    expect(await scrubOldWraps(storage)).toBe(true);
    expect(await opens(NEW)).toBe(true);
    await node.close();
  });
});

describeOn('sqlite', 'the key file', () => {
  class Crash extends Error {}
  const keyText = (key: Uint8Array) => `${Buffer.from(key).toString('base64')}\n`;
  const rightKeys = async (): Promise<Uint8Array[]> => {
    const { dataDir } = database;
    const keys = [readMasterKeyFile(dataDir), readNextMasterKey(dataDir)].filter((key) => key !== null);
    const isRight = await Promise.all(keys.map(opens));
    return keys.filter((_key, index) => isRight[index]);
  };

  beforeEach(async () => {
    writeFileSync(path.join(database.dataDir, 'master.key'), keyText(OLD));
    await unlock(OLD);
  });

  it('is replaced by a rotation beside a process that holds the data keys', async () => {
    const running = await unlock(OLD);
    const outcome = await rotateMasterKeyFile(depsOn(storage), database.dataDir);
    expect(outcome).toEqual({ count: 3, isScrubbed: true });
    expect(await opens(OLD)).toBe(false);
    expect(await rightKeys()).toHaveLength(1);
    expect(existsSync(path.join(database.dataDir, 'master.key.next'))).toBe(false);
    const next = await unlock(readMasterKeyFile(database.dataDir) ?? WRONG);
    expect(next.open(running.seal('later', 'outbox/2'), 'outbox/2')).toBe('later');
  });

  it.each<RotationStep>(['next key written', 'data keys wrapped', 'next key adopted'])(
    'survives a crash after “%s”: exactly one key opens the database, the server starts, and a rotation follows',
    async (crashStep) => {
      const onStep = (step: RotationStep) => {
        if (step === crashStep) throw new Crash();
      };
      await expect(rotateMasterKeyFile(depsOn(storage), database.dataDir, onStep)).rejects.toThrow(Crash);
      const [right, ...others] = await rightKeys();
      expect(others).toEqual([]);
      expect(Buffer.from((await recoverMasterKey(storage, database.dataDir)) ?? WRONG)).toEqual(
        Buffer.from(right ?? WRONG),
      );
      const server = await startFromFile();
      await stop(server);
      await rotateMasterKeyFile(depsOn(storage), database.dataDir);
      expect(await rightKeys()).toHaveLength(1);
      expect(await opens(right ?? WRONG)).toBe(false);
    },
  );

  it('survives a crash while the next key is written, before it has its name', async () => {
    writeFileSync(path.join(database.dataDir, 'master.key.next.part'), 'AAAA');
    await stop(await startFromFile());
    await rotateMasterKeyFile(depsOn(storage), database.dataDir);
    expect(await rightKeys()).toHaveLength(1);
  });

  it('is renamed by nobody else while a rotation is under way', async () => {
    const next = path.join(database.dataDir, 'master.key.next');
    const lock = lockMasterKeyFiles(database.dataDir);
    await rewrapDataKeys(depsOn(storage), { from: OLD, to: NEW });
    writeFileSync(next, keyText(NEW));
    // A server that starts at this moment finds its key and leaves the files to whoever rotates.
    await stop(await startFromFile());
    expect(existsSync(next)).toBe(true);
    await expect(rotateMasterKeyFile(depsOn(storage), database.dataDir)).rejects.toThrow(
      'Another process rotates the master key right now',
    );
    renameSync(next, path.join(database.dataDir, 'master.key'));
    lock?.release();
    await stop(await startFromFile());
  });

  it('that opens nothing stops a rotation before it begins', async () => {
    writeFileSync(path.join(database.dataDir, 'master.key'), keyText(WRONG));
    await expect(rotateMasterKeyFile(depsOn(storage), database.dataDir)).rejects.toThrow(MasterKeyError);
    expect(existsSync(path.join(database.dataDir, 'master.key.next'))).toBe(false);
    expect(await opens(OLD)).toBe(true);
  });

  const startFromFile = (): Promise<Harness> =>
    startHarness({ database, environment: { KEYREEVE_MASTER_KEY: '' } });
  const stop = async ({ app, deps }: Harness): Promise<void> => {
    await app.close();
    await deps.close();
  };
});
