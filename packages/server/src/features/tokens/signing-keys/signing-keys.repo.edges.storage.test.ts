import { createTestDatabase, openTestStorage, type TestDatabase } from '@keyreeve/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  inTransaction,
  migrateStorage,
  type SigningKeysTable,
  type Storage,
} from '../../../storage/index.ts';
import {
  destroySigningKey,
  findSigningKey,
  insertSigningKey,
  listLiveSigningKeys,
  listNewestActivations,
  listSigningKeys,
  setSigningKeyTimes,
  sweepSigningKeys,
} from './signing-keys.repo.ts';

const NOW = 1_800_000_000_000;
const HERE = 'wsp_1';
const ELSEWHERE = 'wsp_2';

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
beforeEach(async () => {
  await storage.write.deleteFrom('signing_keys').execute();
});

const rowOf = (kid: string, more: Partial<SigningKeysTable> = {}): SigningKeysTable => ({
  kid,
  workspace_id: HERE,
  algorithm: 'ES256',
  public_jwk: `{"kid":"${kid}"}`,
  sealed_private_jwk: `dk_1:${kid}`,
  created_at: 7,
  activates_at: NOW,
  retires_at: null,
  ...more,
});

async function keep(...rows: SigningKeysTable[]): Promise<void> {
  for (const row of rows) await insertSigningKey(storage.write, row);
}
const everything = () => storage.read.selectFrom('signing_keys').selectAll().orderBy('kid').execute();
const kidsOf = (rows: readonly SigningKeysTable[]) => rows.map(({ kid }) => kid);

describe('signing keys that live', () => {
  const kidsAt = async (now: number, workspaceId = HERE) =>
    kidsOf(await listLiveSigningKeys(storage.read, workspaceId, now));

  it('are listed with all that is stored of them, and can be found one by one', async () => {
    const row = rowOf('a', { algorithm: 'EdDSA', retires_at: NOW + 1 });
    await keep(row);
    expect(await listLiveSigningKeys(storage.read, HERE, NOW)).toEqual([row]);
    expect(await listSigningKeys(storage.read, HERE, null, 9)).toEqual([row]);
    expect(await findSigningKey(storage.read, HERE, 'a')).toEqual(row);
  });

  it('end with the instant that is set for it, or with their private half', async () => {
    await keep(
      rowOf('endless'),
      rowOf('ending', { retires_at: NOW }),
      rowOf('destroyed', { sealed_private_jwk: '' }),
      rowOf('ending destroyed', { sealed_private_jwk: '', retires_at: NOW + 9 }),
    );
    expect(await kidsAt(NOW - 1)).toEqual(['ending', 'endless']);
    expect(await kidsAt(NOW)).toEqual(['endless']);
    expect(await kidsAt(NOW + 1)).toEqual(['endless']);
  });

  it('come in the order in which they sign, and where that is one instant, of their ids', async () => {
    await keep(
      rowOf('c'),
      rowOf('a', { activates_at: NOW + 1 }),
      rowOf('b'),
      rowOf('d', { activates_at: 3 }),
    );
    expect(await kidsAt(NOW)).toEqual(['d', 'b', 'c', 'a']);
  });

  it('are those of one workspace', async () => {
    await keep(rowOf('a'), rowOf('b', { workspace_id: ELSEWHERE }));
    expect(await kidsAt(NOW)).toEqual(['a']);
    expect(await kidsAt(NOW, ELSEWHERE)).toEqual(['b']);
    expect(await findSigningKey(storage.read, HERE, 'b')).toBeUndefined();
    expect(await findSigningKey(storage.read, HERE, 'c')).toBeUndefined();
    expect(await findSigningKey(storage.read, ELSEWHERE, 'b')).toMatchObject({ kid: 'b' });
  });
});

describe('all signing keys that are kept', () => {
  it('are listed from the newest on, those of one instant by their ids, page by page', async () => {
    await keep(
      rowOf('a', { activates_at: NOW + 1, sealed_private_jwk: '' }),
      rowOf('b', { retires_at: 1 }),
      rowOf('c'),
      rowOf('d'),
      rowOf('e', { activates_at: 9 }),
      rowOf('f', { workspace_id: ELSEWHERE }),
    );
    const kidsAfter = async (after: [number, string] | null, limit: number) =>
      kidsOf(await listSigningKeys(storage.read, HERE, after, limit));
    expect(await kidsAfter(null, 9)).toEqual(['a', 'd', 'c', 'b', 'e']);
    expect(await kidsAfter(null, 2)).toEqual(['a', 'd']);
    expect(await kidsAfter([NOW + 1, 'a'], 2)).toEqual(['d', 'c']);
    expect(await kidsAfter([NOW, 'd'], 2)).toEqual(['c', 'b']);
    expect(await kidsAfter([NOW, 'b'], 2)).toEqual(['e']);
    expect(await kidsAfter([9, 'e'], 2)).toEqual([]);
  });

  it('tell since when the newest of each workspace signs, or will, but for those that were destroyed', async () => {
    await keep(
      rowOf('a', { activates_at: NOW - 5 }),
      rowOf('b', { activates_at: NOW + 5 }),
      rowOf('c', { activates_at: NOW + 9, sealed_private_jwk: '' }),
      rowOf('d', { activates_at: 3, workspace_id: ELSEWHERE }),
      rowOf('e', { sealed_private_jwk: '', workspace_id: 'wsp_3' }),
    );
    const newest = await listNewestActivations(storage.read);
    expect(newest.toSorted((one, other) => one.activatesAt - other.activatesAt)).toEqual([
      { workspaceId: ELSEWHERE, activatesAt: 3 },
      { workspaceId: HERE, activatesAt: NOW + 5 },
    ]);
  });
});

describe('a signing key', () => {
  it('gets other times, and nothing else of it or of others changes', async () => {
    await keep(rowOf('a'), rowOf('b'));
    await setSigningKeyTimes(storage.write, { kid: 'a', activates_at: 5, retires_at: 6 });
    expect(await everything()).toEqual([rowOf('a', { activates_at: 5, retires_at: 6 }), rowOf('b')]);
    await setSigningKeyTimes(storage.write, { kid: 'a', activates_at: 7, retires_at: null });
    expect(await everything()).toEqual([rowOf('a', { activates_at: 7 }), rowOf('b')]);
  });

  it('is destroyed in its own workspace only, which makes answers that others keep out of date', async () => {
    await keep(rowOf('a'), rowOf('b'), rowOf('c', { workspace_id: ELSEWHERE }));
    const epochs = async () => [
      await storage.epochGuard.read(HERE),
      await storage.epochGuard.read(ELSEWHERE),
    ];
    const before = await epochs();
    await inTransaction(storage, (tx) => destroySigningKey(tx, HERE, 'a', NOW));
    await inTransaction(storage, (tx) => destroySigningKey(tx, HERE, 'c', NOW));
    expect(await everything()).toEqual([
      rowOf('a', { sealed_private_jwk: '', retires_at: NOW }),
      rowOf('b'),
      rowOf('c', { workspace_id: ELSEWHERE }),
    ]);
    const after = await epochs();
    expect(after[0]).not.toBe(before[0]);
    expect(after[1]).toBe(before[1]);
  });
});

describe('the sweep of signing keys', () => {
  it('empties those that ended long enough ago, and forgets those that ended longer ago', async () => {
    await keep(
      rowOf('a', { retires_at: NOW - 101 }),
      rowOf('b', { retires_at: NOW - 100 }),
      rowOf('c', { retires_at: NOW - 99 }),
      rowOf('d', { retires_at: NOW - 9, sealed_private_jwk: '' }),
      rowOf('e', { retires_at: NOW - 8, workspace_id: ELSEWHERE }),
      rowOf('f', { retires_at: NOW - 7 }),
      rowOf('g'),
      rowOf('h', { sealed_private_jwk: '' }),
    );
    await sweepSigningKeys(storage.write, NOW - 8, NOW - 100);
    expect(await everything()).toEqual([
      rowOf('c', { retires_at: NOW - 99, sealed_private_jwk: '' }),
      rowOf('d', { retires_at: NOW - 9, sealed_private_jwk: '' }),
      rowOf('e', { retires_at: NOW - 8, sealed_private_jwk: '', workspace_id: ELSEWHERE }),
      rowOf('f', { retires_at: NOW - 7 }),
      rowOf('g'),
      rowOf('h', { sealed_private_jwk: '' }),
    ]);
  });
});
