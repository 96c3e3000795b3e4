import { createHash, randomBytes } from 'node:crypto';
import {
  type Company,
  call,
  createTestClock,
  createTestDatabase,
  describeOn,
  type Harness,
  seedCompany,
  startHarness,
  type TestDatabase,
} from '@keyreeve/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DAY_MS } from '../lib/clock.ts';
import { systemRandom } from '../lib/random.ts';
import { MasterKeyError } from './keyring.ts';
import { rewrapDataKeys } from './master-key-rotation.ts';
import { rotatePepper, withdrawOldPeppers } from './pepper-rotation.ts';

interface Minted {
  readonly apiKey: string;
  readonly secretKey: string;
  readonly fullKey: string;
}

const MASTER_KEY = randomBytes(32);
let shared: { readonly database: TestDatabase; readonly clock: Harness['clock']; readonly masterKey: string };
let nodes: [Harness, Harness];
let company: Company;

beforeAll(async () => {
  shared = {
    database: await createTestDatabase({ isMigrated: true }),
    clock: createTestClock(),
    masterKey: MASTER_KEY.toString('base64'),
  };
  nodes = [await startHarness(shared), await startHarness(shared)];
  company = await seedCompany(nodes[0]);
});
afterAll(async () => {
  for (const node of nodes) await stop(node);
  await shared.database.drop();
});

const stop = async ({ app, deps }: Harness): Promise<void> => {
  await app.close();
  await deps.close();
};
const rotate = (masterKey: Uint8Array = MASTER_KEY) =>
  rotatePepper({ storage: nodes[0].deps.storage, clock: shared.clock, random: systemRandom, masterKey });
const mint = async (at: Harness): Promise<Minted> =>
  (
    await call(at, 'POST', `/v1/accounts/${company.member.id}/keys`, {
      key: company.adminKey,
      body: { comment: 'CI', access: 'account' },
    })
  ).json<Minted>();
const isAccepted = async (at: Harness, key: string): Promise<boolean> =>
  (await call(at, 'GET', '/v1/keys/self', { key })).statusCode === 200;
const pepperOf = async ({ apiKey }: Minted): Promise<string | undefined> =>
  (
    await nodes[0].deps.storage.read
      .selectFrom('api_keys')
      .select('pepper_id')
      .where('id', '=', apiKey)
      .executeTakeFirst()
  )?.pepper_id;
const countHandedOn = async (): Promise<number> =>
  (
    await nodes[0].deps.storage.read
      .selectFrom('meta')
      .select('name')
      .where('name', 'like', 'handed_on_pepper/%')
      .execute()
  ).length;

describeOn('sqlite', 'a node that answers without waiting', () => {
  it('calls no key unknown whose pepper it does not know: the way that waits learns it', async () => {
    await rotate();
    await nodes[0].deps.keyring.refresh();
    const { apiKey, secretKey, fullKey } = await mint(nodes[0]);
    const { keyAuthenticator, storage, defaultWorkspace } = nodes[1].deps;
    const recognize = () => {
      const place = {
        workspaceId: defaultWorkspace.id,
        epoch: storage.epochGuard.peek(defaultWorkspace.id) ?? 0,
      };
      return keyAuthenticator.recognizeOrMiss(place, { apiKey, secretKey }, null);
    };
    expect(recognize()).toBeNull();
    expect(await isAccepted(nodes[1], fullKey)).toBe(true);
    expect(recognize()).toMatchObject({ key: { id: apiKey } });
  });
});

describe('a new pepper', () => {
  it('is learned beside one that somebody has altered, which makes nothing fail but what it protects', async () => {
    const { storage } = nodes[0].deps;
    const rows = storage.migration.main;
    const { id: altered } = await rotate();
    const name = `handed_on_pepper/${altered}`;
    const { value } = await rows
      .selectFrom('meta')
      .select('value')
      .where('name', '=', name)
      .executeTakeFirstOrThrow();
    const write = (text: string) =>
      rows.updateTable('meta').set({ value: text }).where('name', '=', name).execute();
    await write(value.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')).replace(/:./, ':_'));
    const { id: whole } = await rotate();
    expect(await nodes[1].deps.keyring.refresh()).toBe(true);
    expect(nodes[1].deps.keyring.find(whole)).not.toBeNull();
    const { keyring } = nodes[1].deps;
    expect([keyring.find(altered), keyring.unopened()]).toEqual([null, [altered]]);
    expect(await keyring.refresh()).toBe(false);
    expect(await isAccepted(nodes[1], (await mint(nodes[0])).fullKey)).toBe(true);
    await write(value);
    expect(await keyring.refresh()).toBe(true);
    // The one that was learned last is not the one that was made last.
    expect([keyring.current('pepper').id, keyring.list('pepper')[0]?.id]).toEqual([whole, whole]);
    expect(keyring.unopened()).toEqual([]);
  });

  it('serves new secrets, while keys under older peppers work on, at every node', async () => {
    const before = await mint(nodes[0]);
    const { id, count } = await rotate();
    expect(count).toBe(nodes[1].deps.keyring.list('pepper').length + 1);
    await nodes[0].deps.keyring.refresh();
    const after = await mint(nodes[0]);
    expect(await pepperOf(after)).toBe(id);
    expect(await pepperOf(before)).not.toBe(id);
    for (const node of nodes) {
      expect(await isAccepted(node, before.fullKey)).toBe(true);
      // The second node has never looked for new peppers: it learns this one from the row of the key.
      expect(await isAccepted(node, after.fullKey)).toBe(true);
    }
  });

  it('is known to a node that is asked about a key by others, at the first question', async () => {
    await rotate();
    await nodes[0].deps.keyring.refresh();
    const { fullKey } = await mint(nodes[0]);
    const answer = await call(nodes[1], 'POST', '/v1/keys/verify', {
      key: company.adminKey,
      body: { key: fullKey },
    });
    expect(answer.json()).toMatchObject({ valid: true, code: 'valid' });
  });

  it('takes over a key with its next secret, and the secret under the old one is refused', async () => {
    const before = await mint(nodes[0]);
    const { id } = await rotate();
    await nodes[0].deps.keyring.refresh();
    const answer = await call(nodes[0], 'POST', `/v1/keys/${before.apiKey}/regenerate`, {
      key: company.adminKey,
      body: {},
    });
    const after = answer.json<Minted>();
    expect(await pepperOf(after)).toBe(id);
    expect(await isAccepted(nodes[1], after.fullKey)).toBe(true);
    expect(await isAccepted(nodes[1], before.fullKey)).toBe(false);
  });

  it('lets foreign keys be found that were imported under any pepper, and none be imported twice', async () => {
    const importKey = async (at: Harness, credential: string) => {
      const row = {
        account: company.member.id,
        comment: 'foreign',
        access: 'account',
        expiresAt: new Date(shared.clock.now() + DAY_MS).toISOString(),
        sha256: createHash('sha256').update(credential).digest('hex'),
      };
      return await call(at, 'POST', '/v1/key-imports', { key: company.adminKey, body: { rows: [row] } });
    };
    expect((await importKey(nodes[0], 'foreign-credential-1')).statusCode).toBe(200);
    await rotate();
    const again = await importKey(nodes[0], 'foreign-credential-1');
    expect([again.statusCode, again.body.includes('is already imported')]).toEqual([400, true]);
    expect((await importKey(nodes[0], 'foreign-credential-2')).statusCode).toBe(200);
    for (const node of nodes)
      for (const credential of ['foreign-credential-1', 'foreign-credential-2'])
        expect([credential, await isAccepted(node, credential)]).toEqual([credential, true]);
  });

  it('is the newest one also where the clock went back', async () => {
    shared.clock.advance(-DAY_MS);
    const { id } = await rotate();
    shared.clock.advance(DAY_MS);
    await nodes[1].deps.keyring.refresh();
    expect(nodes[1].deps.keyring.current('pepper').id).toBe(id);
    const next = await startHarness(shared);
    expect(next.deps.keyring.current('pepper').id).toBe(id);
    await stop(next);
  });

  it('is not made under a master key that is not the one of the database', async () => {
    const before = await countHandedOn();
    await expect(rotate(randomBytes(32))).rejects.toThrow(MasterKeyError);
    expect(await countHandedOn()).toBe(before);
  });

  it('is handed on for a day only, and is known afterwards to whoever starts', async () => {
    const { id } = await rotate();
    await withdrawOldPeppers({ ...nodes[0].deps, clock: shared.clock });
    expect(await countHandedOn()).toBeGreaterThan(0);
    shared.clock.advance(DAY_MS + 1_000);
    await withdrawOldPeppers({ ...nodes[0].deps, clock: shared.clock });
    expect(await countHandedOn()).toBe(0);
    const next = await startHarness(shared);
    expect(next.deps.keyring.current('pepper').id).toBe(id);
    await stop(next);
  });

  it('reaches processes that started before the master key was rotated', async () => {
    const masterKey = randomBytes(32);
    const { storage } = nodes[0].deps;
    await rewrapDataKeys(
      { storage, clock: shared.clock, random: systemRandom },
      { from: MASTER_KEY, to: masterKey },
    );
    const { id } = await rotate(masterKey);
    expect(await nodes[1].deps.keyring.refresh()).toBe(true);
    expect(nodes[1].deps.keyring.current('pepper').id).toBe(id);
    await expect(rotate()).rejects.toThrow(MasterKeyError);
  });
});
