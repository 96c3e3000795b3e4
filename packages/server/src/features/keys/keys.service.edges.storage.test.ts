import type { Account, Caller } from '@keyreeve/server';
import { type Company, type Harness, startHarness } from '@keyreeve/testkit';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { AppError } from '../../errors/index.ts';
import type { KeyIdentity } from '../../http/index.ts';
import { SAMPLE_KEY } from '../../http/samples.ts';
import { DAY_MS } from '../../lib/clock.ts';
import type { ApiKey } from './api-key.ts';
import { createKeyNotices, type KeyNotices } from './key-notices.ts';
import { KeyStore } from './key-store.ts';
import { findKey, insertKey } from './keys.repo.ts';
import { createKeysService, type KeyPatch, type KeysService } from './keys.service.ts';
import { sampleApiKey } from './samples.ts';

const PUSH = { actions: ['package:push'], resources: ['Contoso.*', 'Fabrikam.*'] };
const MANAGE = { actions: ['iam:keys:write'], resources: ['*'] };
const LIMITS = { rate: { requests: 5, windowSeconds: 60 }, quota: null };
const ALL = [{ actions: ['package:*', 'iam:*'], resources: ['*'] }];

let harness: Harness;
let company: Pick<Company, 'admin' | 'adminCaller' | 'robot'>;
let ada: Account;
let keyNotices: KeyNotices;
let keys: KeysService;
beforeAll(async () => {
  harness = await startHarness();
  // No company with keys: its own would fail before any test when no key can be made.
  const admin = await harness.createAccount({
    kind: 'user',
    email: 'admin@example.com',
    displayName: 'A',
    role: 'admin',
  });
  const robot = await harness.createAccount({ kind: 'service', technicalName: 'robot', displayName: 'R' });
  company = { admin, adminCaller: await harness.callerOf(admin), robot };
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
    ownerId: company.robot.id,
    access: 'scoped',
    scopes: [PUSH],
    lifetimeDays: 30,
    createdAt: 1,
    createdBy: company.admin.id,
    updatedAt: 3,
    current: { number: 4, digest: 'digest of 4', pepperId, expiresAt: now() + 30 * DAY_MS },
    ipRanges: ['10.0.0.0/8', '192.0.2.7'],
    epoch: 6,
    version: 7,
    ...more,
  });
  await insertKey(storage.write, keyring, key);
  return key;
}

const findStored = ({ id }: ApiKey) => findKey(read(), harness.deps.keyring, here(), id);
const WHOLE = { access: 'account', scopes: [] } as const;

/** The administrator, who comes with a key. */
async function keyCaller(more: Partial<KeyIdentity> = {}): Promise<Caller> {
  const account = await harness.deps.accounts.findIdentity(read(), here(), company.admin.id);
  if (account === null) throw new Error('There is no administrator.');
  const key = { ...SAMPLE_KEY, id: 'kr_other', scopes: [MANAGE], ...more };
  return { ...company.adminCaller, principal: { kind: 'key', account: { ...account, grants: ALL }, key } };
}

/** All that a change of a key writes. */
async function listStored(): Promise<unknown> {
  const rows = [];
  for (const query of [
    sql`select * from api_keys order by id`,
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

/** Records what is written down and told of one change. */
function watch() {
  const recorded = vi.spyOn(harness.deps.audit, 'record');
  const told = vi.spyOn(keyNotices, 'tellChange');
  return {
    entries: () => recorded.mock.calls.map(([, , entry]) => entry),
    stories: () => told.mock.calls.map(([, , , story]) => story),
  };
}

const entryOf = ({ id, accountId }: ApiKey, action: string, detail: object) => ({
  action,
  target: { kind: 'key', id, name: 'CI' },
  accountId,
  keyId: id,
  detail,
});

const update = ({ id }: ApiKey, patch: KeyPatch, by = company.adminCaller, ifMatch: number | null = 7) =>
  keys.update(by, id, patch, ifMatch);

describe('an edit of a key', () => {
  it('is of the version that the caller has seen, where he names one', async () => {
    const key = await store();
    for (const version of [0, 6, 8])
      expect(
        await refusalOf(() => update(key, { comment: 'CD' }, company.adminCaller, version)),
      ).toMatchObject({
        code: 'request.precondition_failed',
        extra: { version: 7 },
      });
    expect((await update(key, { comment: 'CD' }, company.adminCaller, 7)).comment).toBe('CD');
    expect((await update(key, { comment: 'CE' }, company.adminCaller, null)).comment).toBe('CE');
  });

  it('leaves alone what is fixed, which may be sent back as it is', async () => {
    const key = await store();
    const fixed = { access: key.access, ownerId: key.ownerId, accountId: key.accountId, lifetimeDays: 30 };
    expect(await unchangedBy(() => update(key, fixed))).toStrictEqual(key);
    for (const [field, value] of [
      ['access', 'account'],
      ['ownerId', ada.id],
      ['accountId', company.robot.id],
      ['lifetimeDays', null],
      ['lifetimeDays', 31],
    ] as const) {
      const refusal = await refusalOf(() => update(key, { [field]: value }));
      expect(refusal).toMatchObject({ code: 'key.field_immutable', fields: [{ field }] });
      expect(refusal.detail).toContain(field);
    }
  });

  it('changes what it names, and is told by what was and what is', async () => {
    const narrow = [{ ...PUSH, resources: ['Contoso.*'] }];
    const wide = [{ ...PUSH, resources: ['*'] }];
    for (const [patch, field, to, epoch] of [
      [{ comment: ' CD ' }, 'comment', 'CD', 6],
      [{ scopes: narrow }, 'scopes', narrow, 7],
      [{ scopes: wide }, 'scopes', wide, 6],
      [{ ipRanges: ['192.0.2.7'] }, 'ipRanges', ['192.0.2.7'], 7],
      [{ ipRanges: [] }, 'ipRanges', [], 7],
      [{ limits: LIMITS }, 'limits', LIMITS, 7],
    ] as const) {
      const key = await store();
      const { entries, stories } = watch();
      const changes = { [field]: { from: key[field], to } };
      const after = { ...key, [field]: to, epoch, version: 8, updatedAt: now() };
      expect(await update(key, patch), field).toStrictEqual(after);
      expect(await findStored(key)).toStrictEqual(after);
      expect(stories()).toStrictEqual([{ action: 'key.changed', changes }]);
      expect(entries()).toStrictEqual([
        { ...entryOf(key, 'key.changed', changes), target: { kind: 'key', id: key.id, name: after.comment } },
      ]);
      vi.restoreAllMocks();
    }
    const lifted = await store({ limits: LIMITS });
    expect(await update(lifted, { limits: null })).toMatchObject({ limits: null, epoch: 6, version: 8 });
    const several = await store();
    const { stories } = watch();
    await update(several, { comment: 'CD', scopes: narrow, ipRanges: [], limits: LIMITS });
    const changes = {
      comment: { from: 'CI', to: 'CD' },
      scopes: { from: [PUSH], to: narrow },
      ipRanges: { from: several.ipRanges, to: [] },
      limits: { from: null, to: LIMITS },
    };
    expect(stories()).toStrictEqual([{ action: 'key.changed', changes }]);
  });

  it('that changes nothing is none', async () => {
    const key = await store({ limits: LIMITS });
    const { comment, scopes, ipRanges, limits } = key;
    for (const patch of [{}, { comment, scopes, ipRanges, limits }])
      expect(await unchangedBy(() => update(key, patch))).toStrictEqual(key);
  });

  it('with a fault is refused by name', async () => {
    const unlist = { ...PUSH, actions: ['package:unlist'] };
    const key = await store();
    for (const [patch, code, field] of [
      [{ comment: ' ' }, 'request.invalid', 'comment'],
      [{ ipRanges: ['here'] }, 'request.invalid', 'ipRanges[0]'],
      [{ limits: { rate: { requests: 0, windowSeconds: 1 } } }, 'request.invalid', 'limits.rate.requests'],
      [{ scopes: [] }, 'key.scope_required', 'scopes'],
      [{ scopes: [unlist] }, 'key.field_immutable', 'scopes'],
    ] as const)
      expect(await refusalOf(() => update(key, patch))).toMatchObject({ code, fields: [{ field }] });
    const stock = [{ actions: ['stock:read'], resources: ['*'] }];
    const granted = await store({ scopes: stock });
    expect((await refusalOf(() => update(granted, { scopes: stock }))).code).toBe(
      'key.scope_exceeds_account',
    );
  });

  it('gives no scopes to a key that is not scoped', async () => {
    const whole = await store(WHOLE);
    expect((await refusalOf(() => update(whole, { scopes: [PUSH] }))).code).toBe('key.scopes_not_allowed');
    expect((await unchangedBy(() => update(whole, { scopes: [] }))).version).toBe(7);
    // Such a row says nothing that counts.
    const stray = await store({ access: 'account' });
    expect((await update(stray, { scopes: [] })).scopes).toEqual([]);
  });

  it('of its patterns takes an account that is there and active', async () => {
    const idle = await harness.createAccount({
      kind: 'service',
      technicalName: 'idle',
      displayName: 'I',
      grants: ALL,
    });
    await harness.deps.accounts.update(company.adminCaller, 'service', idle.id, { state: 'disabled' }, null);
    const scopes = [{ ...PUSH, resources: ['Contoso.*'] }];
    for (const [accountId, code] of [
      [idle.id, 'key.account_disabled'],
      ['acc_gone', 'request.not_found'],
    ] as const) {
      const key = await store({ accountId });
      expect((await refusalOf(() => update(key, { scopes }))).code).toBe(code);
      expect((await refusalOf(() => update(key, { ipRanges: [] }))).code).toBe(code);
      expect((await update(key, { comment: 'CD' })).comment).toBe('CD');
    }
  });

  it('by a key hands on nothing that it lacks', async () => {
    const manager = await keyCaller();
    const limited = await keyCaller({ scopes: [MANAGE, PUSH], limits: LIMITS });
    const key = await store({ limits: LIMITS });
    for (const [patch, by, code] of [
      [{ ipRanges: [] }, manager, 'key.scope_exceeds_caller'],
      [{ ipRanges: ['10.0.0.0/8', '198.51.100.1'] }, manager, 'key.scope_exceeds_caller'],
      [{ scopes: [{ ...PUSH, resources: ['Contoso.*'] }] }, manager, 'key.scope_exceeds_caller'],
      [{ limits: null }, limited, 'key.limits_exceed_caller'],
      [{ limits: { rate: { requests: 6, windowSeconds: 60 } } }, limited, 'key.limits_exceed_caller'],
    ] as const)
      expect((await refusalOf(() => update(key, patch, by))).code).toBe(code);
    const narrowed = { ipRanges: ['10.0.0.0/8'], comment: 'CD' };
    expect((await update(await store(), narrowed, manager)).comment).toBe('CD');
    expect((await update(await store(), { limits: LIMITS }, limited)).limits).toEqual(LIMITS);
    const tighter = { rate: { requests: 4, windowSeconds: 60 }, quota: null };
    expect((await update(await store({ limits: LIMITS }), { limits: tighter }, limited)).epoch).toBe(7);
    const holder = await keyCaller({ scopes: [MANAGE, PUSH] });
    expect((await update(await store(), { ipRanges: [] }, holder)).ipRanges).toEqual([]);
    const whole = await store(WHOLE);
    expect((await refusalOf(() => update(whole, { ipRanges: [] }, holder))).code).toBe(
      'key.scope_exceeds_caller',
    );
  });
});

describe('a key that is read', () => {
  it('is changed in no way by who may only read it', async () => {
    const key = await store();
    const reader = await keyCaller({ scopes: [{ actions: ['iam:keys:read'], resources: [ada.id] }] });
    for (const change of [
      () => update(key, {}, reader),
      () => keys.endOverlap(reader, key.id),
      () => keys.disable(reader, key.id, null),
      () => keys.enable(reader, key.id),
      () => keys.remove(reader, key.id),
      () => keys.regenerate(reader, key.id, {}),
    ])
      expect((await refusalOf(change)).code, String(change)).toBe('key.write_not_permitted');
    expect(await unchangedBy(() => keys.get(reader, key.id))).toStrictEqual(key);
  });

  it('is asked for with the right to change it only where it is changed', async () => {
    const { adminCaller } = company;
    const asked = vi.spyOn(KeyStore.prototype, 'findReachableKey');
    const until = { number: 3, digest: 'digest of 3', pepperId: 'dk_1', expiresAt: now() + 1 };
    const { id } = await store({ old: until });
    await keys.get(adminCaller, id);
    await keys.update(adminCaller, id, {}, null);
    await keys.endOverlap(adminCaller, id);
    await keys.disable(adminCaller, id, null);
    await keys.enable(adminCaller, id);
    expect(asked.mock.calls.map(([, ...input]) => input)).toEqual(
      ['read', 'write', 'write', 'write', 'write'].map((intent) => [adminCaller, id, intent]),
    );
  });
});
