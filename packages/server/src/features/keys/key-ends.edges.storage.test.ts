import { type Account, type Caller, inTransaction } from '@keyreeve/server';
import { type Company, type Harness, startHarness } from '@keyreeve/testkit';
import { type KyselyPlugin, sql } from 'kysely';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { AppError } from '../../errors/index.ts';
import type { KeyIdentity } from '../../http/index.ts';
import { SAMPLE_KEY } from '../../http/samples.ts';
import { DAY_MS } from '../../lib/clock.ts';
import type { ApiKey } from './api-key.ts';
import { createKeyNotices, type KeyNotices } from './key-notices.ts';
import { findKey, insertKey } from './keys.repo.ts';
import { createKeysService, type KeysService } from './keys.service.ts';
import { sampleApiKey } from './samples.ts';

const PUSH = { actions: ['package:push'], resources: ['Contoso.*'] };
const MANAGE = { actions: ['iam:keys:write'], resources: ['*'] };
const ALL = [{ actions: ['package:*', 'iam:*'], resources: ['*'] }];

let harness: Harness;
let company: Pick<Company, 'admin' | 'adminCaller' | 'stranger' | 'strangerCaller'>;
let ada: Account;
let keyNotices: KeyNotices;
let keys: KeysService;
beforeAll(async () => {
  harness = await startHarness();
  // No company with keys: its own would fail before any test when no key can be made.
  const user = (email: string, role: 'admin' | 'member') =>
    harness.createAccount({ kind: 'user', email, displayName: 'U', role });
  const admin = await user('admin@example.com', 'admin');
  const stranger = await user('stranger@example.com', 'member');
  company = {
    admin,
    adminCaller: await harness.callerOf(admin),
    stranger,
    strangerCaller: await harness.callerOf(stranger),
  };
  const { deps } = harness;
  const email = 'user@example.com';
  ada = await harness.createAccount({ kind: 'user', email, displayName: 'U', role: 'member', grants: ALL });
  keyNotices = createKeyNotices(deps);
  keys = createKeysService({ ...deps, delivery: deps.keyDelivery, keyNotices, keyPrefix: 'kr' });
});
afterEach(() => vi.restoreAllMocks());
afterAll(() => harness.close());

const here = () => harness.deps.defaultWorkspace.id;
const read = () => harness.deps.storage.read;
const now = () => harness.clock.now();

async function store(more: Partial<ApiKey> = {}): Promise<ApiKey> {
  const { storage, keyring } = harness.deps;
  const pepperId = keyring.current('pepper').id;
  const key = sampleApiKey(here(), {
    accountId: ada.id,
    ownerId: ada.id,
    access: 'scoped',
    scopes: [PUSH],
    lifetimeDays: 30,
    createdAt: 1,
    createdBy: company.admin.id,
    updatedAt: 3,
    current: { number: 4, digest: 'digest of 4', pepperId, expiresAt: now() + 30 * DAY_MS },
    ipRanges: ['10.0.0.0/8'],
    epoch: 6,
    version: 7,
    ...more,
  });
  await insertKey(storage.write, keyring, key);
  return key;
}

const findStored = ({ id }: ApiKey) => findKey(read(), harness.deps.keyring, here(), id);
const oldUntil = (expiresAt: number) => ({
  old: { number: 3, digest: 'digest of 3', pepperId: harness.deps.keyring.current('pepper').id, expiresAt },
});

/** What stands beside a key: a link to its secret, and what was told of it. */
async function hangOn({ id }: ApiKey): Promise<void> {
  const { write } = harness.deps.storage;
  await sql`insert into one_time_links (id, workspace_id, purpose, token_digest, key_id, created_at, expires_at)
    values (${`link_${id}`}, ${here()}, 'key', ${`digest of ${id}`}, ${id}, 1, 2)`.execute(write);
  await sql`insert into key_expiry_notices (key_id, workspace_id, expires_at, told_ahead_ms, told_at)
    values (${id}, ${here()}, 1, 1, 1)`.execute(write);
  await sql`insert into key_refusal_notices (key_id, workspace_id, told_at) values (${id}, ${here()}, 1)`.execute(
    write,
  );
}

const HANGING = ['api_keys', 'one_time_links', 'key_expiry_notices', 'key_refusal_notices'];

/** The tables that have a row of the key. */
async function listTablesOf({ id }: ApiKey): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select 'api_keys' as name from api_keys where id = ${id}
    union all select 'one_time_links' from one_time_links where key_id = ${id}
    union all select 'key_expiry_notices' from key_expiry_notices where key_id = ${id}
    union all select 'key_refusal_notices' from key_refusal_notices where key_id = ${id}
  `.execute(read());
  return rows.map(({ name }) => name);
}

/** The administrator, who comes with a key. */
async function keyCaller(more: Partial<KeyIdentity> = {}): Promise<Caller> {
  const account = await harness.deps.accounts.findIdentity(read(), here(), company.admin.id);
  if (account === null) throw new Error('There is no administrator.');
  const key = { ...SAMPLE_KEY, id: 'kr_other', scopes: [MANAGE], ...more };
  return { ...company.adminCaller, principal: { kind: 'key', account: { ...account, grants: ALL }, key } };
}

/** All that the end of a key, or of its secret, writes. */
async function listStored(): Promise<unknown> {
  const rows = [];
  for (const query of [
    sql`select * from api_keys order by id`,
    sql`select id from one_time_links order by id`,
    sql`select count(*) as rows from audit`,
    sql`select count(*) as rows from outbox`,
    sql`select sum(epoch) as epoch from revocation_epochs`,
  ])
    rows.push((await query.execute(read())).rows);
  return rows;
}

/** What the work gives, after which everything is as it was. */
async function unchangedBy<Result>(work: () => Promise<Result>): Promise<Result> {
  const before = await listStored();
  const result = await work();
  expect(await listStored()).toEqual(before);
  return result;
}

async function refusalOf(work: () => Promise<unknown>): Promise<AppError> {
  const nothing = () => {
    throw new Error('Nothing was refused.');
  };
  return await unchangedBy(() => work().then(nothing, (error: AppError) => error));
}

/** Records what is written down and told of changes. */
function watch() {
  const recorded = vi.spyOn(harness.deps.audit, 'record');
  const told = vi.spyOn(keyNotices, 'tellChange');
  return {
    entries: () => recorded.mock.calls.map(([, ...input]) => input),
    stories: () => told.mock.calls.map(([, , key, story]) => ({ id: key.id, story })),
    told,
  };
}

const entryOf = ({ id, accountId }: ApiKey, action: string, detail: object, by = company.adminCaller) => [
  by,
  { action, target: { kind: 'key', id, name: 'CI' }, accountId, keyId: id, detail },
];

describe('an overlap', () => {
  it('is ended while it lasts', async () => {
    const before = await store(oldUntil(now() + 1));
    const { entries, stories } = watch();
    const after = { ...before, old: null, version: 8, updatedAt: now() };
    expect(await keys.endOverlap(company.adminCaller, before.id)).toStrictEqual(after);
    expect(await findStored(before)).toStrictEqual(after);
    expect(entries()).toStrictEqual([entryOf(before, 'key.overlap_ended', { generation: 3 })]);
    expect(stories()).toStrictEqual([{ id: before.id, story: { action: 'key.overlap_ended' } }]);
    for (const more of [{ old: null }, oldUntil(now())]) {
      const { id } = await store(more);
      const refusal = await refusalOf(() => keys.endOverlap(company.adminCaller, id));
      expect(refusal.code).toBe('key.no_overlap');
    }
  });
});

describe('a key that is turned off and on', () => {
  const OFF = { isEnabled: false, disabledReason: 'lost', disabledAt: 5 };

  it('is off from the first time, for the last reason', async () => {
    for (const [more, reason, disabledAt] of [
      [{}, null, now()],
      [{}, 'lost', now()],
      [OFF, 'stolen', 5],
      [OFF, null, 5],
      [{ disabledReason: 'lost' }, 'lost', now()],
    ] as const) {
      const before = await store(more);
      const { entries, stories } = watch();
      const after = {
        ...before,
        isEnabled: false,
        disabledReason: reason,
        disabledAt,
        epoch: 7,
        version: 8,
        updatedAt: now(),
      };
      expect(await keys.disable(company.adminCaller, before.id, reason)).toStrictEqual(after);
      expect(await findStored(before)).toStrictEqual(after);
      expect(entries()).toStrictEqual([entryOf(before, 'key.disabled', { reason })]);
      expect(stories()).toStrictEqual([{ id: before.id, story: { action: 'key.disabled', reason } }]);
      vi.restoreAllMocks();
    }
    const same = await store(OFF);
    expect(await unchangedBy(() => keys.disable(company.adminCaller, same.id, 'lost'))).toStrictEqual(same);
  });

  it('is on again only by who holds its rights', async () => {
    const before = await store(OFF);
    const manager = await keyCaller();
    const holder = await keyCaller({ scopes: [MANAGE, PUSH] });
    const refusal = await refusalOf(() => keys.enable(manager, before.id));
    expect(refusal.code).toBe('key.scope_exceeds_caller');
    expect(refusal.detail).toContain('package:push');
    const { entries, stories } = watch();
    const on = { isEnabled: true, disabledReason: null, disabledAt: null };
    const after = { ...before, ...on, version: 8, updatedAt: now() };
    expect(await keys.enable(holder, before.id)).toStrictEqual(after);
    expect(await findStored(before)).toStrictEqual(after);
    expect(entries()).toStrictEqual([entryOf(before, 'key.enabled', {}, holder)]);
    expect(stories()).toStrictEqual([{ id: before.id, story: { action: 'key.enabled' } }]);
    vi.restoreAllMocks();
    const same = await store();
    expect(await unchangedBy(() => keys.enable(manager, same.id))).toStrictEqual(same);
    const whole = await store({ ...OFF, access: 'account', scopes: [] });
    expect((await refusalOf(() => keys.enable(holder, whole.id))).code).toBe('key.scope_exceeds_caller');
    const lost = await store({ ...OFF, accountId: 'acc_gone' });
    expect((await refusalOf(() => keys.enable(company.adminCaller, lost.id))).code).toBe('request.not_found');
  });
});

describe('a key that is revoked by its holder', () => {
  it('has no secret left, and is off', async () => {
    const [before, other] = [await store(oldUntil(now() + 1)), await store()];
    for (const one of [before, other]) await hangOn(one);
    const { entries, stories } = watch();
    const holder = await keyCaller({ id: before.id, scopes: [] });
    await keys.revokeSelf(holder);
    const reason = 'Revoked by its holder';
    expect(await findStored(before)).toStrictEqual({
      ...before,
      current: { ...before.current, number: 5, digest: '' },
      old: null,
      isEnabled: false,
      disabledReason: reason,
      disabledAt: now(),
      epoch: 7,
      version: 8,
      updatedAt: now(),
    });
    expect(stories()).toStrictEqual([{ id: before.id, story: { action: 'key.revoked', reason } }]);
    expect(entries()).toStrictEqual([entryOf(before, 'key.revoked', {}, holder)]);
    expect(await listTablesOf(before)).not.toContain('one_time_links');
    expect(await listTablesOf(other)).toEqual(HANGING);
    expect(await findStored(other)).toStrictEqual(other);
  });

  it('is the one that was presented, and there', async () => {
    const { adminCaller } = company;
    const key = await store();
    const presented = await keyCaller({ id: key.id });
    if (presented.principal.kind !== 'key') throw new Error('It comes with a key.');
    const token = {
      kind: 'token',
      account: presented.principal.account,
      key: presented.principal.key,
      token: { jti: 'jti', issuedAt: 1, expiresAt: 2 },
    } as const;
    for (const principal of [adminCaller.principal, token])
      expect(await refusalOf(() => keys.revokeSelf({ ...adminCaller, principal }))).toMatchObject({
        code: 'auth.kind_not_accepted',
        extra: { accepted: ['key'] },
      });
    const nobody: Caller = { ...adminCaller, principal: { kind: 'anonymous' } };
    expect((await refusalOf(() => keys.revokeSelf(nobody))).code).toBe('auth.required');
    const gone = await keyCaller({ id: 'kr_gone' });
    await unchangedBy(() => keys.revokeSelf(gone));
    const workspace = { ...adminCaller.workspace, id: 'wsp_other' };
    await unchangedBy(() => keys.revokeSelf({ ...presented, workspace }));
  });
});

describe('a key that is deleted', () => {
  const placeOf = ({ id, accountId, access, current }: ApiKey) => ({
    id,
    workspaceId: here(),
    accountId,
    comment: 'CI',
    access,
    expiresAt: current.expiresAt,
  });

  it('goes with all that hangs on it, and is told', async () => {
    const [key, other] = [await store(), await store()];
    for (const one of [key, other]) await hangOn(one);
    const { entries, told } = watch();
    await keys.remove(company.adminCaller, key.id);
    expect([await listTablesOf(key), await listTablesOf(other)]).toEqual([[], HANGING]);
    expect(entries()).toStrictEqual([entryOf(key, 'key.deleted', { access: 'scoped' })]);
    expect(told.mock.calls.map(([, ...input]) => input)).toStrictEqual([
      [company.adminCaller, placeOf(key), { action: 'key.deleted' }],
    ]);
  });

  it('is one that the caller reaches in his workspace, also where its row was altered', async () => {
    const { adminCaller, strangerCaller } = company;
    const key = await store();
    const elsewhere = { ...adminCaller, workspace: { ...adminCaller.workspace, id: 'wsp_other' } };
    for (const [by, id] of [
      [adminCaller, 'kr_none'],
      [elsewhere, key.id],
      [strangerCaller, key.id],
    ] as const)
      expect((await refusalOf(() => keys.remove(by, id))).code).toBe('request.not_found');
    await sql`update api_keys set epoch = 5 where id = ${key.id}`.execute(harness.deps.storage.write);
    await keys.remove(adminCaller, key.id);
    expect(await listTablesOf(key)).toEqual([]);
  });

  it('goes with its account, or the one that it acts for, which gets no mail for each', async () => {
    const robot = await harness.createAccount({ kind: 'service', technicalName: 'goes', displayName: 'G' });
    const own = await store({ accountId: robot.id });
    const acting = await store({ ownerId: robot.id });
    const [other, there] = [await store(), await store({ accountId: robot.id, workspaceId: 'wsp_other' })];
    for (const one of [own, acting, other]) await hangOn(one);
    const { entries, told } = watch();
    const emitted = vi.spyOn(keyNotices, 'emitChange');
    await inTransaction(harness.deps.storage, (tx) => keys.removeAllOf(tx, company.adminCaller, robot));
    expect([await listTablesOf(own), await listTablesOf(acting)]).toEqual([[], []]);
    expect([await listTablesOf(other), await listTablesOf(there)]).toEqual([HANGING, ['api_keys']]);
    const byId = [own, acting].toSorted((a, b) => a.id.localeCompare(b.id));
    const because = { because: 'account deleted' };
    expect(entries().toSorted(([, a], [, b]) => a.target.id.localeCompare(b.target.id))).toStrictEqual(
      byId.map(({ id }) => [
        company.adminCaller,
        {
          action: 'key.deleted',
          target: { kind: 'key', id },
          accountId: robot.id,
          keyId: id,
          detail: because,
        },
      ]),
    );
    const events = emitted.mock.calls.map(([, ...input]) => input);
    expect(events.toSorted(([, a], [, b]) => a.id.localeCompare(b.id))).toStrictEqual(
      byId.map((key) => [company.adminCaller, placeOf(key), robot, { action: 'key.deleted' }]),
    );
    expect(told).not.toHaveBeenCalled();
  });

  it('that went in between leaves nothing behind, and is told to nobody', async () => {
    const robot = await harness.createAccount({ kind: 'service', technicalName: 'slow', displayName: 'S' });
    const key = await store({ accountId: robot.id });
    await hangOn(key);
    const emitted = vi.spyOn(keyNotices, 'emitChange');
    const { storage } = harness.deps;
    let isListed = false;
    let deleteListed = async () => {};
    const deleteOnceListed: KyselyPlugin = {
      transformQuery: ({ node }) => node,
      transformResult: async ({ result }) => {
        if (!isListed) {
          isListed = true;
          await deleteListed();
        }
        return result;
      },
    };
    await inTransaction({ ...storage, write: storage.write.withPlugin(deleteOnceListed) }, async (tx) => {
      deleteListed = async () => {
        await sql`delete from api_keys where id = ${key.id}`.execute(tx);
      };
      await keys.removeAllOf(tx, company.adminCaller, robot);
    });
    expect(isListed).toBe(true);
    expect(await listTablesOf(key)).toEqual([]);
    expect(emitted).not.toHaveBeenCalled();
  });
});
