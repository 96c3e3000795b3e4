import { createTestDatabase, describeOn, openTestStorage, type TestDatabase } from '@keyreeve/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Storage } from './database.ts';
import { migrateStorage } from './migrate.ts';
import { raiseRevocationEpoch, readRevocationEpochs } from './revocation-epochs.ts';
import { inTransaction } from './transaction.ts';

let database: TestDatabase;
let storage: Storage;

beforeAll(async () => {
  database = await createTestDatabase({ isMigrated: true });
  storage = openTestStorage(database);
  await migrateStorage(storage);
});
afterAll(async () => {
  await storage.close();
  await database.drop();
});

const raise = (workspaceId: string) => inTransaction(storage, (tx) => raiseRevocationEpoch(tx, workspaceId));
const read = async (...ids: string[]) => [...(await readRevocationEpochs(storage.read, ids)).values()];

describe('the revocation epoch', () => {
  it('rises by one with each transaction, for its workspace alone, and is 0 before', async () => {
    for (let times = 1; times <= 130; times += 1) {
      await raise('wsp_a');
      expect(await read('wsp_a', 'wsp_b')).toEqual([times, 0]);
    }
  });

  it('rises once for a transaction that revokes several things, in each workspace that it touches', async () => {
    await inTransaction(storage, async (tx) => {
      for (const id of ['wsp_c', 'wsp_c', 'wsp_d']) await raiseRevocationEpoch(tx, id);
    });
    expect(await read('wsp_c', 'wsp_d')).toEqual([1, 1]);
  });

  it('stands still when the transaction is rolled back', async () => {
    const undone = inTransaction(storage, async (tx) => {
      await raiseRevocationEpoch(tx, 'wsp_e');
      throw new Error('undone');
    });
    await expect(undone).rejects.toThrow('undone');
    expect(await read('wsp_e')).toEqual([0]);
  });
});

describeOn('postgres', 'two transactions that revoke in one workspace', () => {
  it('do not wait for each other', async () => {
    const [isRaised, mayEnd] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const slow = inTransaction(storage, async (tx) => {
      await raiseRevocationEpoch(tx, 'wsp_f');
      isRaised.resolve();
      await mayEnd.promise;
    });
    await isRaised.promise;
    await raise('wsp_f');
    expect(await read('wsp_f')).toEqual([1]);
    mayEnd.resolve();
    await slow;
    expect(await read('wsp_f')).toEqual([2]);
  });
});
