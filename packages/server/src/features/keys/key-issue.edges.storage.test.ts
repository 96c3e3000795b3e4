import type { Account, Caller } from '@keyreeve/server';
import { type Company, type Harness, startHarness } from '@keyreeve/testkit';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { AppError } from '../../errors/index.ts';
import type { KeyIdentity } from '../../http/index.ts';
import { SAMPLE_KEY } from '../../http/samples.ts';
import { DAY_MS } from '../../lib/clock.ts';
import { digestSecret } from './key-digest.ts';
import { parseFullKey } from './key-format.ts';
import type { CreateKeyInput } from './key-issue.ts';
import { createKeyNotices, type KeyNotices } from './key-notices.ts';
import { findKey } from './keys.repo.ts';
import { createKeysService, type KeysService } from './keys.service.ts';

const PUSH = { actions: ['package:push'], resources: ['Contoso.*'] };
const MANAGE = { actions: ['iam:keys:write'], resources: ['*'] };
const LIMITS = { rate: { requests: 5, windowSeconds: 60 }, quota: null };
const ALL = [{ actions: ['package:*', 'iam:*'], resources: ['*'] }];

type SettingsPatch = Parameters<Harness['deps']['settings']['update']>[1];

let harness: Harness;
let company: Pick<Company, 'admin' | 'adminCaller' | 'stranger' | 'strangerCaller'>;
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
  keyNotices = createKeyNotices(deps);
  keys = createKeysService({ ...deps, delivery: deps.keyDelivery, keyNotices, keyPrefix: 'abc' });
});
afterEach(() => vi.restoreAllMocks());
afterAll(() => harness.close());

const here = () => harness.deps.defaultWorkspace.id;
const read = () => harness.deps.storage.read;

let names = 0;
async function addUser(): Promise<Account> {
  const email = `user-${(names += 1)}@example.com`;
  return await harness.createAccount({ kind: 'user', email, displayName: 'U', role: 'member', grants: ALL });
}

async function addRobot(managers: readonly string[], grants = ALL): Promise<Account> {
  const technicalName = `robot-${(names += 1)}`;
  return await harness.createAccount({ kind: 'service', technicalName, displayName: 'R', grants, managers });
}

/** The administrator, who comes with a key. */
async function keyCaller(more: Partial<KeyIdentity> = {}): Promise<Caller> {
  const account = await harness.deps.accounts.findIdentity(read(), here(), company.admin.id);
  if (account === null) throw new Error('There is no administrator.');
  const key = { ...SAMPLE_KEY, scopes: [MANAGE], ...more };
  return { ...company.adminCaller, principal: { kind: 'key', account: { ...account, grants: ALL }, key } };
}

const ASKED: CreateKeyInput = { comment: ' CI ', access: 'scoped', scopes: [PUSH] };
const create = (account: { id: string }, more: Partial<CreateKeyInput> = {}, by = company.adminCaller) =>
  keys.create(by, account.id, { ...ASKED, ...more });

/** How much there is of all that a new key leaves behind. */
async function countStored(): Promise<unknown> {
  const { rows } = await sql`
    select (select count(*) from api_keys) as keys, (select count(*) from audit) as entries,
      (select count(*) from outbox) as mails, (select count(*) from one_time_links) as links
  `.execute(read());
  return rows;
}

async function refusalOf(work: () => Promise<unknown>): Promise<AppError> {
  const before = await countStored();
  const refusal = await work().then(
    () => {
      throw new Error('Nothing was refused.');
    },
    (error: AppError) => error,
  );
  expect(await countStored()).toEqual(before);
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

describe('a new key', () => {
  it('is what was asked for, stored without its secret, which only the answer has', async () => {
    const [ada, now] = [await addUser(), harness.clock.now()];
    const bot = await addRobot([ada.id]);
    const recorded = vi.spyOn(harness.deps.audit, 'record');
    const told = vi.spyOn(keyNotices, 'tellChange');
    const more = { ownerId: bot.id, lifetimeDays: 90, ipRanges: ['10.0.0.0/8'], limits: LIMITS };
    const { key, secretKey, fullKey } = await create(ada, more);
    expect(key.id).toMatch(/^abc_[0-9A-Za-z]{16}$/);
    expect(fullKey.reveal()).toBe(`${key.id}_${secretKey.reveal()}`);
    const halves = parseFullKey(fullKey);
    expect([halves?.apiKey, halves?.secretKey.reveal()]).toEqual([key.id, secretKey.reveal()]);
    const { keyring } = harness.deps;
    const place = { workspaceId: here(), keyId: key.id, generation: 1 };
    expect(key).toStrictEqual({
      id: key.id,
      workspaceId: here(),
      accountId: ada.id,
      ...more,
      comment: 'CI',
      access: 'scoped',
      scopes: [PUSH],
      createdAt: now,
      createdBy: company.admin.id,
      renewedAt: null,
      updatedAt: now,
      isEnabled: true,
      disabledReason: null,
      disabledAt: null,
      current: { number: 1, ...digestSecret(keyring, place, secretKey), expiresAt: now + 90 * DAY_MS },
      old: null,
      foreignDigest: null,
      epoch: 1,
      version: 1,
    });
    expect(await findKey(read(), keyring, here(), key.id)).toStrictEqual(key);
    const { rows } = await sql`select * from api_keys where id = ${key.id}`.execute(read());
    expect(JSON.stringify(rows)).not.toContain(secretKey.reveal());
    const detail = {
      access: 'scoped',
      scopes: [PUSH],
      ownerId: bot.id,
      lifetimeDays: 90,
      limits: LIMITS,
      mailed: false,
    };
    const entry = {
      action: 'key.created',
      target: { kind: 'key', id: key.id, name: 'CI' },
      accountId: ada.id,
      keyId: key.id,
      detail,
    };
    expect(recorded.mock.calls.map(([, ...input]) => input)).toStrictEqual([[company.adminCaller, entry]]);
    expect(told.mock.calls.map(([, ...input]) => input)).toStrictEqual([
      [
        company.adminCaller,
        { ...key, expiresAt: now + 90 * DAY_MS },
        { action: 'key.created', mailedTo: null },
      ],
    ]);
  });

  it('acts for its own account, from anywhere, without limits, for the usual time, when nothing else is said', async () => {
    const [ada, now] = [await addUser(), harness.clock.now()];
    const recorded = vi.spyOn(harness.deps.audit, 'record');
    const { key } = await create(ada);
    expect(key).toMatchObject({ ownerId: ada.id, ipRanges: [], limits: null, lifetimeDays: 365 });
    expect(key.current.expiresAt).toBe(now + 365 * DAY_MS);
    expect(recorded.mock.calls[0]?.[2].detail).toStrictEqual({
      access: 'scoped',
      scopes: [PUSH],
      ownerId: ada.id,
      lifetimeDays: 365,
      mailed: false,
    });
    expect((await create(ada, { limits: null })).key.limits).toBeNull();
  });

  it('with a fault in what was asked is refused by name, whoever asks for whichever account', async () => {
    for (const [more, field] of [
      [{ comment: ' ' }, 'comment'],
      [{ ipRanges: ['here'] }, 'ipRanges[0]'],
      [{ limits: { rate: { requests: 0, windowSeconds: 1 } } }, 'limits.rate.requests'],
    ] as const) {
      const refusal = await refusalOf(() => create({ id: 'acc_none' }, more));
      expect(refusal).toMatchObject({ code: 'request.invalid', fields: [{ field }] });
      expect(refusal.detail).toContain(field);
    }
  });

  it('is not made by a key that has limits, nor by nobody', async () => {
    const ada = await addUser();
    const limited = await keyCaller({ scopes: [MANAGE, PUSH], limits: LIMITS });
    const nobody: Caller = { ...company.adminCaller, principal: { kind: 'anonymous' } };
    for (const account of [ada, { id: 'acc_none' }]) {
      expect((await refusalOf(() => create(account, {}, limited))).code).toBe('key.limits_exceed_caller');
      expect((await refusalOf(() => create(account, {}, nobody))).code).toBe('auth.required');
    }
  });

  it('is made only for an account of this workspace that the caller reaches and that is active', async () => {
    const ada = await addUser();
    const { adminCaller, strangerCaller } = company;
    const reader = await keyCaller({ scopes: [{ actions: ['iam:keys:read'], resources: ['*'] }] });
    const elsewhere = { ...adminCaller, workspace: { ...adminCaller.workspace, id: 'wsp_other' } };
    for (const [account, by, code] of [
      [{ id: 'acc_none' }, adminCaller, 'request.not_found'],
      [ada, elsewhere, 'request.not_found'],
      [ada, strangerCaller, 'request.not_found'],
      [ada, reader, 'key.write_not_permitted'],
    ] as const)
      expect((await refusalOf(() => create(account, {}, by))).code).toBe(code);
    const [hidden, none] = [
      await refusalOf(() => create(ada, {}, strangerCaller)),
      await refusalOf(() => create({ id: 'acc_none' }, {}, strangerCaller)),
    ];
    expect(hidden.detail).toBe(none.detail);
    expect((await create(ada, {}, await harness.callerOf(ada))).key.createdBy).toBe(ada.id);
    await harness.deps.accounts.update(adminCaller, 'user', ada.id, { state: 'disabled' }, null);
    expect((await refusalOf(() => create(ada))).code).toBe('key.account_disabled');
  });

  it('lives as long as the workspace allows, within the grants of its account and the rights of a key that makes it', async () => {
    const ada = await addUser();
    const [admin, manager] = [company.adminCaller, await keyCaller()];
    const stock = { actions: ['stock:read'], resources: ['*'] };
    for (const [more, by, code, told] of [
      [{ lifetimeDays: 31 }, admin, 'key.lifetime_not_allowed', 'lifetimeDays is 31'],
      [{ scopes: [stock] }, admin, 'key.scope_exceeds_account', 'stock:read'],
      [{ access: 'account' }, admin, 'key.scopes_not_allowed', ''],
      [{}, manager, 'key.scope_exceeds_caller', 'package:push'],
      [{ access: 'account', scopes: [] }, manager, 'key.scope_exceeds_caller', 'package:'],
    ] as const) {
      const refusal = await refusalOf(() => create(ada, more, by));
      expect(refusal.code).toBe(code);
      expect(refusal.detail).toContain(told);
    }
    for (const scopes of [undefined, []])
      expect(await refusalOf(() => create(ada, { scopes }))).toMatchObject({
        code: 'key.scope_required',
        fields: [{ field: 'scopes' }],
      });
    const handedOn = await create(ada, { scopes: [MANAGE] }, manager);
    expect(handedOn.key).toMatchObject({ scopes: [MANAGE], createdBy: company.admin.id });
    expect((await create(ada, { access: 'account', scopes: undefined })).key).toMatchObject({
      access: 'account',
      scopes: [],
    });
  });

  it('acts for the account that it belongs to, which nobody has to manage', async () => {
    for (const account of [await addUser(), await addRobot([])])
      for (const ownerId of [undefined, account.id])
        expect((await create(account, { ownerId })).key.ownerId).toBe(account.id);
  });

  it('acts for another account only if that is an active service account that its account manages', async () => {
    const [ada, eve] = [await addUser(), await addUser()];
    const [bot, off, other] = [await addRobot([ada.id]), await addRobot([ada.id]), await addRobot([eve.id])];
    const { accounts, storage } = harness.deps;
    await accounts.update(company.adminCaller, 'service', off.id, { state: 'disabled' }, null);
    // No service writes such a row; a key for another user would be made by it.
    await sql`insert into account_managers (workspace_id, service_account_id, user_id)
      values (${here()}, ${eve.id}, ${ada.id})`.execute(storage.write);
    expect((await create(ada, { ownerId: bot.id })).key).toMatchObject({
      accountId: ada.id,
      ownerId: bot.id,
    });
    for (const ownerId of ['acc_none', eve.id, off.id, other.id])
      expect(await refusalOf(() => create(ada, { ownerId })), ownerId).toMatchObject({
        code: 'key.owner_not_allowed',
        fields: [{ field: 'ownerId', message: expect.stringContaining('manages') as string }],
      });
  });

  it('is not made where there is no room for it, or no mail can go where it should', async () => {
    const robot = await addRobot([]);
    const unsent = await refusalOf(() => create(robot, { sendMail: true }));
    expect(unsent).toMatchObject({ code: 'key.mail_address_missing', fields: [{ field: 'mailTo' }] });
    await withSettings({ maxKeysPerAccount: 1 }, async () => {
      await create(robot);
      expect((await refusalOf(() => create(robot, { sendMail: true }))).code).toBe('key.too_many');
    });
    expect((await create(robot)).key.accountId).toBe(robot.id);
  });

  it('is mailed when that is asked for, or an address is named', async () => {
    const { settings, accounts, keyDelivery, audit } = harness.deps;
    const ada = await addUser();
    const address = ada.email ?? '';
    for (const more of [
      { sendMail: true },
      { mailTo: address },
      { sendMail: false, mailTo: address },
      { sendMail: true, mailTo: address },
    ]) {
      const sent = vi.spyOn(keyDelivery, 'send');
      const recorded = vi.spyOn(audit, 'record');
      const told = vi.spyOn(keyNotices, 'tellChange');
      const { key, secretKey } = await create(ada, more);
      const mail = {
        key,
        secretKey,
        account: await accounts.find(read(), here(), ada.id),
        settings: await settings.get(here()),
        target: { address, accountId: ada.id },
        change: { kind: 'created' },
      };
      expect(sent.mock.calls.map(([, ...input]) => input)).toStrictEqual([[company.adminCaller, mail]]);
      expect(sent.mock.calls[0]?.[2].secretKey.reveal()).toBe(secretKey.reveal());
      expect(recorded.mock.calls[0]?.[2].detail).toMatchObject({ mailed: true });
      expect(told.mock.calls[0]?.[3]).toStrictEqual({ action: 'key.created', mailedTo: address });
      vi.restoreAllMocks();
    }
    const robot = await addRobot([]);
    const elsewhere = vi.spyOn(keyDelivery, 'send');
    await create(robot, { mailTo: 'ops@example.com' });
    expect(elsewhere.mock.calls[0]?.[2].target).toEqual({ address: 'ops@example.com', accountId: null });
    elsewhere.mockClear();
    await create(robot, { sendMail: false });
    expect(elsewhere).not.toHaveBeenCalled();
  });

  it('is made with all that hangs on it, or not at all', async () => {
    const ada = await addUser();
    for (const fail of [
      () => vi.spyOn(harness.deps.keyDelivery, 'send').mockRejectedValue(new Error('No mail.')),
      () => vi.spyOn(harness.deps.audit, 'record').mockRejectedValue(new Error('No entry.')),
      () => vi.spyOn(keyNotices, 'tellChange').mockRejectedValue(new Error('No notice.')),
    ]) {
      const spy = fail();
      expect((await refusalOf(() => create(ada, { sendMail: true }))).message).toMatch(/^No /);
      spy.mockRestore();
    }
  });
});
