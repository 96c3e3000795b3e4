import type { Account } from '@keyreeve/server';
import { inTransaction } from '@keyreeve/server';
import { type Company, type Harness, seedCompany, startHarness } from '@keyreeve/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { sha256Hex } from '../../lib/mac.ts';
import { Secret } from '../../lib/secret.ts';
import { insertOneTimeLink, useOneTimeLink } from '../../storage/index.ts';
import type { Settings } from '../settings/index.ts';
import type { ApiKey } from './api-key.ts';
import { createKeyDelivery, type DeliveryTarget, type KeyMail } from './key-delivery.ts';
import { sampleApiKey } from './samples.ts';

const HOUR_MS = 3_600_000;
const WEEK_MS = 7 * 24 * HOUR_MS;

let harness: Harness;
let company: Company;
let settings: Settings;
beforeAll(async () => {
  harness = await startHarness();
  company = await seedCompany(harness);
  settings = await harness.deps.settings.get(here().id);
});
afterEach(() => vi.restoreAllMocks());
afterAll(() => harness.close());

const here = () => harness.deps.defaultWorkspace;
const delivery = (hasSmtp = true) => createKeyDelivery({ ...harness.deps, hasSmtp });

describe('the address that a key mail goes to', () => {
  async function findTarget(
    account: Account,
    mailTo?: string,
    { hasSmtp = true, keyMail = 'link' }: { hasSmtp?: boolean; keyMail?: Settings['keyMail'] } = {},
  ): Promise<DeliveryTarget> {
    return await inTransaction(harness.deps.storage, (tx) =>
      delivery(hasSmtp).findTarget(tx, account, { ...settings, keyMail }, mailTo),
    );
  }

  it('of a user is his own, however he writes it', async () => {
    const { member } = company;
    const own = { address: 'mei@example.com', accountId: member.id };
    expect(await findTarget(member)).toEqual(own);
    expect(await findTarget(member, 'mei@example.com')).toEqual(own);
    expect((await findTarget(member, 'MEI@Example.com')).address).toBe('MEI@Example.com');
    const inCapitals = { ...member, email: 'Mei@Example.COM' };
    expect((await findTarget(inCapitals, 'mei@example.com')).address).toBe('mei@example.com');
  });

  it('of a user is no other, also where he has none', async () => {
    const refusal = { code: 'key.mail_address_not_allowed' };
    await expect(findTarget(company.member, 'ops@example.com')).rejects.toMatchObject(refusal);
    const withoutAddress = { ...company.member, email: null };
    await expect(findTarget(withoutAddress, 'mei@example.com')).rejects.toMatchObject(refusal);
  });

  it('of a service account is any, its own by default, and only that one is the account itself', async () => {
    const { robot } = company;
    const withAddress = { ...robot, email: 'robots@example.com' };
    expect(await findTarget(withAddress)).toEqual({ address: 'robots@example.com', accountId: robot.id });
    expect(await findTarget(withAddress, 'ops@example.com')).toEqual({
      address: 'ops@example.com',
      accountId: null,
    });
    expect(await findTarget(robot, 'ops@example.com')).toEqual({
      address: 'ops@example.com',
      accountId: null,
    });
  });

  it('has to be there, and to be one', async () => {
    const missing = { code: 'key.mail_address_missing', fields: [{ field: 'mailTo' }] };
    await expect(findTarget(company.robot)).rejects.toMatchObject(missing);
    for (const account of [company.robot, company.member])
      await expect(findTarget(account, 'mei@example.com, eve@example.com')).rejects.toMatchObject({
        ...missing,
        detail: expect.stringContaining('mailTo'),
      });
  });

  it('gets a secret itself only by a server for mail, and a link without one as well', async () => {
    const { member } = company;
    await expect(findTarget(member, undefined, { hasSmtp: false, keyMail: 'value' })).rejects.toMatchObject({
      code: 'key.mail_value_needs_smtp',
    });
    for (const way of [{ keyMail: 'value' as const }, { hasSmtp: false }])
      expect((await findTarget(member, undefined, way)).accountId).toBe(member.id);
  });

  it('is sent 20 mails in an hour, and then has to wait for the oldest of them to be an hour old', async () => {
    const { robot } = company;
    const address = 'full@example.com';
    const fill = async (more: Partial<KeyMail>, count: number) => {
      for (let mail = 0; mail < count; mail += 1)
        await send({ target: { address, accountId: null }, ...more });
    };
    await fill({}, 19);
    expect((await findTarget(robot, address)).address).toBe(address);
    await fill({}, 1);
    const refusalAfter = async (ms: number) => {
      harness.clock.advance(ms);
      return await findTarget(robot, address).then(
        () => null,
        (error: unknown) => error,
      );
    };
    const refusal = (seconds: string) => ({ code: 'key.mail_limit', headers: { 'retry-after': seconds } });
    expect(await refusalAfter(0)).toMatchObject(refusal('3600'));
    expect(await refusalAfter(1_001)).toMatchObject(refusal('3599'));
    expect((await findTarget({ ...robot, workspaceId: 'wsp_other' }, address)).address).toBe(address);
    expect((await findTarget(robot, 'empty@example.com')).address).toBe('empty@example.com');
    expect(await refusalAfter(HOUR_MS - 1_002)).toMatchObject(refusal('1'));
    expect(await refusalAfter(1)).toBeNull();
  });
});

const SECRET = 's'.repeat(49);

async function send(more: Partial<KeyMail> = {}): Promise<ApiKey> {
  const key = sampleApiKey(here().id, { accountId: company.robot.id, comment: 'Nightly build' });
  const mail: KeyMail = {
    key,
    secretKey: new Secret(SECRET),
    account: company.robot,
    settings: { ...settings, keyMail: 'link', defaultTimeZone: 'Asia/Tokyo' },
    target: { address: 'ops@example.com', accountId: null },
    change: { kind: 'created' },
    ...more,
  };
  await inTransaction(harness.deps.storage, (tx) => delivery().send(tx, company.adminCaller, mail));
  return key;
}

async function readMail({ id }: ApiKey) {
  const row = await harness.deps.storage.read
    .selectFrom('outbox')
    .selectAll()
    .where('key_id', '=', id)
    .executeTakeFirstOrThrow();
  return { row, payload: harness.deps.queue.open(row).payload };
}

async function readLink({ id }: ApiKey) {
  return await harness.deps.storage.read
    .selectFrom('one_time_links')
    .selectAll()
    .where('key_id', '=', id)
    .executeTakeFirst();
}

/** What stands behind `#` in the link of the mail. */
async function tokenOf(key: ApiKey): Promise<string> {
  const { payload } = await readMail(key);
  if (!('linkUrl' in payload) || payload.linkUrl === null) throw new Error('The mail has no link.');
  const [page, token = ''] = payload.linkUrl.split('#');
  expect(page).toBe(`${here().url}/key-link`);
  return token;
}

describe('a key mail', () => {
  const told = (key: ApiKey) => ({
    accountName: 'Build robot',
    keyId: key.id,
    comment: 'Nightly build',
    expiresAt: key.current.expiresAt,
  });
  const byWhom = () => ({ at: harness.clock.now(), actor: { name: 'Ada', ip: '127.0.0.1' } });

  it('brings a link for a week, and not the secret', async () => {
    const key = await send();
    const { row, payload } = await readMail(key);
    expect(row).toMatchObject({
      workspace_id: here().id,
      kind: 'key.delivery',
      account_id: null,
      to_name: 'Build robot',
      to_address: 'ops@example.com',
      time_zone: 'Asia/Tokyo',
    });
    expect(payload).toEqual({
      ...told(key),
      linkUrl: expect.stringMatching(/#[0-9A-Za-z]{43}$/),
      linkExpiresAt: harness.clock.now() + WEEK_MS,
      secretKey: null,
      change: { kind: 'created', oldWorksUntil: null, ...byWhom() },
    });
  });

  it('brings the secret itself where that is set, and there is no link', async () => {
    const accountId = company.robot.id;
    const key = await send({
      settings: { ...settings, keyMail: 'value' },
      target: { address: 'robots@example.com', accountId },
      change: { kind: 'regenerated', oldWorksUntil: 77 },
    });
    const { row, payload } = await readMail(key);
    expect(row).toMatchObject({ account_id: accountId, to_address: 'robots@example.com' });
    expect(payload).toEqual({
      ...told(key),
      linkUrl: null,
      linkExpiresAt: null,
      secretKey: SECRET,
      change: { kind: 'regenerated', oldWorksUntil: 77, ...byWhom() },
    });
    expect(await readLink(key)).toBeUndefined();
  });

  it('has a link of which only the digest is stored, and what it opens only sealed at its place', async () => {
    const key = await send();
    const link = await readLink(key);
    expect(link).toEqual({
      id: expect.stringMatching(/^lnk_/),
      workspace_id: here().id,
      purpose: 'key',
      token_digest: sha256Hex(await tokenOf(key)),
      account_id: company.robot.id,
      key_id: key.id,
      sealed_payload: expect.any(String),
      created_at: harness.clock.now(),
      expires_at: harness.clock.now() + WEEK_MS,
      used_at: null,
    });
    const { keyring } = harness.deps;
    const place = `one_time_links/${link?.id}/payload`;
    expect(JSON.parse(keyring.open(link?.sealed_payload ?? '', place))).toEqual({
      comment: 'Nightly build',
      expiresAt: key.current.expiresAt,
      secretKey: SECRET,
    });
    expect(() => keyring.open(link?.sealed_payload ?? '', 'one_time_links/lnk_other/payload')).toThrow(
      'altered or moved',
    );
  });
});

describe('a link to a key', () => {
  const UNUSABLE = { code: 'key.link_unusable' };
  const anybody = () => ({ ...company.adminCaller, principal: { kind: 'anonymous' as const } });
  const open = (token: string, caller = anybody()) => delivery().open(caller, new Secret(token));

  it('gives the key out once, also to who pastes it with blanks, and writes that down', async () => {
    const key = await send();
    const record = vi.spyOn(harness.deps.audit, 'record');
    const opened = await open(` ${await tokenOf(key)}\n`);
    expect(opened).toMatchObject({
      keyId: key.id,
      comment: 'Nightly build',
      expiresAt: key.current.expiresAt,
    });
    expect(opened.secretKey.reveal()).toBe(SECRET);
    expect(opened.fullKey.reveal()).toBe(`${key.id}_${SECRET}`);
    expect(record.mock.calls.map(([, caller, event]) => [caller, event])).toEqual([
      [
        anybody(),
        {
          action: 'key.link_opened',
          target: { kind: 'key', id: key.id, name: 'Nightly build' },
          accountId: company.robot.id,
          keyId: key.id,
        },
      ],
    ]);
    record.mockClear();
    expect(await readLink(key)).toMatchObject({ used_at: harness.clock.now(), sealed_payload: null });
    await expect(open(await tokenOf(key))).rejects.toMatchObject(UNUSABLE);
    expect(record).not.toHaveBeenCalled();
  });

  it('is good for a week, and in its own workspace', async () => {
    const key = await send();
    const token = await tokenOf(key);
    const elsewhere = { ...anybody(), workspace: { ...here(), id: 'wsp_other' } };
    await expect(open(token, elsewhere)).rejects.toMatchObject(UNUSABLE);
    await expect(open(`${token}x`)).rejects.toMatchObject(UNUSABLE);
    harness.clock.advance(WEEK_MS);
    await expect(open(token)).rejects.toMatchObject(UNUSABLE);
    harness.clock.advance(-1);
    expect((await open(token)).keyId).toBe(key.id);
  });

  it('that is not to a key, or has nothing to give out, is none, and is not used up', async () => {
    const key = sampleApiKey(here().id);
    const good = {
      workspace_id: here().id,
      purpose: 'key',
      account_id: company.robot.id,
      key_id: key.id,
      created_at: 1,
      expires_at: harness.clock.now() + 1,
      used_at: null,
    };
    const { storage, keyring } = harness.deps;
    const payload = JSON.stringify({ comment: 'x', expiresAt: null, secretKey: SECRET });
    const insert = async (id: string, more: Partial<Parameters<typeof insertOneTimeLink>[1]> = {}) => {
      const sealed = keyring.seal(payload, `one_time_links/${id}/payload`);
      const row = { ...good, id, token_digest: sha256Hex(id), sealed_payload: sealed, ...more };
      await insertOneTimeLink(storage.write, row);
    };
    await insert('lnk_good');
    await insert('lnk_keyless', { key_id: null });
    await insert('lnk_empty', { sealed_payload: null });
    await insert('lnk_password', { purpose: 'password' });
    for (const id of ['lnk_keyless', 'lnk_empty', 'lnk_password']) {
      await expect(open(id), id).rejects.toMatchObject(UNUSABLE);
      expect(await useOneTimeLink(storage.write, id, harness.clock.now()), id).toBe(true);
    }
    expect((await open('lnk_good')).keyId).toBe(key.id);
  });

  it('is deleted when it has ended, however many have, and no other is', async () => {
    const { storage, clock } = harness.deps;
    const [fresh, used] = [await send(), await send()];
    await open(await tokenOf(used));
    const ended = (id: string, more: object = {}) => ({
      id,
      workspace_id: 'wsp_other',
      purpose: 'key',
      token_digest: id,
      account_id: null,
      key_id: 'kr_old',
      sealed_payload: null,
      created_at: 1,
      expires_at: clock.now(),
      used_at: null,
      ...more,
    });
    const old = Array.from({ length: 501 }, (_, index) => ended(`lnk_${index}`));
    const others = [
      ended('lnk_later', { expires_at: clock.now() + 1 }),
      ended('lnk_pw', { purpose: 'password' }),
    ];
    await storage.write
      .insertInto('one_time_links')
      .values([...old, ...others])
      .execute();
    await delivery().sweep();
    const left = await storage.read
      .selectFrom('one_time_links')
      .select('id')
      .where('key_id', '=', 'kr_old')
      .orderBy('id')
      .execute();
    expect(left).toEqual([{ id: 'lnk_later' }, { id: 'lnk_pw' }]);
    for (const key of [fresh, used]) expect(await readLink(key)).toBeDefined();
  });
});
