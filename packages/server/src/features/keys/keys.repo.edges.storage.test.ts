import { createTestClock, createTestDatabase, describeOn, openTestStorage } from '@keyreeve/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemRandom } from '../../lib/random.ts';
import {
  type ApiKeysTable,
  inTransaction,
  type Keyring,
  migrateStorage,
  openKeyring,
  pingStorage,
  type Storage,
} from '../../storage/index.ts';
import type { ApiKey } from './api-key.ts';
import { findKeyAccountId, findKeyPlace, listKeptKeyIds, listKeyIdsOfAccount } from './key-place.repo.ts';
import * as repo from './keys.repo.ts';
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

/** A key of which everything is told that can be told. */
function fullKey(workspaceId: string): ApiKey {
  return sampleApiKey(workspaceId, {
    ownerId: 'acc_owner',
    comment: 'Großes LAGER',
    access: 'scoped',
    scopes: [{ actions: ['package:push'], resources: ['Contoso.*'] }],
    lifetimeDays: 90,
    createdBy: 'acc_admin',
    renewedAt: NOW - 3,
    isEnabled: false,
    disabledReason: 'leaked',
    disabledAt: NOW - 2,
    current: { number: 4, digest: 'digest of four', pepperId: 'dk_new', expiresAt: NOW + 9 },
    old: { number: 3, digest: 'digest of three', pepperId: 'dk_old', expiresAt: NOW + 7 },
    ipRanges: ['192.0.2.0/24'],
    limits: { rate: { requests: 5, windowSeconds: 60 }, quota: null },
    foreignDigest: 'digest of a foreign one',
    epoch: 6,
    version: 8,
  });
}

async function store<Key extends ApiKey>(key: Key): Promise<Key> {
  await repo.insertKey(storage.write, keyring, key);
  return key;
}

const find = ({ workspaceId, id }: ApiKey) => repo.findKey(storage.read, keyring, workspaceId, id);

/** Somebody writes to the database himself. */
async function alter({ id }: ApiKey, values: Partial<ApiKeysTable>): Promise<void> {
  await storage.write.updateTable('api_keys').set(values).where('id', '=', id).execute();
}

async function readRow({ id }: ApiKey): Promise<ApiKeysTable | undefined> {
  return await storage.read.selectFrom('api_keys').selectAll().where('id', '=', id).executeTakeFirst();
}

async function epochOf(workspaceId: string): Promise<number> {
  const { epochs } = await storage.epochGuard.ask([workspaceId]);
  return epochs.get(workspaceId) ?? 0;
}

const ALTERED = { code: 'key.altered' };

describe('a stored key', () => {
  it('comes back as it was, with much and with little to tell', async () => {
    for (const make of [sampleApiKey, fullKey]) {
      const key = await store(make(sampleWorkspaceId()));
      expect(await find(key)).toEqual(key);
    }
  });

  it('can be looked for by its comment, and tells whether it is on, without being opened', async () => {
    const workspaceId = sampleWorkspaceId();
    const [off, on] = [await store(fullKey(workspaceId)), await store(sampleApiKey(workspaceId))];
    expect(await readRow(off)).toMatchObject({ comment_lower: 'großes lager', state: 'disabled' });
    expect(await readRow(on)).toMatchObject({
      state: 'active',
      old_generation: null,
      old_digest: null,
      old_pepper_id: null,
      old_expires_at: null,
      limits: null,
    });
  });

  it('is of its workspace, and of no other', async () => {
    const key = await store(sampleApiKey(sampleWorkspaceId()));
    const elsewhere = { ...key, workspaceId: sampleWorkspaceId() };
    expect(await find(elsewhere)).toBeNull();
    expect(await repo.findIntactKey(storage.read, keyring, elsewhere.workspaceId, key.id)).toBeNull();
    expect(await findKeyPlace(storage.read, elsewhere.workspaceId, key.id)).toBeNull();
    expect(await findKeyAccountId(storage.read, elsewhere.workspaceId, key.id)).toBeNull();
    expect(await findKeyAccountId(storage.read, key.workspaceId, 'kr_none')).toBeNull();
    expect(await findKeyAccountId(storage.read, key.workspaceId, key.id)).toBe(key.accountId);
    expect(await repo.findKey(storage.read, keyring, key.workspaceId, 'kr_none')).toBeNull();
  });

  it('whose row somebody has altered is none, and the log tells which', async () => {
    const key = await store(fullKey(sampleWorkspaceId()));
    expect(await repo.findIntactKey(storage.read, keyring, key.workspaceId, key.id)).toEqual(key);
    await alter(key, { state: 'active' });
    const internal = `the row of key ${key.id} was altered outside Keyreeve`;
    await expect(find(key)).rejects.toMatchObject({ ...ALTERED, internal });
    const digests = ['digest of a foreign one'];
    await expect(
      repo.findKeyByForeignDigests(storage.read, keyring, key.workspaceId, digests),
    ).rejects.toMatchObject(ALTERED);
    expect(await repo.findIntactKey(storage.read, keyring, key.workspaceId, key.id)).toBeNull();
  });

  it('with parts that nobody can read is an altered one, and is shown as it stands', async () => {
    for (const column of ['scopes', 'ip_ranges', 'limits'] as const) {
      const key = await store(fullKey(sampleWorkspaceId()));
      await alter(key, { [column]: '[unreadable' });
      await expect(find(key), column).rejects.toMatchObject(ALTERED);
      const row = await readRow(key);
      const field = column === 'ip_ranges' ? 'ipRanges' : column;
      expect(row && repo.toApiKey(row)).toMatchObject({ [field]: '[unreadable' });
    }
  });

  it('whose old secret has lost its digest has one that matches nothing', async () => {
    const row = repo.toKeyRow(keyring, fullKey(sampleWorkspaceId()));
    expect(repo.toApiKey({ ...row, old_digest: null, old_pepper_id: null }).old).toEqual({
      number: 3,
      digest: '',
      pepperId: '',
      expiresAt: NOW + 7,
    });
  });

  it('is found by the digest of the foreign credential that it is, under whichever pepper', async () => {
    const workspaceId = sampleWorkspaceId();
    const key = await store(sampleApiKey(workspaceId, { foreignDigest: 'under the old one' }));
    await store(sampleApiKey(workspaceId));
    const findBy = (digests: string[], place = workspaceId) =>
      repo.findKeyByForeignDigests(storage.read, keyring, place, digests);
    expect(await findBy(['under the new one', 'under the old one'])).toEqual(key);
    expect(await findBy(['under the new one'])).toBeNull();
    expect(await findBy(['under the old one'], sampleWorkspaceId())).toBeNull();
  });
});

describe('a list of stored keys', () => {
  it('leaves out what was altered, and nothing else', () => {
    const workspaceId = sampleWorkspaceId();
    const keys = [fullKey(workspaceId), sampleApiKey(workspaceId), sampleApiKey(workspaceId)];
    const rows = keys.map((key) => repo.toKeyRow(keyring, key));
    expect(repo.toIntactKeys(keyring, rows)).toEqual(keys);
    const altered = rows.map((row, index) => (index === 1 ? { ...row, access: 'full' } : row));
    expect(repo.toIntactKeys(keyring, altered)).toEqual([keys[0], keys[2]]);
  });
});

describe('a change of a stored key', () => {
  const update = (key: ApiKey, ...options: [{ isAnswerKept?: boolean }?]) =>
    inTransaction(storage, (tx) => repo.updateKey(tx, keyring, key, ...options));

  it('is of this key only, and makes what others keep of it out of date', async () => {
    const workspaceId = sampleWorkspaceId();
    const [key, other] = [await store(fullKey(workspaceId)), await store(sampleApiKey(workspaceId))];
    const fixed = {
      id: key.id,
      accountId: key.accountId,
      ownerId: key.ownerId,
      access: key.access,
      lifetimeDays: key.lifetimeDays,
      createdAt: key.createdAt,
      createdBy: key.createdBy,
      foreignDigest: key.foreignDigest,
    };
    const changed = { ...sampleApiKey(workspaceId, { comment: 'Other', version: 9 }), ...fixed };
    const before = await epochOf(workspaceId);
    await update(changed);
    expect(await find(key)).toEqual(changed);
    expect(await readRow(key)).toMatchObject({ comment_lower: 'other', state: 'active' });
    expect(await find(other)).toEqual(other);
    expect(await epochOf(workspaceId)).toBe(before + 1);
    await update(changed, {});
    expect(await epochOf(workspaceId)).toBe(before + 2);
  });

  it('of nothing that an answer tells leaves what others keep', async () => {
    const workspaceId = sampleWorkspaceId();
    const key = await store(sampleApiKey(workspaceId));
    const before = await epochOf(workspaceId);
    await update({ ...key, comment: 'other words' }, { isAnswerKept: true });
    expect(await find(key)).toEqual({ ...key, comment: 'other words' });
    expect(await epochOf(workspaceId)).toBe(before);
  });

  it('in the name of another workspace changes and deletes nothing', async () => {
    const key = await store(sampleApiKey(sampleWorkspaceId()));
    const elsewhere = sampleWorkspaceId();
    await update({ ...key, workspaceId: elsewhere, comment: 'taken over' });
    await inTransaction(storage, (tx) => repo.deleteKey(tx, elsewhere, key.id));
    expect(await find(key)).toEqual(key);
  });

  it('that deletes it leaves others, and makes what others keep of it out of date', async () => {
    const workspaceId = sampleWorkspaceId();
    const [key, other] = [await store(sampleApiKey(workspaceId)), await store(sampleApiKey(workspaceId))];
    const before = await epochOf(workspaceId);
    await inTransaction(storage, (tx) => repo.deleteKey(tx, workspaceId, key.id));
    expect([await find(key), await find(other)]).toEqual([null, other]);
    expect(await epochOf(workspaceId)).toBe(before + 1);
  });
});

describe('the place of a key', () => {
  it('is known whatever somebody did to its row', async () => {
    const key = await store(fullKey(sampleWorkspaceId()));
    const place = {
      id: key.id,
      workspaceId: key.workspaceId,
      accountId: 'acc_robot',
      comment: 'Großes LAGER',
      access: 'scoped',
      expiresAt: NOW + 9,
    };
    expect(await findKeyPlace(storage.read, key.workspaceId, key.id)).toEqual(place);
    await alter(key, { row_mac: 'torn off', comment: 'painted over' });
    expect(await findKeyPlace(storage.read, key.workspaceId, key.id)).toEqual({
      ...place,
      comment: 'painted over',
    });
  });

  it('is asked for by ids, and for none the database is not asked', async () => {
    const [one, two] = [
      await store(sampleApiKey(sampleWorkspaceId())),
      await store(sampleApiKey(sampleWorkspaceId())),
    ];
    expect(await listKeptKeyIds(storage.read, [one.id, 'kr_gone', two.id])).toEqual(
      new Set([one.id, two.id]),
    );
    const closed = openTestStorage(database);
    await pingStorage(closed);
    await closed.close();
    await expect(listKeptKeyIds(closed.read, [one.id])).rejects.toThrow();
    expect(await listKeptKeyIds(closed.read, [])).toEqual(new Set());
  });

  it('is with its account and with whom it acts for', async () => {
    const workspaceId = sampleWorkspaceId();
    const own = await store(sampleApiKey(workspaceId, { accountId: 'acc_a', ownerId: 'acc_b' }));
    const acting = await store(sampleApiKey(workspaceId, { accountId: 'acc_c', ownerId: 'acc_a' }));
    await store(sampleApiKey(workspaceId, { accountId: 'acc_c', ownerId: 'acc_b' }));
    await store(sampleApiKey(sampleWorkspaceId(), { accountId: 'acc_a', ownerId: 'acc_a' }));
    const ids = await listKeyIdsOfAccount(storage.read, workspaceId, 'acc_a');
    expect(ids.toSorted()).toEqual([own.id, acting.id]);
  });
});

describe('the keys of an account that count against its limit', () => {
  it('are those that have not expired, on or off', async () => {
    const workspaceId = sampleWorkspaceId();
    const count = () => repo.countLiveKeys(storage.read, workspaceId, 'acc_robot', NOW);
    expect(await count()).toBe(0);
    const generation = { number: 1, digest: 'd', pepperId: 'p' };
    for (const expiresAt of [NOW - 1, NOW, NOW + 1, null])
      await store(sampleApiKey(workspaceId, { current: { ...generation, expiresAt } }));
    await store(sampleApiKey(workspaceId, { isEnabled: false }));
    await store(sampleApiKey(workspaceId, { accountId: 'acc_other' }));
    await store(sampleApiKey(sampleWorkspaceId()));
    expect(await count()).toBe(3);
  });
});

describeOn('sqlite', 'a key that is read at once', () => {
  it('is the one that is waited for elsewhere', async () => {
    const key = await store(fullKey(sampleWorkspaceId()));
    const findNow = repo.prepareFindKey(storage, keyring);
    expect(findNow?.(key.workspaceId, key.id)).toEqual(key);
    expect(findNow?.(sampleWorkspaceId(), key.id)).toBeNull();
    expect(findNow?.(key.workspaceId, 'kr_none')).toBeNull();
    await alter(key, { access: 'full' });
    expect(() => findNow?.(key.workspaceId, key.id)).toThrow(expect.objectContaining(ALTERED));
  });
});

describe('a key that has to be waited for', () => {
  it('is not read at once', () => {
    const slow = Object.create(storage, { prepareRead: { value: null } }) as Storage;
    expect(repo.prepareFindKey(slow, keyring)).toBeNull();
  });
});
