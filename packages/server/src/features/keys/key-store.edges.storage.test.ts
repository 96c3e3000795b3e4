import { type Caller, inTransaction } from '@keyreeve/server';
import { type Company, type Harness, startHarness } from '@keyreeve/testkit';
import { type KyselyPlugin, sql } from 'kysely';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { AppError } from '../../errors/index.ts';
import { SAMPLE_KEY } from '../../http/samples.ts';
import { readRevocationEpochs } from '../../storage/revocation-epochs.ts';
import type { ApiKey } from './api-key.ts';
import { createKeyNotices, type KeyChangeStory, type KeyNotices } from './key-notices.ts';
import { KeyStore } from './key-store.ts';
import { findKey, insertKey } from './keys.repo.ts';
import { sampleApiKey } from './samples.ts';

let harness: Harness;
let company: Pick<
  Company,
  'admin' | 'adminCaller' | 'member' | 'memberCaller' | 'stranger' | 'strangerCaller' | 'robot'
>;
let keyNotices: KeyNotices;
let keyStore: KeyStore;
beforeAll(async () => {
  harness = await startHarness();
  // No company with keys: its own would fail before any test when no key can be made.
  const user = (email: string, role: 'admin' | 'member') =>
    harness.createAccount({ kind: 'user', email, displayName: 'U', role });
  const admin = await user('admin@example.com', 'admin');
  const member = await user('member@example.com', 'member');
  const stranger = await user('stranger@example.com', 'member');
  const robot = await harness.createAccount({ kind: 'service', technicalName: 'robot', displayName: 'R' });
  company = {
    admin,
    adminCaller: await harness.callerOf(admin),
    member,
    memberCaller: await harness.callerOf(member),
    stranger,
    strangerCaller: await harness.callerOf(stranger),
    robot,
  };
  keyNotices = createKeyNotices(harness.deps);
  keyStore = new KeyStore({ ...harness.deps, keyNotices });
});
afterEach(() => vi.restoreAllMocks());
afterAll(() => harness.close());

const here = () => harness.deps.defaultWorkspace.id;
const read = () => harness.deps.storage.read;
const EXPIRY = Date.UTC(2028, 0, 1);

async function store(more: Partial<ApiKey> = {}): Promise<ApiKey> {
  const { storage, keyring } = harness.deps;
  const key = sampleApiKey(here(), {
    accountId: company.member.id,
    ownerId: company.robot.id,
    access: 'scoped',
    scopes: [{ actions: ['package:push'], resources: ['Contoso.*'] }],
    lifetimeDays: 30,
    createdAt: 1,
    createdBy: company.admin.id,
    updatedAt: 3,
    current: {
      number: 4,
      digest: 'digest of 4',
      pepperId: keyring.current('pepper').id,
      expiresAt: EXPIRY,
    },
    epoch: 6,
    version: 7,
    ...more,
  });
  await insertKey(storage.write, keyring, key);
  return key;
}

async function refusalOf(work: Promise<unknown>): Promise<AppError> {
  return await work.then(
    () => {
      throw new Error('Nothing was refused.');
    },
    (error: AppError) => error,
  );
}

/** What is written down of a key. */
const entryOf = ({ id, accountId }: ApiKey, action: string, detail: object) => ({
  action,
  target: { kind: 'key', id, name: 'CI' },
  accountId,
  keyId: id,
  detail,
});

describe('a change of a key', () => {
  const save = (key: ApiKey, story: KeyChangeStory, detail = {}) =>
    inTransaction(harness.deps.storage, (tx) => keyStore.save(tx, company.adminCaller, key, story, detail));

  it('is stored as the next version, written down and told', async () => {
    const key = await store();
    const recorded = vi.spyOn(harness.deps.audit, 'record');
    const told = vi.spyOn(keyNotices, 'tellChange');
    const story = { action: 'key.disabled', reason: 'lost' } as const;
    const saved = await save({ ...key, isEnabled: false }, story, { reason: 'lost' });
    const after = { ...key, isEnabled: false, version: 8, updatedAt: harness.clock.now() };
    expect(saved).toStrictEqual(after);
    expect(await findKey(read(), harness.deps.keyring, here(), key.id)).toStrictEqual(after);
    expect(recorded.mock.calls.map(([, ...input]) => input)).toStrictEqual([
      [company.adminCaller, entryOf(key, 'key.disabled', { reason: 'lost' })],
    ]);
    expect(told.mock.calls.map(([, ...input]) => input)).toStrictEqual([
      [company.adminCaller, { ...after, expiresAt: EXPIRY }, story],
    ]);
  });

  it('makes every answer about keys out of date, but where only the comment is another', async () => {
    const comment = { from: 'CI', to: 'CD' };
    const ipRanges = { from: [], to: ['10.0.0.0/8'] };
    const readEpoch = async () => (await readRevocationEpochs(read(), [here()])).get(here()) ?? 0;
    for (const [story, raisedBy] of [
      [{ action: 'key.changed', changes: { comment } }, 0],
      [{ action: 'key.changed', changes: {} }, 0],
      [{ action: 'key.changed', changes: { comment, ipRanges } }, 1],
      [{ action: 'key.changed', changes: { ipRanges, comment } }, 1],
      [{ action: 'key.changed', changes: { ipRanges } }, 1],
      [{ action: 'key.enabled' }, 1],
      [{ action: 'key.overlap_ended' }, 1],
    ] as const) {
      const key = await store();
      const before = await readEpoch();
      await save(key, story);
      expect((await readEpoch()) - before, JSON.stringify(story)).toBe(raisedBy);
    }
  });

  it('that is stored elsewhere is written down and told as it is', async () => {
    const key = await store();
    const recorded = vi.spyOn(harness.deps.audit, 'record');
    const told = vi.spyOn(keyNotices, 'tellChange');
    const story = { action: 'key.created', mailedTo: null } as const;
    await inTransaction(harness.deps.storage, (tx) =>
      keyStore.record(tx, company.adminCaller, key, story, { mailed: false }),
    );
    expect(recorded.mock.calls.map(([, ...input]) => input)).toStrictEqual([
      [company.adminCaller, entryOf(key, 'key.created', { mailed: false })],
    ]);
    expect(told.mock.calls.map(([, ...input]) => input)).toStrictEqual([
      [company.adminCaller, { ...key, expiresAt: EXPIRY }, story],
    ]);
    expect(await findKey(read(), harness.deps.keyring, here(), key.id)).toStrictEqual(key);
  });
});

describe('a key that somebody asks for', () => {
  /** A key that may see the keys of the member, and no more. */
  async function readerCaller(): Promise<Caller> {
    const account = await harness.deps.accounts.findIdentity(read(), here(), company.admin.id);
    if (account === null) throw new Error('There is no administrator.');
    const key = {
      ...SAMPLE_KEY,
      scopes: [{ actions: ['iam:keys:read'], resources: [company.member.id] }],
    };
    return { ...company.adminCaller, principal: { kind: 'key', account, key } };
  }

  const find = (id: string, by = company.memberCaller, intent: 'read' | 'write' = 'write', exec = read()) =>
    keyStore.findReachableKey(exec, by, id, intent);

  it('is found by whoever reaches it, in his workspace', async () => {
    const key = await store();
    expect(await find(key.id)).toStrictEqual(key);
    expect(await find(key.id, company.adminCaller)).toStrictEqual(key);
    expect(await find(key.id, await readerCaller(), 'read')).toStrictEqual(key);
    const workspace = { ...company.adminCaller.workspace, id: 'wsp_other' };
    const elsewhere = { ...company.adminCaller, workspace };
    expect((await refusalOf(find(key.id, elsewhere))).code).toBe('request.not_found');
    const there = await store({ workspaceId: 'wsp_other' });
    expect((await refusalOf(find(there.id, company.adminCaller))).code).toBe('request.not_found');
    expect(await find(there.id, elsewhere)).toStrictEqual(there);
  });

  it('is not there for others, not even where its row was altered', async () => {
    const key = await store();
    await sql`update api_keys set epoch = 5 where id = ${key.id}`.execute(harness.deps.storage.write);
    expect((await refusalOf(find(key.id))).code).toBe('key.altered');
    const hidden = await refusalOf(find(key.id, company.strangerCaller));
    const none = await refusalOf(find('kr_none'));
    expect([hidden.code, none.code]).toEqual(['request.not_found', 'request.not_found']);
    expect(hidden.detail).toBe(none.detail);
  });

  it('is not changed by who may only read it', async () => {
    const key = await store();
    const reader = await readerCaller();
    expect((await refusalOf(find(key.id, reader))).code).toBe('key.write_not_permitted');
    const other = await store({ accountId: company.stranger.id });
    expect((await refusalOf(find(other.id, reader, 'read'))).code).toBe('request.not_found');
  });

  it('is none when it goes in between', async () => {
    const key = await store();
    const deleteOnceSeen: KyselyPlugin = {
      transformQuery: ({ node }) => node,
      transformResult: async ({ result }) => {
        await sql`delete from api_keys where id = ${key.id}`.execute(harness.deps.storage.write);
        return result;
      },
    };
    const gone = await refusalOf(
      find(key.id, company.memberCaller, 'read', read().withPlugin(deleteOnceSeen)),
    );
    expect(gone.code).toBe('request.not_found');
    expect(gone.detail).toContain('no such key');
  });
});

describe('the account of a key', () => {
  const requireAccount = (key: ApiKey) =>
    inTransaction(harness.deps.storage, (tx) => keyStore.requireAccount(tx, key));

  it('is there and active, or nothing is made of the key', async () => {
    const { accounts } = harness.deps;
    const robot = await harness.createAccount({ kind: 'service', technicalName: 'on', displayName: 'R' });
    const key = await store({ accountId: robot.id });
    expect((await requireAccount(key)).id).toBe(robot.id);
    for (const missing of [{ accountId: 'acc_gone' }, { workspaceId: 'wsp_other' }])
      expect((await refusalOf(requireAccount({ ...key, ...missing }))).code).toBe('request.not_found');
    await accounts.update(company.adminCaller, 'service', robot.id, { state: 'disabled' }, null);
    expect((await refusalOf(requireAccount(key))).code).toBe('key.account_disabled');
  });

  it('has room for a key up to the limit of the workspace, by the keys that have not expired', async () => {
    const account = await harness.createAccount({ kind: 'service', technicalName: 'full', displayName: 'F' });
    const settings = { ...(await harness.deps.settings.get(here())), maxKeysPerAccount: 2 };
    const ask = () =>
      inTransaction(harness.deps.storage, (tx) => keyStore.requireRoom(tx, account, settings));
    const now = harness.clock.now();
    const until = (expiresAt: number | null) => ({
      accountId: account.id,
      current: { number: 1, digest: 'digest', pepperId: 'dk_1', expiresAt },
    });
    await store(until(now));
    await store(until(now + 1));
    await store({ ...until(null), workspaceId: 'wsp_other' });
    expect(await ask()).toBeUndefined();
    let newest = '';
    for (const count of [2, 3]) {
      newest = (await store(until(null))).id;
      const refusal = await refusalOf(ask());
      expect(refusal.code).toBe('key.too_many');
      expect(refusal.detail).toContain(`${count} live keys; the limit (maxKeysPerAccount) is 2`);
    }
    harness.clock.advance(1);
    await harness.deps.storage.write.deleteFrom('api_keys').where('id', '=', newest).execute();
    expect(await ask()).toBeUndefined();
  });
});
