import { createTestClock, createTestDatabase, openTestStorage } from '@keyreeve/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemRandom } from '../../lib/random.ts';
import { type Keyring, migrateStorage, openKeyring, type Storage } from '../../storage/index.ts';
import type { ApiKey } from './api-key.ts';
import { checkKeyRows } from './key-check.repo.ts';
import { insertKey, listLiveKeysOfOwners, toKeyRow } from './keys.repo.ts';
import { listLiveKeys } from './live-keys.ts';
import { SAMPLE_MS as NOW, sampleApiKey, sampleWorkspaceId } from './samples.ts';

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let storage: Storage;
let keyring: Keyring;
beforeAll(async () => {
  database = await createTestDatabase({ isMigrated: true });
  storage = openTestStorage(database);
  await migrateStorage(storage);
  const masterKey = new Uint8Array(32).fill(7);
  keyring = await openKeyring({ storage, clock: createTestClock(NOW), random: systemRandom, masterKey });
});
afterAll(async () => {
  await storage.close();
  await database.drop();
});

async function store(key: ApiKey): Promise<ApiKey> {
  await insertKey(storage.write, keyring, key);
  return key;
}

/** Somebody writes to the database himself. */
async function alter({ id }: ApiKey): Promise<void> {
  await storage.write.updateTable('api_keys').set({ access: 'full' }).where('id', '=', id).execute();
}

describe('the keys that work now', () => {
  const filterOf = (workspaceId: string) => ({
    workspaceId,
    ownerIds: ['acc_robot', 'acc_owner'],
    now: NOW,
  });

  async function listIn(workspaceId: string) {
    const stretches = [];
    for await (const keys of listLiveKeys(storage.read, keyring, filterOf(workspaceId))) stretches.push(keys);
    return stretches;
  }

  it('are those of these owners that are on, not expired, not revoked and not altered', async () => {
    const workspaceId = sampleWorkspaceId();
    const generation = { number: 2, digest: 'd', pepperId: 'p' };
    const endless = sampleApiKey(workspaceId, {
      accountId: 'acc_member',
      scopes: [{ actions: ['package:push'], resources: ['*'] }],
      current: { ...generation, expiresAt: null },
    });
    const acting = sampleApiKey(workspaceId, {
      ownerId: 'acc_owner',
      current: { ...generation, expiresAt: NOW + 1 },
    });
    await store(acting);
    await store(endless);
    for (const expiresAt of [NOW - 1, NOW])
      await store(sampleApiKey(workspaceId, { current: { ...generation, expiresAt } }));
    await store(sampleApiKey(workspaceId, { isEnabled: false }));
    await store(sampleApiKey(workspaceId, { current: { ...generation, digest: '', expiresAt: NOW + 1 } }));
    await store(sampleApiKey(workspaceId, { ownerId: 'acc_other' }));
    await store(sampleApiKey(sampleWorkspaceId()));
    await alter(await store(sampleApiKey(workspaceId)));
    const common = { comment: 'CI', access: 'account', limits: null, generation: 2 };
    expect(await listIn(workspaceId)).toEqual([
      [
        {
          accountId: 'acc_member',
          createdAt: NOW,
          identity: {
            ...common,
            id: endless.id,
            ownerId: 'acc_robot',
            scopes: endless.scopes,
            expiresAt: null,
          },
        },
        {
          accountId: 'acc_robot',
          createdAt: NOW,
          identity: { ...common, id: acting.id, ownerId: 'acc_owner', scopes: [], expiresAt: NOW + 1 },
        },
      ],
    ]);
  });

  it('come in the order of their ids, from after one of them on, with where to go on', async () => {
    const workspaceId = sampleWorkspaceId();
    const keys = [sampleApiKey(workspaceId), sampleApiKey(workspaceId), sampleApiKey(workspaceId)] as const;
    for (const key of keys.toReversed()) await store(key);
    const list = (after: string, limit: number) =>
      listLiveKeysOfOwners(storage.read, keyring, filterOf(workspaceId), after, limit);
    expect(await list('', 2)).toEqual({ keys: keys.slice(0, 2), rowCount: 2, end: [keys[1].id] });
    expect(await list(keys[1].id, 2)).toEqual({ keys: [keys[2]], rowCount: 1, end: [keys[2].id] });
    expect(await list(keys[2].id, 2)).toEqual({ keys: [], rowCount: 0, end: null });
    await alter(keys[1]);
    expect(await list('', 2)).toEqual({ keys: [keys[0]], rowCount: 2, end: [keys[1].id] });
  });

  it('come in pieces of two hundred until one is not whole, from the very first id on', async () => {
    const workspaceId = sampleWorkspaceId();
    const keys = Array.from({ length: 200 }, () => sampleApiKey(workspaceId));
    keys[0] = sampleApiKey(workspaceId, { id: '0 first of all' });
    const rows = keys.map((key) => toKeyRow(keyring, key));
    await storage.write.insertInto('api_keys').values(rows).execute();
    const sizes = async () => (await listIn(workspaceId)).map(({ length }) => length);
    expect(await sizes()).toEqual([200, 0]);
    const last = await store(sampleApiKey(workspaceId));
    expect(await sizes()).toEqual([200, 1]);
    expect((await listIn(workspaceId)).at(-1)).toMatchObject([{ identity: { id: last.id } }]);
  });
});

describe('a look at every stored key', () => {
  it('counts them all, in pieces, and names those whose rows were altered', async () => {
    await storage.write.deleteFrom('api_keys').execute();
    expect(await checkKeyRows(storage.read, keyring)).toEqual({ checked: 0, altered: [] });
    const first = sampleApiKey(sampleWorkspaceId(), { id: '0 before all others' });
    const workspaceId = sampleWorkspaceId();
    const keys = [first, ...Array.from({ length: 500 }, () => sampleApiKey(workspaceId))];
    const rows = keys.map((key) => toKeyRow(keyring, key));
    await storage.write.insertInto('api_keys').values(rows.slice(0, 250)).execute();
    await storage.write.insertInto('api_keys').values(rows.slice(250)).execute();
    expect(await checkKeyRows(storage.read, keyring)).toEqual({ checked: 501, altered: [] });
    const last = keys.at(-1) ?? first;
    for (const key of [first, last]) await alter(key);
    expect(await checkKeyRows(storage.read, keyring)).toEqual({ checked: 501, altered: [first.id, last.id] });
  });
});
