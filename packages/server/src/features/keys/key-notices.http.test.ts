import { type Company, call, type Harness, seedCompany, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { KeyEventData, Notice } from '../../jobs/index.ts';
import { HOUR_MS } from '../../lib/clock.ts';
import { inTransaction } from '../../storage/index.ts';

let harness: Harness;
let company: Company;

beforeAll(async () => {
  harness = await startHarness();
  company = await seedCompany(harness);
});
afterAll(() => harness.close());
beforeEach(() =>
  inTransaction(harness.deps.storage, async (tx) => {
    await tx.deleteFrom('outbox').execute();
    await tx.deleteFrom('events').execute();
  }),
);

type Told = Notice & { readonly to: string };

/** The mails since the last look, and what they say. */
async function takeMails(): Promise<Told[]> {
  const { storage, queue } = harness.deps;
  const rows = await storage.read.selectFrom('outbox').selectAll().orderBy('to_address').execute();
  await inTransaction(storage, async (tx) => {
    await tx.deleteFrom('outbox').execute();
  });
  return rows.map((row) => ({ ...queue.open(row), to: row.to_address }));
}

async function takeEvents(): Promise<{ type: string; data: KeyEventData }[]> {
  const { storage } = harness.deps;
  const rows = await storage.read.selectFrom('events').select('body').orderBy('created_at').execute();
  await inTransaction(storage, async (tx) => {
    await tx.deleteFrom('events').execute();
  });
  return rows.map((row) => JSON.parse(row.body) as { type: string; data: KeyEventData });
}

async function makeKey(accountId = company.member.id, comment = 'CI') {
  const caller = accountId === company.member.id ? company.memberCaller : company.adminCaller;
  const minted = await harness.deps.keys.create(caller, accountId, {
    comment,
    access: 'scoped',
    scopes: [{ actions: ['package:push'], resources: ['Hayama.*'] }],
  });
  await takeMails();
  await takeEvents();
  return minted;
}

describe('the owner of a key is told', () => {
  it('that it was made, and by whom', async () => {
    const minted = await harness.deps.keys.create(company.adminCaller, company.member.id, {
      comment: 'CI',
      access: 'account',
    });
    const [mail, ...others] = await takeMails();
    expect(others).toEqual([]);
    expect(mail).toMatchObject({
      kind: 'key.created',
      to: 'mei@example.com',
      payload: {
        accountName: '芽衣',
        keyId: minted.key.id,
        comment: 'CI',
        expiresAt: minted.key.current.expiresAt,
        actor: { name: 'Ada', ip: '127.0.0.1' },
      },
    });
    expect(JSON.stringify(mail)).not.toContain(minted.secretKey.reveal());
  });

  it('once, when the key itself goes to the same address', async () => {
    await harness.deps.keys.create(company.memberCaller, company.member.id, {
      comment: 'CI',
      access: 'account',
      sendMail: true,
    });
    expect(await takeMails()).toMatchObject([
      {
        kind: 'key.delivery',
        payload: {
          change: {
            kind: 'created',
            at: harness.clock.now(),
            actor: { name: '芽衣', ip: '127.0.0.1' },
            oldWorksUntil: null,
          },
        },
      },
    ]);
  });

  it('that a key which goes to him by mail has a new secret, and until when the old one works', async () => {
    const { key } = await makeKey();
    await harness.deps.keys.regenerate(company.adminCaller, key.id, { overlapHours: 2, sendMail: true });
    expect(await takeMails()).toMatchObject([
      {
        kind: 'key.delivery',
        payload: {
          change: {
            kind: 'regenerated',
            actor: { name: 'Ada' },
            oldWorksUntil: harness.clock.now() + 2 * HOUR_MS,
          },
        },
      },
    ]);
  });

  it('that whoever held it revoked it, and that its secret is gone for good', async () => {
    const minted = await makeKey();
    const answer = await call(harness, 'POST', '/v1/keys/self/revoke', { key: minted.fullKey.reveal() });
    expect(answer.statusCode).toBe(204);
    expect(await takeMails()).toMatchObject([{ kind: 'key.disabled', payload: { isRevoked: true } }]);
  });

  it('that it got a new secret, and until when the old one works', async () => {
    const { key } = await makeKey();
    await harness.deps.keys.regenerate(company.memberCaller, key.id, { overlapHours: 2 });
    expect(await takeMails()).toMatchObject([
      { kind: 'key.regenerated', payload: { oldWorksUntil: harness.clock.now() + 2 * HOUR_MS } },
    ]);
    await harness.deps.keys.regenerate(company.memberCaller, key.id, {});
    expect(await takeMails()).toMatchObject([{ kind: 'key.regenerated', payload: { oldWorksUntil: null } }]);
  });

  it('what was changed, from what to what', async () => {
    const { key } = await makeKey();
    const scopes = [{ actions: ['package:push'], resources: ['Hayama.Core', 'Hayama.Data'] }];
    await harness.deps.keys.update(company.memberCaller, key.id, { comment: 'Nightly', scopes }, null);
    expect(await takeMails()).toMatchObject([
      {
        kind: 'key.changed',
        payload: {
          comment: 'Nightly',
          changes: [
            { field: 'comment', from: 'CI', to: 'Nightly' },
            { field: 'patterns', from: 'Hayama.*', to: 'Hayama.Core, Hayama.Data' },
          ],
        },
      },
    ]);
    await harness.deps.keys.update(company.memberCaller, key.id, { comment: 'Nightly' }, null);
    expect(await takeMails()).toEqual([]);
  });

  it('that it was disabled, with the reason, enabled, and deleted', async () => {
    const { key } = await makeKey();
    await harness.deps.keys.disable(company.adminCaller, key.id, 'Laptop lost');
    expect(await takeMails()).toMatchObject([{ kind: 'key.disabled', payload: { reason: 'Laptop lost' } }]);
    await harness.deps.keys.enable(company.adminCaller, key.id);
    expect(await takeMails()).toMatchObject([{ kind: 'key.enabled' }]);
    await harness.deps.keys.remove(company.adminCaller, key.id);
    expect(await takeMails()).toMatchObject([
      { kind: 'key.deleted', to: 'mei@example.com', payload: { keyId: key.id, comment: 'CI' } },
    ]);
  });
});

describe('for a service account', () => {
  it('the administrators are told while it has no address, and then the address', async () => {
    const { deps } = harness;
    const { key } = await makeKey(company.robot.id);
    await deps.keys.disable(company.adminCaller, key.id, null);
    expect((await takeMails()).map(({ to }) => to)).toEqual(['ada@example.com']);
    await deps.accounts.update(
      company.adminCaller,
      'service',
      company.robot.id,
      { email: 'ops@x.test' },
      null,
    );
    await deps.keys.enable(company.adminCaller, key.id);
    expect(await takeMails()).toMatchObject([
      { to: 'ops@x.test', payload: { pageUrl: expect.stringContaining(`/service-accounts/`) as string } },
    ]);
    await deps.accounts.update(company.adminCaller, 'service', company.robot.id, { email: null }, null);
  });

  it('a key mailed elsewhere is told to the administrators too, without the key', async () => {
    const minted = await harness.deps.keys.create(company.adminCaller, company.robot.id, {
      comment: 'Deploy',
      access: 'account',
      mailTo: 'team@x.test',
    });
    const mails = await takeMails();
    expect(mails.map(({ kind, to }) => [kind, to])).toEqual([
      ['key.created', 'ada@example.com'],
      ['key.delivery', 'team@x.test'],
    ]);
    expect(JSON.stringify(mails[0])).not.toContain(minted.secretKey.reveal());
  });
});

describe('programs are told', () => {
  it('of every change, in the transaction of the change, without a secret', async () => {
    const { deps } = harness;
    const minted = await deps.keys.create(company.memberCaller, company.member.id, {
      comment: 'CI',
      access: 'account',
    });
    const { id } = minted.key;
    const steps = [
      () => deps.keys.update(company.memberCaller, id, { comment: 'Nightly' }, null),
      () => deps.keys.regenerate(company.memberCaller, id, { overlapHours: 1 }),
      () => deps.keys.endOverlap(company.memberCaller, id),
      () => deps.keys.disable(company.memberCaller, id, 'Over'),
      () => deps.keys.enable(company.memberCaller, id),
      () => deps.keys.remove(company.memberCaller, id),
    ];
    for (const step of steps) {
      harness.clock.advance(1);
      await step();
    }
    const events = await takeEvents();
    expect(events.map(({ type }) => type)).toEqual([
      'key.created',
      'key.changed',
      'key.regenerated',
      'key.overlap_ended',
      'key.disabled',
      'key.enabled',
      'key.deleted',
    ]);
    expect(events[0]?.data).toMatchObject({
      key: { id, comment: 'CI', account: { id: company.member.id, kind: 'user' } },
      actor: { id: company.member.id, displayName: '芽衣' },
    });
    expect(events[1]?.data.detail).toEqual({ changes: { comment: { from: 'CI', to: 'Nightly' } } });
    expect(events[4]?.data.detail).toEqual({ reason: 'Over' });
    expect(JSON.stringify(events)).not.toContain(minted.secretKey.reveal());
  });

  it('of each key of an account that is deleted, while no mail goes to who is gone', async () => {
    const { deps } = harness;
    const user = await harness.createAccount({ kind: 'user', email: 'tom@example.com', displayName: 'Tom' });
    for (const comment of ['one', 'two'])
      await deps.keys.create(company.adminCaller, user.id, { comment, access: 'account' });
    await takeMails();
    await takeEvents();
    await deps.accounts.remove(company.adminCaller, 'user', user.id);
    expect((await takeEvents()).map(({ type }) => type)).toEqual(['key.deleted', 'key.deleted']);
    expect(await takeMails()).toEqual([]);
  });

  it('of a key that is imported, and of one that its holder revokes by itself', async () => {
    const { keyImporter } = harness.deps;
    const row = { account: company.member.id, comment: 'old', sha256: 'ab'.repeat(32) };
    await keyImporter.importKeys(
      company.adminCaller,
      [{ ...row, access: 'full' as const, expiresAt: null }],
      false,
    );
    const { key, fullKey } = await harness.deps.keys.create(company.memberCaller, company.member.id, {
      comment: 'leaked',
      access: 'account',
    });
    harness.clock.advance(1);
    await call(harness, 'POST', '/v1/keys/self/revoke', { key: fullKey.reveal() });
    const events = await takeEvents();
    expect(events.map(({ type }) => type).toSorted()).toEqual(['key.created', 'key.imported', 'key.revoked']);
    expect(events.find(({ type }) => type === 'key.revoked')?.data).toMatchObject({ key: { id: key.id } });
    expect(JSON.stringify(events)).not.toContain(row.sha256);
  });

  it('of nothing that was refused', async () => {
    const { key } = await makeKey();
    await expect(
      harness.deps.keys.update(company.memberCaller, key.id, { comment: 'Nightly' }, key.version + 5),
    ).rejects.toThrow();
    expect([...(await takeEvents()), ...(await takeMails())]).toEqual([]);
  });
});
