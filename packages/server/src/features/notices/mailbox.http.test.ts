import { type App, describeOn, type Harness, startHarness } from '@keyreeve/testkit';
import { CompiledQuery } from 'kysely';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type AuthenticatedPrincipal, createHttpApp } from '../../http/index.ts';
import { createOutboxQueue, type NoticeKind } from '../../jobs/index.ts';
import type { NoticeInput } from '../../jobs/outbox.ts';
import { DAY_MS } from '../../lib/clock.ts';
import { inTransaction } from '../../storage/index.ts';
import type { Account } from '../accounts/index.ts';
import { type MailFilter, mailsQuery } from './mailbox.repo.ts';
import { registerMailboxRoutes } from './mailbox.routes.ts';
import { createMailboxService } from './mailbox.service.ts';
import { createNoticeSender } from './sender.service.ts';

const SECRET_KEY = 'sEcReTsEcReTsEcReTsEcReTsEcReTsEcReTsEcReTs0z0dhD';
const TOKEN = 'tOkEntOkEntOkEntOkEntOkEntOkEntOkEntOkEn123';

interface MailBody {
  readonly id: string;
  readonly state: string;
  readonly lastError: string | null;
}

let harness: Harness;
let app: App;
let admin: Account;
let member: Account;
let keyCaller: AuthenticatedPrincipal;

beforeAll(async () => {
  harness = await startHarness();
  admin = await harness.createAccount({
    kind: 'user',
    email: 'root@example.com',
    displayName: 'Root',
    role: 'admin',
  });
  member = await harness.createAccount({
    kind: 'user',
    email: 'ada@example.com',
    displayName: 'Ada',
    role: 'member',
  });
  app = await startApp();
});
afterAll(async () => {
  await app.close();
  await harness.close();
});
afterEach(async () => {
  await inTransaction(harness.deps.storage, async (tx) => {
    await tx.deleteFrom('outbox').execute();
  });
});

/** The mailbox over HTTP. Its cookie is the id of the account whose session it stands for. */
async function startApp(): Promise<App> {
  const { deps } = harness;
  const principalOf = async (account: Account): Promise<AuthenticatedPrincipal> => {
    const { principal } = await harness.callerOf(account);
    if (principal.kind !== 'session') throw new Error('A caller made for a test has a session.');
    return principal;
  };
  const adminPrincipal = await principalOf(admin);
  const key = {
    id: 'kr_0123456789ABCDEF',
    ownerId: admin.id,
    comment: 'CI',
    access: 'account',
    scopes: [],
    limits: null,
    generation: 1,
    expiresAt: null,
  } as const;
  keyCaller = { kind: 'key', account: adminPrincipal.account, key };
  const mailboxApp = await createHttpApp({
    logger: deps.logger,
    trustProxy: [],
    tls: null,
    rewriteUrl: (url) => url,
    findWorkspace: (host) => deps.workspaces.findByHost(host),
    defaultWorkspace: () => deps.defaultWorkspace,
    isPermitted: () => true,
    onUse: () => null,
    onRefusal: () => undefined,
    authenticate: (credential) => {
      if (credential.kind !== 'cookie') return Promise.resolve(keyCaller);
      return principalOf(credential.value.reveal() === admin.id ? admin : member);
    },
  });
  registerMailboxRoutes(mailboxApp, createMailboxService({ ...deps, queue: createOutboxQueue(deps) }));
  await mailboxApp.ready();
  return mailboxApp;
}

async function append<Kind extends NoticeKind>(
  kind: Kind,
  payload: NoticeInput<Kind>['payload'],
  to: Account | null,
): Promise<string> {
  const { deps } = harness;
  return await inTransaction(deps.storage, (tx) =>
    deps.outbox.append(tx, {
      workspaceId: deps.defaultWorkspace.id,
      kind,
      to: {
        accountId: to?.id ?? null,
        name: to?.displayName ?? 'Build bot',
        address: to?.email ?? 'bot@example.com',
        locale: 'en',
        timeZone: null,
      },
      keyId: null,
      payload,
    }),
  );
}

async function appendKey(to: Account | null, delivery: 'link' | 'value' = 'link'): Promise<string> {
  const linkUrl = delivery === 'link' ? `https://keys.test/key-link#${TOKEN}` : null;
  const secretKey = delivery === 'value' ? SECRET_KEY : null;
  return await append(
    'key.delivery',
    {
      accountName: 'Ada',
      keyId: 'kr_0123456789ABCDEF',
      comment: 'CI',
      expiresAt: null,
      linkUrl,
      linkExpiresAt: harness.clock.now() + DAY_MS,
      secretKey,
    },
    to,
  );
}

async function sendToMailbox(): Promise<void> {
  const { deps } = harness;
  await createNoticeSender({ ...deps, transport: null, queue: createOutboxQueue(deps) }).sendDue();
}

async function get(account: Account, url: string) {
  return await app.inject({ method: 'GET', url, headers: { cookie: `keyreeve_session=${account.id}` } });
}

async function countOpenings(id: string): Promise<number> {
  const rows = await harness.deps.storage.read
    .selectFrom('audit')
    .select(['seq', 'key_id'])
    .where('action', '=', 'mail.opened')
    .where('target_id', '=', id)
    .execute();
  return rows.length;
}

describe('the list of mails', () => {
  it('shows administrators the mails to everybody and members their own', async () => {
    const toMember = await appendKey(member);
    harness.clock.advance(1);
    const toNobody = await appendKey(null);
    await sendToMailbox();
    const forAdmin = await get(admin, '/v1/mailbox');
    expect(forAdmin.json()).toMatchObject({
      nextCursor: null,
      items: [
        {
          id: toNobody,
          kind: 'key.delivery',
          to: { name: 'Build bot', address: 'bot@example.com' },
          accountId: null,
          subject: '[Keyreeve] API key for Build bot',
          state: 'mailbox',
        },
        { id: toMember, accountId: member.id, createdAt: expect.stringMatching(/Z$/) as string },
      ],
    });
    const forMember = await get(member, '/v1/mailbox');
    expect(forMember.json<{ items: MailBody[] }>().items.map((mail) => mail.id)).toEqual([toMember]);
    expect(forAdmin.body + forMember.body).not.toMatch(new RegExp(`${TOKEN}|${SECRET_KEY}|sealed`));
  });

  it('goes on from page to page without losing or repeating a mail of the same millisecond', async () => {
    const ids = new Set<string>();
    for (let count = 0; count < 7; count += 1) ids.add(await appendKey(member));
    const seen: string[] = [];
    let url = '/v1/mailbox?limit=3';
    for (let pages = 1; pages <= 3; pages += 1) {
      const page = (await get(admin, url)).json<{ items: MailBody[]; nextCursor: string | null }>();
      seen.push(...page.items.map((mail) => mail.id));
      url = `/v1/mailbox?limit=3&cursor=${page.nextCursor ?? ''}`;
      if (pages === 3) expect(page.nextCursor).toBeNull();
    }
    expect(seen).toHaveLength(7);
    expect(new Set(seen)).toEqual(ids);
  });

  it('tells why a mail was given up to administrators, and not to members', async () => {
    const id = await appendKey(member);
    await inTransaction(harness.deps.storage, async (tx) => {
      await tx
        .updateTable('outbox')
        .set({ state: 'failed', last_error: '550 at mx.internal', sealed_payload: null })
        .where('id', '=', id)
        .execute();
    });
    expect((await get(admin, '/v1/mailbox')).json()).toMatchObject({
      items: [{ id, state: 'failed', lastError: '550 at mx.internal' }],
    });
    expect((await get(member, '/v1/mailbox')).json()).toMatchObject({
      items: [{ id, state: 'failed', lastError: null }],
    });
  });

  it('narrows to one state, such as the mails that were given up, for each reader among his own', async () => {
    const givenUp = await appendKey(member);
    await appendKey(member);
    await inTransaction(harness.deps.storage, async (tx) => {
      await tx.updateTable('outbox').set({ state: 'failed' }).where('id', '=', givenUp).execute();
    });
    const idsFor = async (account: Account, state: string) =>
      (await get(account, `/v1/mailbox?state=${state}`))
        .json<{ items: MailBody[] }>()
        .items.map((mail) => mail.id);
    expect(await idsFor(admin, 'failed')).toEqual([givenUp]);
    expect(await idsFor(member, 'failed')).toEqual([givenUp]);
    expect(await idsFor(admin, 'sent')).toEqual([]);
    expect((await get(admin, '/v1/mailbox?state=lost')).statusCode).toBe(400);
  });

  it('refuses a cursor that it did not return', async () => {
    expect((await get(admin, '/v1/mailbox?cursor=abc')).statusCode).toBe(400);
  });
});

describe('an opened mail', () => {
  it.each(['link', 'value'] as const)(
    'gives access to its addressee only; administrators see it masked (%s)',
    async (delivery) => {
      const access = delivery === 'link' ? TOKEN : SECRET_KEY;
      const id = await appendKey(member, delivery);
      await sendToMailbox();
      const own = (await get(member, `/v1/mailbox/${id}`)).json<{
        text: string;
        html: string;
        isMasked: boolean;
      }>();
      expect(own.isMasked).toBe(false);
      expect(own.text).toContain(access);
      expect(own.html).toContain(access);
      const masked = await get(admin, `/v1/mailbox/${id}`);
      expect(masked.json()).toMatchObject({
        isMasked: true,
        subject: '[Keyreeve] API key for Ada',
        text: expect.stringContaining('••••') as string,
        html: expect.stringContaining('••••') as string,
      });
      expect(masked.body).not.toContain(access);
      expect(masked.body).toContain('kr_0123456789ABCDEF');
    },
  );

  it.each(['account.invitation', 'account.password_reset'] as const)(
    'lets no administrator take an account over: %s',
    async (kind) => {
      const id = await append(
        kind,
        {
          accountName: 'Ada',
          linkUrl: `https://keys.test/page#${TOKEN}`,
          linkExpiresAt: harness.clock.now() + DAY_MS,
        },
        member,
      );
      await sendToMailbox();
      expect((await get(admin, `/v1/mailbox/${id}`)).body).not.toContain(TOKEN);
      expect((await get(member, `/v1/mailbox/${id}`)).body).toContain(TOKEN);
    },
  );

  it('is masked for everybody when the address belongs to no account', async () => {
    const id = await appendKey(null);
    await sendToMailbox();
    const masked = await get(admin, `/v1/mailbox/${id}`);
    expect(masked.json()).toMatchObject({ isMasked: true });
    expect(masked.body).not.toContain(TOKEN);
    expect((await get(member, `/v1/mailbox/${id}`)).statusCode).toBe(404);
  });

  it('does not exist for another member, and neither does one that is not there', async () => {
    const id = await appendKey(admin);
    await sendToMailbox();
    const foreign = await get(member, `/v1/mailbox/${id}`);
    const missing = await get(member, '/v1/mailbox/out_missing');
    expect(foreign.statusCode).toBe(404);
    expect({ ...foreign.json<object>(), instance: '' }).toEqual({ ...missing.json<object>(), instance: '' });
    expect(await countOpenings(id)).toBe(0);
  });

  it('stands in the audit log each time, with its key', async () => {
    const id = await appendKey(member);
    await sendToMailbox();
    await get(member, `/v1/mailbox/${id}`);
    await get(admin, `/v1/mailbox/${id}`);
    expect(await countOpenings(id)).toBe(2);
    const head = await app.inject({
      method: 'HEAD',
      url: `/v1/mailbox/${id}`,
      headers: { cookie: `keyreeve_session=${admin.id}` },
    });
    expect(head.statusCode).toBeGreaterThanOrEqual(400);
    expect(await countOpenings(id)).toBe(2);
  });

  it('cannot be opened while it waits to be sent, or when it was sent', async () => {
    const id = await appendKey(member);
    const pending = await get(member, `/v1/mailbox/${id}`);
    expect(pending.statusCode).toBe(409);
    expect(pending.json()).toMatchObject({ code: 'mailbox.not_kept' });
    await inTransaction(harness.deps.storage, async (tx) => {
      await tx
        .updateTable('outbox')
        .set({ state: 'sent', sealed_payload: null })
        .where('id', '=', id)
        .execute();
    });
    expect((await get(member, `/v1/mailbox/${id}`)).statusCode).toBe(409);
    expect(await countOpenings(id)).toBe(0);
  });

  it('of another workspace does not exist, not even for its addressee', async () => {
    const id = await appendKey(member);
    await sendToMailbox();
    await inTransaction(harness.deps.storage, async (tx) => {
      await tx.updateTable('outbox').set({ workspace_id: 'wsp_other' }).where('id', '=', id).execute();
    });
    expect((await get(member, `/v1/mailbox/${id}`)).statusCode).toBe(404);
    expect((await get(admin, '/v1/mailbox')).json()).toMatchObject({ items: [] });
  });
});

describe('the way in', () => {
  it.each(['/v1/mailbox', '/v1/mailbox/out_1'])('is a session, never a key: %s', async (url) => {
    expect((await app.inject({ method: 'GET', url })).statusCode).toBe(401);
    const byKey = await app.inject({ method: 'GET', url, headers: { 'x-api-key': 'any' } });
    expect(byKey.statusCode).toBe(403);
    expect(byKey.json()).toMatchObject({ code: 'auth.kind_not_accepted' });
  });
});

/** How the database reads a page: by which index and columns, and whether it must sort. */
async function planOf(filter: Omit<MailFilter, 'workspaceId'>): Promise<string> {
  const { storage, defaultWorkspace } = harness.deps;
  const after = [1_800_000_000_000, 'out_1'];
  const query = mailsQuery(storage.read, { workspaceId: defaultWorkspace.id, ...filter }, after, 51);
  const { sql, parameters } = query.compile();
  const plan = CompiledQuery.raw(`explain query plan ${sql}`, [...parameters]);
  const { rows } = await storage.read.executeQuery<{ detail: string }>(plan);
  return rows.map(({ detail }) => detail).join('; ');
}

// A mail server that was away leaves a few mails that were given up among millions that were sent.
describeOn('sqlite', 'a page of mails is read off an index, and nothing beside it is looked at', () => {
  it.each([
    [null, null, 'outbox_by_workspace (workspace_id=? AND created_at<?)'],
    [null, 'failed', 'outbox_by_state (workspace_id=? AND state=? AND created_at<?)'],
    ['acc_1', null, 'outbox_by_account (workspace_id=? AND account_id=? AND created_at<?)'],
    ['acc_1', 'sent', 'outbox_by_account (workspace_id=? AND account_id=? AND created_at<?)'],
  ])('to %j in the state %j', async (accountId, state, index) => {
    const plan = await planOf({ accountId, state });
    expect(plan).toContain(index);
    expect(plan).not.toContain('TEMP B-TREE');
  });
});
