import { createTestDatabase, describeOn, type TestDatabase } from '@keyreeve/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../lib/secret.ts';
import { openStorage, type Storage } from './database.ts';
import { migrateStorage } from './migrate.ts';
import { raiseRevocationEpoch } from './revocation-epochs.ts';
import { inTransaction } from './transaction.ts';

let database: TestDatabase;
let storage: Storage;
/** Another process, as far as the database can tell: connections of its own. */
let other: Storage;

function open(): Storage {
  const { dataDir, url } = database;
  return openStorage(
    { dataDir, database: url === null ? { engine: 'sqlite' } : { engine: 'postgres', url: new Secret(url) } },
    { error: () => {} },
  );
}

beforeAll(async () => {
  database = await createTestDatabase({ isMigrated: true });
  storage = open();
  other = open();
  await migrateStorage(storage);
});
afterAll(async () => {
  await storage.close();
  await other.close();
  await database.drop();
});

const raise = (target: Storage, workspaceId: string) =>
  inTransaction(target, (tx) => raiseRevocationEpoch(tx, workspaceId));

describe('the guard of what is kept in memory', () => {
  it('tells the same number while nothing is revoked, and another one once something is', async () => {
    const before = await storage.epochGuard.read('wsp_a');
    expect(await storage.epochGuard.read('wsp_a')).toBe(before);
    await raise(storage, 'wsp_a');
    expect(storage.epochGuard.peek('wsp_a')).not.toBe(before);
    expect(await storage.epochGuard.read('wsp_a')).not.toBe(before);
  });

  it('tells the same number while only other workspaces revoke', async () => {
    const before = await storage.epochGuard.read('wsp_b');
    await raise(storage, 'wsp_c');
    expect(await storage.epochGuard.read('wsp_b')).toBe(before);
  });
});

describeOn('sqlite', 'the guard of what is kept in memory', () => {
  it('knows what another process has revoked from its commit on, without asking', async () => {
    const { epochGuard } = storage;
    for (let times = 1; times <= 20; times += 1) {
      const before = epochGuard.peek('wsp_d');
      await raise(other, 'wsp_d');
      expect(epochGuard.peek('wsp_d')).not.toBe(before);
    }
    expect(epochGuard.freshness('wsp_d')).toEqual({ source: 'database', ageMs: 0 });
  });
});
