import type { Account, Caller } from '@keyreeve/server';
import { type Company, type Harness, startHarness } from '@keyreeve/testkit';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { AppError } from '../../errors/index.ts';
import type { KeyIdentity } from '../../http/index.ts';
import { SAMPLE_KEY } from '../../http/samples.ts';
import { DAY_MS, HOUR_MS, toIso } from '../../lib/clock.ts';
import type { ApiKey } from './api-key.ts';
import { digestSecret } from './key-digest.ts';
import { parseFullKey } from './key-format.ts';
import type { RegenerateKeyInput } from './key-issue.ts';
import { createKeyNotices, type KeyNotices } from './key-notices.ts';
import { KeyStore } from './key-store.ts';
import { findKey, insertKey } from './keys.repo.ts';
import { createKeysService, type KeysService } from './keys.service.ts';
import { sampleApiKey } from './samples.ts';

const PUSH = { actions: ['package:push'], resources: ['Contoso.*'] };
const MANAGE = { actions: ['iam:keys:write'], resources: ['*'] };
const LIMITS = { rate: { requests: 5, windowSeconds: 60 }, quota: null };
const ALL = [{ actions: ['package:*', 'iam:*'], resources: ['*'] }];
type SettingsPatch = Parameters<Harness['deps']['settings']['update']>[1];

let harness: Harness;
let company: Pick<Company, 'admin' | 'adminCaller' | 'stranger' | 'strangerCaller' | 'robot'>;
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
  const robot = await harness.createAccount({ kind: 'service', technicalName: 'robot', displayName: 'R' });
  company = {
    admin,
    adminCaller: await harness.callerOf(admin),
    stranger,
    strangerCaller: await harness.callerOf(stranger),
    robot,
  };
  const { deps } = harness;
  const grants = [{ actions: ['package:*'], resources: ['*'] }];
  const email = 'user@example.com';
  ada = await harness.createAccount({ kind: 'user', email, displayName: 'U', role: 'member', grants });
  keyNotices = createKeyNotices(deps);
  keys = createKeysService({ ...deps, delivery: deps.keyDelivery, keyNotices, keyPrefix: 'abc' });
});
afterEach(() => vi.restoreAllMocks());
afterAll(() => harness.close());

const here = () => harness.deps.defaultWorkspace.id;
const read = () => harness.deps.storage.read;
const now = () => harness.clock.now();

/** A key as it is stored: one that has been regenerated before and works for five hours, but for what is said. */
async function store(more: Partial<ApiKey> = {}): Promise<ApiKey> {
  const { storage, keyring } = harness.deps;
  const pepperId = keyring.current('pepper').id;
  const key = sampleApiKey(here(), {
    accountId: ada.id,
    ownerId: company.robot.id,
    access: 'scoped',
    scopes: [PUSH],
    lifetimeDays: 90,
    createdAt: 1,
    createdBy: company.admin.id,
    renewedAt: 2,
    updatedAt: 3,
    current: { number: 4, digest: 'digest of 4', pepperId, expiresAt: now() + 5 * HOUR_MS },
    old: { number: 3, digest: 'digest of 3', pepperId, expiresAt: now() + 1 },
    ipRanges: ['10.0.0.0/8'],
    limits: LIMITS,
    epoch: 6,
    version: 7,
    ...more,
  });
  await insertKey(storage.write, keyring, key);
  return key;
}

const currentUntil = (expiresAt: number | null) => ({
  number: 4,
  digest: 'digest of 4',
  pepperId: harness.deps.keyring.current('pepper').id,
  expiresAt,
});
const off = () => ({ isEnabled: false, disabledReason: 'lost', disabledAt: now() - 1 });
const expired = () => ({ current: currentUntil(now()) });

const regenerate = ({ id }: { id: string }, input: RegenerateKeyInput = {}, by = company.adminCaller) =>
  keys.regenerate(by, id, input);

/** The administrator, who comes with a key. */
async function keyCaller(more: Partial<KeyIdentity>): Promise<Caller> {
  const account = await harness.deps.accounts.findIdentity(read(), here(), company.admin.id);
  if (account === null) throw new Error('There is no administrator.');
  const key = { ...SAMPLE_KEY, id: 'kr_other', ...more };
  return { ...company.adminCaller, principal: { kind: 'key', account: { ...account, grants: ALL }, key } };
}

/** All that a regenerated key changes. */
async function listStored(): Promise<unknown> {
  const queries = [
    sql`select * from api_keys order by id`,
    sql`select id from one_time_links order by id`,
    sql`select count(*) as rows from audit`,
    sql`select count(*) as rows from outbox`,
  ];
  const rows = [];
  for (const query of queries) rows.push((await query.execute(read())).rows);
  return rows;
}

async function refusalOf(work: () => Promise<unknown>): Promise<AppError> {
  const before = await listStored();
  const refusal = await work().then(
    () => {
      throw new Error('Nothing was refused.');
    },
    (error: AppError) => error,
  );
  expect(await listStored()).toEqual(before);
  return refusal;
}

async function withSettings(patch: SettingsPatch, work: () => Promise<void>): Promise<void> {
  const { settings } = harness.deps;
  const before = await settings.get(here());
  await settings.update(company.adminCaller, patch, null);
  try {
    await work();
  } finally {
    await settings.update(company.adminCaller, before, null);
  }
}

describe('a regenerated key', () => {
  it('is the same key with another secret, for its lifetime from now on', async () => {
    const before = await store();
    const recorded = vi.spyOn(harness.deps.audit, 'record');
    const told = vi.spyOn(keyNotices, 'tellChange');
    const asked = vi.spyOn(KeyStore.prototype, 'findReachableKey');
    const { key, secretKey, fullKey } = await regenerate(before);
    expect(asked.mock.calls.map(([, ...input]) => input)).toEqual([
      [company.adminCaller, before.id, 'write'],
    ]);
    expect(fullKey.reveal()).toBe(`${before.id}_${secretKey.reveal()}`);
    const halves = parseFullKey(fullKey);
    expect([halves?.apiKey, halves?.secretKey.reveal()]).toEqual([before.id, secretKey.reveal()]);
    const { keyring } = harness.deps;
    const place = { workspaceId: here(), keyId: before.id, generation: 5 };
    const expiresAt = now() + 90 * DAY_MS;
    const after = {
      ...before,
      renewedAt: now(),
      updatedAt: now(),
      current: { number: 5, ...digestSecret(keyring, place, secretKey), expiresAt },
      old: null,
      version: 8,
    };
    expect(key).toStrictEqual(after);
    expect(await findKey(read(), keyring, here(), before.id)).toStrictEqual(after);
    const entry = {
      action: 'key.regenerated',
      target: { kind: 'key', id: before.id, name: 'CI' },
      accountId: ada.id,
      keyId: before.id,
      detail: {
        generation: 5,
        overlapHours: 0,
        lifetimeDays: 90,
        expiresAt: { from: toIso(now() + 5 * HOUR_MS), to: toIso(expiresAt) },
        mailed: false,
      },
    };
    expect(recorded.mock.calls.map(([, ...input]) => input)).toStrictEqual([[company.adminCaller, entry]]);
    const story = { action: 'key.regenerated', oldWorksUntil: null, mailedTo: null };
    expect(told.mock.calls.map(([, , , toldStory]) => toldStory)).toStrictEqual([story]);
  });

  it('lives no longer than the workspace allows by now', async () => {
    for (const [lifetimeDays, days] of [
      [1, 1],
      [365, 365],
      [730, 365],
    ] as const) {
      const recorded = vi.spyOn(harness.deps.audit, 'record');
      const { key } = await regenerate(await store({ lifetimeDays }));
      expect(key.current.expiresAt).toBe(now() + days * DAY_MS);
      expect(key.lifetimeDays).toBe(lifetimeDays);
      expect(recorded.mock.calls[0]?.[2].detail).toMatchObject({ lifetimeDays: days });
      recorded.mockRestore();
    }
  });

  it('keeps the secret that it had for the overlap, at most as long as that would have lived', async () => {
    const end = now() + 5 * HOUR_MS;
    for (const [overlapHours, expiresAt, until] of [
      [1, end, now() + HOUR_MS],
      [5, end, end],
      [6, end, end],
      [168, null, now() + 168 * HOUR_MS],
    ] as const) {
      const recorded = vi.spyOn(harness.deps.audit, 'record');
      const told = vi.spyOn(keyNotices, 'tellChange');
      const current = currentUntil(expiresAt);
      const { key } = await regenerate(await store({ current }), { overlapHours });
      expect(key.old).toStrictEqual({ ...current, expiresAt: until });
      const story = { action: 'key.regenerated', oldWorksUntil: until, mailedTo: null };
      expect(told.mock.calls[0]?.[3]).toStrictEqual(story);
      const from = expiresAt === null ? null : toIso(expiresAt);
      expect(recorded.mock.calls[0]?.[2].detail).toMatchObject({ overlapHours, expiresAt: { from } });
      vi.restoreAllMocks();
    }
    expect((await regenerate(await store(), { overlapHours: 0 })).key.old).toBeNull();
  });

  it('is one that had a secret of ours and a lifetime', async () => {
    for (const more of [{ lifetimeDays: null }, { foreignDigest: 'digest' }]) {
      const before = await store(more);
      expect((await refusalOf(() => regenerate(before))).code).toBe('key.not_regenerable');
    }
  });

  it('that does not work has no secret worth keeping, and gets a new one only', async () => {
    for (const more of [off(), expired(), { ...off(), ...expired() }]) {
      const before = await store(more);
      const refusal = await refusalOf(() => regenerate(before, { overlapHours: 1 }));
      expect(refusal.code).toBe('key.overlap_not_allowed');
      const { key } = await regenerate(before, { overlapHours: 0 });
      expect(key).toMatchObject({ old: null, isEnabled: before.isEnabled, current: { number: 5 } });
    }
  });

  it('needs room where it had expired, and so was not counted', async () => {
    const email = 'full@example.com';
    const { id: accountId } = await harness.createAccount({
      kind: 'user',
      email,
      displayName: 'F',
      role: 'member',
      grants: ALL,
    });
    await store({ accountId });
    await withSettings({ maxKeysPerAccount: 1 }, async () => {
      for (const more of [
        {},
        off(),
        { current: currentUntil(now() + 1) },
        { ...off(), current: currentUntil(null) },
      ])
        expect((await regenerate(await store({ accountId, ...more }))).key.current.number).toBe(5);
      for (const more of [expired(), { ...off(), ...expired() }]) {
        const before = await store({ accountId, ...more });
        const mailTo = 'not an address';
        expect((await refusalOf(() => regenerate(before, { mailTo }))).code).toBe('key.too_many');
      }
    });
    const roomy = await store({ accountId, ...expired() });
    expect((await regenerate(roomy)).key.current.number).toBe(5);
  });

  it('has scopes within what its account is granted by now; one without any has the rights of its account', async () => {
    const stock = { actions: ['stock:read'], resources: ['*'] };
    const wide = await store({ scopes: [PUSH, stock] });
    const refusal = await refusalOf(() => regenerate(wide));
    expect(refusal.code).toBe('key.scope_exceeds_account');
    expect(refusal.detail).toContain('stock:read');
    const empty = await store({ scopes: [] });
    expect((await refusalOf(() => regenerate(empty))).code).toBe('key.scope_required');
    // Nothing looks at the scopes of a key that is not scoped.
    for (const scopes of [[], [stock]]) {
      const whole = await regenerate(await store({ access: 'account', scopes }));
      expect(whole.key).toMatchObject({ access: 'account', scopes, current: { number: 5 } });
    }
  });

  it('hands a key that regenerates it no right which that one lacks', async () => {
    const manager = await keyCaller({ scopes: [MANAGE] });
    for (const [more, told] of [
      [{}, 'package:push'],
      [{ access: 'account', scopes: [] }, 'package:'],
    ] as const) {
      const before = await store(more);
      const refusal = await refusalOf(() => regenerate(before, {}, manager));
      expect(refusal.code).toBe('key.scope_exceeds_caller');
      expect(refusal.detail).toContain(told);
    }
    const holder = await keyCaller({ scopes: [MANAGE, PUSH] });
    expect((await regenerate(await store(), {}, holder)).key.current.number).toBe(5);
  });

  it('gives its secret to no other key that has limits, but to itself', async () => {
    const before = await store();
    const limited = { scopes: [MANAGE, PUSH], limits: LIMITS };
    const other = await keyCaller(limited);
    expect((await refusalOf(() => regenerate(before, {}, other))).code).toBe('key.limits_exceed_caller');
    const itself = await keyCaller({ ...limited, id: before.id });
    expect((await regenerate(before, {}, itself)).key.current.number).toBe(5);
  });

  it('keeps its secret where it is not the caller’s, its account is off or gone, or no mail can go where it should', async () => {
    const robot = await harness.createAccount({
      kind: 'service',
      technicalName: 'without-mail',
      displayName: 'R',
      grants: ALL,
    });
    const idle = await harness.createAccount({
      kind: 'service',
      technicalName: 'idle',
      displayName: 'I',
      grants: ALL,
    });
    await harness.deps.accounts.update(company.adminCaller, 'service', idle.id, { state: 'disabled' }, null);
    for (const [accountId, by, code] of [
      [ada.id, company.strangerCaller, 'request.not_found'],
      [idle.id, company.adminCaller, 'key.account_disabled'],
      ['acc_gone', company.adminCaller, 'request.not_found'],
      [robot.id, company.adminCaller, 'key.mail_address_missing'],
    ] as const) {
      const before = await store({ accountId });
      expect((await refusalOf(() => regenerate(before, { sendMail: true }, by))).code).toBe(code);
    }
  });

  it('is mailed when that is asked for, or an address is named', async () => {
    const { settings, accounts, keyDelivery, audit } = harness.deps;
    const address = 'user@example.com';
    for (const [input, oldWorksUntil] of [
      [{ sendMail: true }, null],
      [{ mailTo: address }, null],
      [{ sendMail: false, mailTo: address, overlapHours: 2 }, now() + 2 * HOUR_MS],
      [{ sendMail: true, mailTo: address, overlapHours: 0 }, null],
    ] as const) {
      const before = await store();
      const sent = vi.spyOn(keyDelivery, 'send');
      const recorded = vi.spyOn(audit, 'record');
      const told = vi.spyOn(keyNotices, 'tellChange');
      const { key, secretKey } = await regenerate(before, input);
      const mail = {
        key,
        secretKey,
        account: await accounts.find(read(), here(), ada.id),
        settings: await settings.get(here()),
        target: { address, accountId: ada.id },
        change: { kind: 'regenerated', oldWorksUntil },
      };
      expect(sent.mock.calls.map(([, ...given]) => given)).toStrictEqual([[company.adminCaller, mail]]);
      expect(sent.mock.calls[0]?.[2].secretKey.reveal()).toBe(secretKey.reveal());
      const story = { action: 'key.regenerated', oldWorksUntil, mailedTo: address };
      expect(told.mock.calls[0]?.[3]).toStrictEqual(story);
      expect(recorded.mock.calls[0]?.[2].detail).toMatchObject({ mailed: true });
      vi.restoreAllMocks();
    }
    const unasked = vi.spyOn(keyDelivery, 'send');
    await regenerate(await store(), { sendMail: false });
    expect(unasked).not.toHaveBeenCalled();
  });

  it('takes the links to its former secret with it, and leaves that to its new one', async () => {
    const linksOf = async ({ id }: ApiKey) =>
      (await sql<{ id: string }>`select id from one_time_links where key_id = ${id}`.execute(read())).rows;
    const [key, other] = [await store(), await store()];
    for (const one of [key, other]) await regenerate(one, { sendMail: true });
    const [first, ofOther] = [await linksOf(key), await linksOf(other)];
    expect([first.length, ofOther.length]).toEqual([1, 1]);
    await regenerate(key, { sendMail: true });
    const second = await linksOf(key);
    expect(second).toHaveLength(1);
    expect(second).not.toEqual(first);
    await regenerate(key);
    expect([await linksOf(key), await linksOf(other)]).toEqual([[], ofOther]);
  });

  it('is stored with all that hangs on it, or not at all', async () => {
    const before = await store();
    await regenerate(before, { sendMail: true });
    for (const fail of [
      () => vi.spyOn(harness.deps.keyDelivery, 'send').mockRejectedValue(new Error('No mail.')),
      () => vi.spyOn(harness.deps.audit, 'record').mockRejectedValue(new Error('No entry.')),
      () => vi.spyOn(keyNotices, 'tellChange').mockRejectedValue(new Error('No notice.')),
    ]) {
      const spy = fail();
      expect((await refusalOf(() => regenerate(before, { sendMail: true }))).message).toMatch(/^No /);
      spy.mockRestore();
    }
  });
});
