import { createHash } from 'node:crypto';
import { type Caller, inTransaction, systemCaller, systemRandom } from '@keyreeve/server';
import { type Company, type Harness, seedCompany, startHarness } from '@keyreeve/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Secret } from '../../lib/secret.ts';
import { openKeyring, rotatePepper } from '../../storage/index.ts';
import { createKeyImporter, type ImportRow } from './key-import.ts';
import { createKeyNotices } from './key-notices.ts';

const DAY_MS = 86_400_000;

let harness: Harness;
let company: Company;
beforeAll(async () => {
  harness = await startHarness();
  company = await seedCompany(harness);
});
afterEach(() => vi.restoreAllMocks());
afterAll(() => harness.close());

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

let credentials = 0;
/** A row that can be imported, each time of another credential. */
function rowOf(more: Partial<ImportRow> = {}): ImportRow {
  credentials += 1;
  return {
    account: company.robot.id,
    comment: 'old build',
    access: 'account',
    expiresAt: harness.clock.now() + DAY_MS,
    sha256: sha256(`foreign ${credentials}`),
    ...more,
  };
}

const importKeys = (rows: readonly ImportRow[], caller: Caller = company.adminCaller, isDryRun = false) =>
  harness.deps.keyImporter.importKeys(caller, rows, isDryRun);

async function importOne(more: Partial<ImportRow> = {}) {
  const [id = ''] = await importKeys([rowOf(more)]);
  return await harness.deps.keys.get(company.adminCaller, id);
}

async function faultsOf(rows: readonly ImportRow[], caller?: Caller) {
  const error: unknown = await importKeys(rows, caller).catch((fault: unknown) => fault);
  expect(error).toMatchObject({ code: 'key.import_faulty' });
  return (error as { fields: readonly { field: string; message: string }[] }).fields;
}

const fieldsOf = async (...args: Parameters<typeof faultsOf>) =>
  (await faultsOf(...args)).map(({ field }) => field);

async function countKeys(): Promise<number> {
  return (await harness.deps.storage.read.selectFrom('api_keys').select('id').execute()).length;
}

/** The caller that a key of this kind is. */
async function keyCaller(more: Partial<Parameters<Harness['deps']['keys']['create']>[2]>, ofMember = false) {
  const { keys, keyAuthenticator, defaultWorkspace } = harness.deps;
  const { id } = ofMember ? company.member : company.admin;
  const input = { comment: 'importer', access: 'account' as const, ...more };
  const { fullKey } = await keys.create(company.adminCaller, id, input);
  const outcome = await keyAuthenticator.authenticate(defaultWorkspace.id, { fullKey }, null);
  if (!('key' in outcome)) throw new Error('The key is not known.');
  const { account, key } = outcome;
  return { ...company.adminCaller, principal: { kind: 'key' as const, account, key } };
}

describe('who imports foreign keys', () => {
  it('is an administrator in a session, no member, and nobody who is not known', async () => {
    expect(await importKeys([rowOf()])).toHaveLength(1);
    await expect(importKeys([rowOf()], company.memberCaller)).rejects.toMatchObject({
      code: 'auth.forbidden',
    });
    const anonymous = { ...company.adminCaller, principal: { kind: 'anonymous' as const } };
    for (const nobody of [anonymous, systemCaller(harness.deps.defaultWorkspace, 'test')])
      await expect(importKeys([rowOf()], nobody)).rejects.toMatchObject({ code: 'auth.required' });
  });

  it('is also a key without limits, of whomever, as far as its own rights go', async () => {
    const scopes = [{ actions: ['package:push'], resources: ['Contoso.*'] }];
    const caller = await keyCaller({ access: 'scoped', scopes }, true);
    expect(await importKeys([rowOf({ access: 'scoped', scopes })], caller)).toHaveLength(1);
    const wider = { access: 'scoped' as const, scopes: [{ actions: ['package:push'], resources: ['*'] }] };
    expect(await faultsOf([rowOf(wider)], caller)).toEqual([
      { field: 'rows[0]', message: expect.stringContaining('package:push on *') },
    ]);
    expect(await importKeys([rowOf(wider)])).toHaveLength(1);
    const limited = await keyCaller({ limits: { quota: { uses: 5 } } });
    await expect(importKeys([rowOf()], limited)).rejects.toMatchObject({ code: 'key.limits_exceed_caller' });
  });
});

describe('an imported key', () => {
  it('is what its row says, and has no lifetime and no secret of ours', async () => {
    const scopes = [{ actions: ['package:push'], resources: ['Contoso.*'] }];
    const expiresAt = harness.clock.now() + 1;
    const key = await importOne({ comment: ' old build ', access: 'scoped', scopes, expiresAt });
    const digest = expect.stringMatching(/^.{43}$/) as string;
    expect(key).toEqual({
      id: expect.stringMatching(/^kr_[0-9A-Za-z]{16}$/),
      workspaceId: company.robot.workspaceId,
      accountId: company.robot.id,
      ownerId: company.robot.id,
      comment: 'old build',
      access: 'scoped',
      scopes,
      lifetimeDays: null,
      createdAt: harness.clock.now(),
      createdBy: null,
      renewedAt: null,
      updatedAt: harness.clock.now(),
      isEnabled: true,
      disabledReason: null,
      disabledAt: null,
      current: { number: 1, digest, pepperId: harness.deps.keyring.current('pepper').id, expiresAt },
      old: null,
      ipRanges: [],
      limits: null,
      foreignDigest: key.current.digest,
      epoch: 1,
      version: 1,
    });
  });

  it('works from then on, for the account that its row names in whichever way', async () => {
    const { keyAuthenticator, defaultWorkspace } = harness.deps;
    const names = [
      [company.member.id, company.member.id],
      ['mei@example.com', company.member.id],
      ['build-robot', company.robot.id],
    ] as const;
    for (const [account, id] of names) {
      const text = `foreign of ${account}`;
      expect((await importOne({ account, sha256: sha256(text) })).accountId).toBe(id);
      const presented = { fullKey: new Secret(text) };
      expect(await keyAuthenticator.authenticate(defaultWorkspace.id, presented, null)).toMatchObject({
        code: 'valid',
        account: { id },
      });
    }
  });

  it('is without an end only with full access', async () => {
    expect((await importOne({ access: 'full', expiresAt: null })).current.expiresAt).toBeNull();
    const scopes = [{ actions: ['package:push'], resources: ['*'] }];
    const endless = [rowOf({ expiresAt: null }), rowOf({ access: 'scoped', scopes, expiresAt: null })];
    expect(await fieldsOf(endless)).toEqual(['rows[0].expiresAt', 'rows[1].expiresAt']);
  });

  it('ends later than now', async () => {
    const now = harness.clock.now();
    expect((await importOne({ expiresAt: now + 1 })).current.expiresAt).toBe(now + 1);
    const ended = [rowOf({ expiresAt: now }), rowOf({ access: 'full', expiresAt: now - 1 })];
    expect(await fieldsOf(ended)).toEqual(['rows[0].expiresAt', 'rows[1].expiresAt']);
  });

  it('is written down and told to programs, with what it may do and until when', async () => {
    const record = vi.spyOn(harness.deps.audit, 'record');
    const emit = vi.spyOn(harness.deps.events, 'emit');
    const expiresAt = Date.UTC(2030, 0, 2);
    const scopes = [{ actions: ['package:push'], resources: ['*'] }];
    const scoped = await importOne({ access: 'scoped', scopes, expiresAt });
    const endless = await importOne({ access: 'full', expiresAt: null });
    const entry = (id: string, detail: object) => ({
      action: 'key.imported',
      target: { kind: 'key', id, name: 'old build' },
      accountId: company.robot.id,
      keyId: id,
      detail,
    });
    expect(record.mock.calls.map(([, caller, event]) => [caller, event])).toEqual([
      [
        company.adminCaller,
        entry(scoped.id, { access: 'scoped', scopes, expiresAt: '2030-01-02T00:00:00.000Z' }),
      ],
      [company.adminCaller, entry(endless.id, { access: 'full', scopes: [], expiresAt: null })],
    ]);
    expect(emit.mock.calls.map(([, event]) => event)).toMatchObject([
      { type: 'key.imported', data: { key: { id: scoped.id }, actor: { id: company.admin.id } } },
      { type: 'key.imported', data: { key: { id: endless.id } } },
    ]);
  });
});

describe('a batch of foreign keys', () => {
  it('is imported whole, and answered in its order', async () => {
    const rows = [rowOf({ comment: 'one' }), rowOf({ comment: 'two' }), rowOf({ comment: 'three' })];
    const comments = [];
    for (const id of await importKeys(rows))
      comments.push((await harness.deps.keys.get(company.adminCaller, id)).comment);
    expect(comments).toEqual(['one', 'two', 'three']);
  });

  it('with faults imports nothing, and tells each of them', async () => {
    const before = await countKeys();
    const rows = [
      rowOf(),
      rowOf({ account: 'nobody' }),
      rowOf({ comment: ' ' }),
      rowOf({ access: 'scoped', scopes: [{ actions: ['package:push'], resources: [] }] }),
      rowOf({ scopes: [{ actions: ['package:push'], resources: ['*'] }] }),
      rowOf(),
    ];
    await expect(importKeys(rows)).rejects.toMatchObject({
      detail: '4 of 6 rows are faulty; nothing was imported.',
    });
    expect(await faultsOf(rows)).toEqual([
      { field: 'rows[1].account', message: expect.any(String) },
      { field: 'rows[2].comment', message: expect.stringContaining('blank') },
      { field: 'rows[3].scopes[0].resources', message: expect.stringContaining('empty') },
      { field: 'rows[4]', message: expect.stringContaining('scopes') },
    ]);
    expect(await countKeys()).toBe(before);
  });

  it('that is only tried is looked at as if it were imported, and nothing is', async () => {
    const before = await countKeys();
    const record = vi.spyOn(harness.deps.audit, 'record');
    const row = rowOf();
    expect(await importKeys([row], company.adminCaller, true)).toEqual([]);
    await expect(importKeys([row, row], company.adminCaller, true)).rejects.toMatchObject({
      code: 'key.import_faulty',
    });
    expect(await countKeys()).toBe(before);
    expect(record).not.toHaveBeenCalled();
    expect(await importKeys([row])).toHaveLength(1);
  });

  it('does not have the same credential twice, however it is spelled', async () => {
    const row = rowOf();
    expect(await fieldsOf([row, { ...row, sha256: row.sha256.toUpperCase() }])).toEqual(['rows[1].sha256']);
    await importKeys([row]);
    expect(await fieldsOf([rowOf(), row])).toEqual(['rows[1].sha256']);
  });

  it('is for accounts of its own workspace', async () => {
    const { workspaces, defaultWorkspace } = harness.deps;
    const input = { name: 'Other', subdomain: 'other', aliases: [] };
    const { workspace } = await workspaces.create(company.adminCaller, input);
    const caller = {
      ...company.adminCaller,
      workspace: { ...defaultWorkspace, id: workspace.id },
    };
    const names = [company.robot.id, 'mei@example.com', 'build-robot'];
    expect(
      await fieldsOf(
        names.map((account) => rowOf({ account })),
        caller,
      ),
    ).toEqual(['rows[0].account', 'rows[1].account', 'rows[2].account']);
    const account = { kind: 'service' as const, technicalName: 'elsewhere', displayName: 'E' };
    const { id } = await inTransaction(harness.deps.storage, (tx) =>
      harness.deps.accounts.createInside(tx, caller, account),
    );
    const row = rowOf();
    await importKeys([row]);
    const [keyId = ''] = await importKeys([{ ...row, account: id }], caller);
    expect(await harness.deps.keys.get(caller, keyId)).toMatchObject({
      accountId: id,
      workspaceId: workspace.id,
    });
  });

  it('knows what was imported under an older secret of the server, and what another process has under a newer', async () => {
    const { storage, keyring } = harness.deps;
    const masterKey = Buffer.from(harness.masterKey, 'base64');
    const ring = { storage, clock: harness.clock, random: systemRandom, masterKey };
    const early = rowOf();
    await importKeys([early]);
    const before = keyring.current('pepper').id;
    await rotatePepper(ring);
    const late = rowOf();
    const other = createKeyImporter({ ...importerDeps(), keyring: await openKeyring(ring) });
    await other.importKeys(company.adminCaller, [late], false);
    expect(keyring.current('pepper').id).toBe(before);
    expect(await fieldsOf([early, late])).toEqual(['rows[0].sha256', 'rows[1].sha256']);
    expect(keyring.current('pepper').id).not.toBe(before);
  });

  it('fails whole, and not as a faulty row, when it is the server that fails', async () => {
    const random = {
      bytes: () => {
        throw new Error('There is no entropy.');
      },
    };
    const importer = createKeyImporter({ ...importerDeps(), random });
    await expect(importer.importKeys(company.adminCaller, [rowOf()], false)).rejects.toThrow('no entropy');
  });
});

function importerDeps(): Parameters<typeof createKeyImporter>[0] {
  const { deps } = harness;
  return { ...deps, keyNotices: createKeyNotices(deps), keyPrefix: 'kr' };
}
