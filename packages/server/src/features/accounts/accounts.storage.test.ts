import { type Account, type Caller, inTransaction, systemCaller, type Workspace } from '@keyreeve/server';
import { type Harness, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let harness: Harness;
let admin: Account;
let adminCaller: Caller;
let count = 0;

beforeAll(async () => {
  harness = await startHarness();
  admin = await createUser('admin');
  adminCaller = await harness.callerOf(admin);
});
afterAll(() => harness.close());

const accounts = () => harness.deps.accounts;

async function createUser(
  role: 'admin' | 'member' = 'member',
  email = `user${(count += 1)}@example.com`,
): Promise<Account> {
  return await harness.createAccount({ kind: 'user', email, displayName: `User ${count}`, role });
}

async function createService(managers: readonly Account[] = []): Promise<Account> {
  const technicalName = `bot-${(count += 1)}`;
  return await harness.createAccount({
    kind: 'service',
    technicalName,
    displayName: 'Bot',
    managers: managers.map((user) => user.id),
  });
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return await promise.then(
    () => 'done',
    (error: unknown) => String((error as { code?: unknown }).code),
  );
}

/** A workspace with one active administrator, whom the other tests do not count. */
async function createWorkspace(): Promise<{ workspace: Workspace; first: Account; caller: Caller }> {
  const subdomain = `ws${(count += 1)}`;
  const { workspace } = await harness.deps.workspaces.create(adminCaller, {
    name: subdomain,
    subdomain,
    aliases: [],
  });
  const first = await createIn(workspace, {
    kind: 'user',
    email: 'root@example.com',
    displayName: 'Root',
    role: 'admin',
  });
  return { workspace, first, caller: { ...(await harness.callerOf(first)), workspace } };
}

async function createIn(
  workspace: Workspace,
  input: Parameters<Harness['createAccount']>[0],
): Promise<Account> {
  return await inTransaction(harness.deps.storage, (tx) =>
    accounts().createInside(tx, systemCaller(workspace, 'test'), input),
  );
}

describe('the last active administrator', () => {
  it('can be neither demoted, nor disabled, nor deleted, by anybody', async () => {
    const { first, caller } = await createWorkspace();
    expect(await codeOf(accounts().update(caller, 'user', first.id, { role: 'member' }, null))).toBe(
      'account.last_admin',
    );
    expect(await codeOf(accounts().update(caller, 'user', first.id, { state: 'disabled' }, null))).toBe(
      'account.last_admin',
    );
    expect(await codeOf(accounts().remove(caller, 'user', first.id))).toBe('account.last_admin');
    expect(await accounts().find(harness.deps.storage.read, first.workspaceId, first.id)).toMatchObject({
      role: 'admin',
      isActive: true,
    });
  });

  it('is still the last one beside disabled administrators, members and those of other workspaces', async () => {
    const { workspace, first, caller } = await createWorkspace();
    const second = await createIn(workspace, {
      kind: 'user',
      email: 'second@example.com',
      displayName: 'Second',
      role: 'admin',
    });
    await accounts().update(caller, 'user', second.id, { state: 'disabled' }, null);
    await createIn(workspace, { kind: 'user', email: 'member@example.com', displayName: 'Member' });
    expect(await codeOf(accounts().remove(caller, 'user', first.id))).toBe('account.last_admin');
    await accounts().update(caller, 'user', second.id, { state: 'active' }, null);
    expect(await codeOf(accounts().remove(caller, 'user', first.id))).toBe('done');
  });

  it('remains when two administrators demote each other at the same moment', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { workspace, first, caller } = await createWorkspace();
      const second = await createIn(workspace, {
        kind: 'user',
        email: 'second@example.com',
        displayName: 'Second',
        role: 'admin',
      });
      const secondCaller = { ...(await harness.callerOf(second)), workspace };
      const outcomes = await Promise.all([
        codeOf(accounts().update(caller, 'user', second.id, { role: 'member' }, null)),
        codeOf(accounts().remove(secondCaller, 'user', first.id)),
      ]);
      expect(outcomes.toSorted((a, b) => (a < b ? -1 : 1))).toEqual(['account.last_admin', 'done']);
      expect(await accounts().countActiveAdmins(harness.deps.storage.read, workspace.id)).toBe(1);
    }
  });
});

describe('a member', () => {
  it('sees itself and the service accounts that it manages, and nobody else', async () => {
    const member = await createUser();
    const [mine, other] = [await createService([member]), await createService([admin])];
    const caller = await harness.callerOf(member);
    expect(
      (await accounts().list(caller, 'user', { limit: 50 })).items.map((view) => view.account.id),
    ).toEqual([member.id]);
    expect((await accounts().list(caller, 'service', { limit: 50 })).items).toMatchObject([
      { account: { id: mine.id }, managers: [member.id] },
    ]);
    expect(await codeOf(accounts().get(caller, 'service', other.id))).toBe('request.not_found');
    expect(await codeOf(accounts().get(caller, 'user', admin.id))).toBe('request.not_found');
  });

  it('gets the same answer for what it may not see and for what does not exist, whatever it asks', async () => {
    const caller = await harness.callerOf(await createUser());
    const faultOf = (promise: Promise<unknown>) =>
      promise.then(
        () => null,
        (error: { code: string; detail: string }) => `${error.code} ${error.detail}`,
      );
    const ask = (id: string) =>
      Promise.all([
        faultOf(accounts().get(caller, 'user', id)),
        faultOf(accounts().update(caller, 'user', id, { displayName: 'x' }, 1)),
        faultOf(accounts().update(caller, 'user', id, { role: 'admin' }, null)),
        faultOf(accounts().remove(caller, 'user', id)),
      ]);
    expect(await ask(admin.id)).toEqual(await ask('acc_unknown'));
    expect(new Set(await ask(admin.id)).size).toBe(1);
  });

  it('changes its names and language, and nothing that says what it may or who it is', async () => {
    const member = await createUser();
    const caller = await harness.callerOf(member);
    const { account } = await accounts().update(
      caller,
      'user',
      member.id,
      { displayName: ' Grace ', locale: 'ja' },
      1,
    );
    expect(account).toMatchObject({ displayName: 'Grace', locale: 'ja', version: 2, epoch: 1 });
    for (const patch of [
      { role: 'admin' },
      { grants: [] },
      { email: 'x@example.com' },
      { state: 'active' },
      { tags: ['x'] },
      { managers: [] },
    ] as const) {
      expect(await codeOf(accounts().update(caller, 'user', member.id, patch, null))).toBe('auth.forbidden');
    }
    expect(await codeOf(accounts().remove(caller, 'user', member.id))).toBe('auth.forbidden');
  });

  it('describes a service account that it manages, and hands out nothing of it', async () => {
    const member = await createUser();
    const bot = await createService([member]);
    const caller = await harness.callerOf(member);
    const patch = { displayName: 'Builder', description: 'Builds', email: 'team@example.com', tags: ['ci'] };
    expect((await accounts().update(caller, 'service', bot.id, patch, null)).account).toMatchObject(patch);
    for (const forbidden of [
      { grants: [] },
      { managers: [] },
      { state: 'disabled' },
      { role: 'admin' },
    ] as const) {
      expect(await codeOf(accounts().update(caller, 'service', bot.id, forbidden, null))).toBe(
        'auth.forbidden',
      );
    }
    expect(await codeOf(accounts().remove(caller, 'service', bot.id))).toBe('auth.forbidden');
  });

  it('may not redirect the mails of a service account that may more than itself', async () => {
    const member = await createUser();
    const bot = await createService([member]);
    await accounts().update(
      adminCaller,
      'service',
      bot.id,
      { grants: [{ actions: ['iam:*'], resources: ['*'] }] },
      null,
    );
    const caller = await harness.callerOf(member);
    expect(
      await codeOf(accounts().update(caller, 'service', bot.id, { email: 'mine@example.com' }, null)),
    ).toBe('auth.forbidden');
    expect(await codeOf(accounts().update(caller, 'service', bot.id, { displayName: 'Fine' }, null))).toBe(
      'done',
    );
  });
});

describe('a login', () => {
  it('is unique by kind in its workspace, in any case, also after an edit', async () => {
    const user = await createUser('member', 'Unique@Example.com');
    const other = await createUser();
    const again = { kind: 'user', email: 'uNIQUE@example.COM', displayName: 'Again' } as const;
    expect(await codeOf(accounts().create(adminCaller, again))).toBe('account.login_taken');
    expect(
      await codeOf(accounts().update(adminCaller, 'user', other.id, { email: 'UNIQUE@EXAMPLE.COM' }, null)),
    ).toBe('account.login_taken');
    expect(
      await codeOf(accounts().update(adminCaller, 'user', user.id, { email: 'unique@example.com' }, null)),
    ).toBe('done');
    const { caller } = await createWorkspace();
    expect(await codeOf(accounts().create(caller, again))).toBe('done');
  });

  it('is taken by one of many who ask for it at the same moment', async () => {
    const input = { kind: 'service', technicalName: 'race-bot', displayName: 'Race' } as const;
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, () => codeOf(accounts().create(adminCaller, input))),
    );
    expect(outcomes.filter((outcome) => outcome === 'done')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 'account.login_taken')).toHaveLength(7);
  });

  it('is free again once its account is deleted', async () => {
    const user = await createUser('member', 'gone@example.com');
    await accounts().remove(adminCaller, 'user', user.id);
    expect(
      await codeOf(
        accounts().create(adminCaller, { kind: 'user', email: 'gone@example.com', displayName: 'New' }),
      ),
    ).toBe('done');
  });
});

describe('the audit log', () => {
  const rows = async (accountId: string) =>
    await harness.deps.storage.read
      .selectFrom('audit')
      .select(['action', 'actor_id', 'target_name', 'detail'])
      .where('account_id', '=', accountId)
      .orderBy('seq')
      .execute();

  it('tells each change with old and new value, and keeps the name after deletion', async () => {
    const { account } = await accounts().create(adminCaller, {
      kind: 'user',
      email: 'told@example.com',
      displayName: 'Told',
    });
    await accounts().update(adminCaller, 'user', account.id, { displayName: 'Retold', role: 'member' }, null);
    await accounts().update(
      adminCaller,
      'user',
      account.id,
      { state: 'disabled', disabledReason: 'left' },
      null,
    );
    await accounts().update(adminCaller, 'user', account.id, { state: 'active' }, null);
    await accounts().remove(adminCaller, 'user', account.id);
    const told = await rows(account.id);
    expect(told.map((row) => row.action)).toEqual([
      'account.created',
      'invitation.sent',
      'account.changed',
      'account.disabled',
      'account.enabled',
      'account.deleted',
    ]);
    expect(told.every((row) => row.actor_id === admin.id && row.target_name === 'told@example.com')).toBe(
      true,
    );
    expect(JSON.parse(told[2]?.detail ?? '')).toEqual({ displayName: { from: 'Told', to: 'Retold' } });
    expect(JSON.parse(told[3]?.detail ?? '')).toMatchObject({
      isActive: { from: true, to: false },
      disabledReason: { from: null, to: 'left' },
    });
  });

  it('gets no row, and the account no new version, for an edit that changes nothing', async () => {
    const user = await createUser();
    const before = await rows(user.id);
    const { account } = await accounts().update(
      adminCaller,
      'user',
      user.id,
      { displayName: user.displayName, tags: [] },
      1,
    );
    expect([account.version, await rows(user.id)]).toEqual([1, before]);
  });

  it('and the change stand or fall together', async () => {
    const user = await createUser();
    const bot = await createService([user]);
    const { schema } = harness.deps.storage.write;
    await schema.alterTable('audit').renameTo('audit_away').execute();
    try {
      expect(
        await codeOf(
          accounts().create(adminCaller, { kind: 'user', email: 'lost@example.com', displayName: 'x' }),
        ),
      ).not.toBe('done');
      expect(
        await codeOf(accounts().update(adminCaller, 'user', user.id, { displayName: 'Lost' }, null)),
      ).not.toBe('done');
      expect(
        await codeOf(accounts().update(adminCaller, 'service', bot.id, { managers: [] }, null)),
      ).not.toBe('done');
      expect(await codeOf(accounts().remove(adminCaller, 'user', user.id))).not.toBe('done');
    } finally {
      await schema.alterTable('audit_away').renameTo('audit').execute();
    }
    const { read } = harness.deps.storage;
    expect(await accounts().find(read, user.workspaceId, user.id)).toEqual(user);
    expect(await accounts().isManagedBy(read, user.workspaceId, bot.id, user.id)).toBe(true);
    expect(await accounts().findByLogin(read, user.workspaceId, 'user', 'lost@example.com')).toBeNull();
  });
});

describe('what ends the rights of an account', () => {
  it.each([
    ['disabling', { state: 'disabled' }, 2],
    ['a new role', { role: 'admin' }, 2],
    ['other grants', { grants: [] }, 2],
    ['a new name', { displayName: 'x' }, 1],
    ['the same grants again', { grants: [{ actions: ['package:*'], resources: ['*'] }] }, 1],
  ] as const)('raises its epoch, so that caches and tokens notice: %s', async (_name, patch, epoch) => {
    const user = await createUser();
    expect((await accounts().update(adminCaller, 'user', user.id, patch, null)).account.epoch).toBe(epoch);
  });
});

describe('managers', () => {
  it('are active users of the same workspace', async () => {
    const [disabled, bot] = [await createUser(), await createService()];
    await accounts().update(adminCaller, 'user', disabled.id, { state: 'disabled' }, null);
    const { first: foreign } = await createWorkspace();
    for (const id of [disabled.id, bot.id, foreign.id, 'acc_unknown']) {
      expect(
        await codeOf(accounts().update(adminCaller, 'service', bot.id, { managers: [admin.id, id] }, null)),
      ).toBe('account.unknown_manager');
    }
    expect((await accounts().get(adminCaller, 'service', bot.id)).managers).toEqual([]);
  });

  it('are for service accounts only', async () => {
    const user = await createUser();
    expect(
      await codeOf(accounts().update(adminCaller, 'user', user.id, { managers: [admin.id] }, null)),
    ).toBe('account.not_for_kind');
  });

  it('lose a service account together with their own', async () => {
    const user = await createUser();
    const bot = await createService([user, admin]);
    await accounts().remove(adminCaller, 'user', user.id);
    expect((await accounts().get(adminCaller, 'service', bot.id)).managers).toEqual([admin.id]);
  });
});

describe('a list of accounts', () => {
  const TOTAL = 501;
  let caller: Caller;
  let created: string[];

  beforeAll(async () => {
    const made = await createWorkspace();
    caller = made.caller;
    created = await inTransaction(harness.deps.storage, async (tx) => {
      const ids: string[] = [];
      for (let index = 0; index < TOTAL; index += 1) {
        const technicalName = `bot${['-', '_', '', 'x'][index % 4]}${(index * 7919) % 1_000}`;
        const account = await accounts().createInside(tx, systemCaller(made.workspace, 'test'), {
          kind: 'service',
          technicalName,
          displayName: `Bot ${index}`,
        });
        ids.push(account.id);
      }
      return ids;
    });
  });

  async function readAll(
    limit: number,
    afterFirstPage: () => Promise<unknown> = () => Promise.resolve(),
  ): Promise<string[]> {
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await accounts().list(caller, 'service', { limit, cursor });
      expect(page.items.length).toBeLessThanOrEqual(limit);
      seen.push(...page.items.map((view) => view.account.id));
      if (cursor === undefined) await afterFirstPage();
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    return seen;
  }

  it.each([200, 50, 7])(`shows each of ${TOTAL} exactly once, in pages of %i`, async (limit) => {
    const seen = await readAll(limit);
    expect(seen).toHaveLength(TOTAL);
    expect(new Set(seen)).toEqual(new Set(created));
  });

  it('shows none twice and misses no old one when accounts come and go between its pages', async () => {
    const { workspace } = caller;
    const seen = await readAll(100, async () => {
      await createIn(workspace, { kind: 'service', technicalName: 'aaa-first', displayName: 'New' });
      await createIn(workspace, { kind: 'service', technicalName: 'zzz-last', displayName: 'New' });
    });
    expect(new Set(seen).size).toBe(seen.length);
    expect(created.filter((id) => !seen.includes(id))).toEqual([]);
  });

  it('holds accounts of its own workspace only', async () => {
    const page = await accounts().list(adminCaller, 'service', { limit: 200 });
    expect(page.items.some((view) => created.includes(view.account.id))).toBe(false);
  });

  it('is refused with a cursor that is none', async () => {
    for (const cursor of ['', 'nonsense', Buffer.from('[1]').toString('base64url')]) {
      expect(await codeOf(accounts().list(caller, 'service', { limit: 10, cursor }))).toBe('request.invalid');
    }
  });
});

describe('a search', () => {
  let caller: Caller;
  beforeAll(async () => {
    const made = await createWorkspace();
    caller = made.caller;
    const names: [string, string][] = [
      ['100% Cotton', 'a_b@example.com'],
      ['100 Percent', 'axb@example.com'],
      [String.raw`Back\slash`, 'c.d@example.com'],
      ['Émile Zola', 'zola@example.com'],
      ["O'Brien", "o'brien@example.com"],
      ['山田 太郎', 'yamada@example.com'],
    ];
    for (const [displayName, email] of names)
      await createIn(made.workspace, { kind: 'user', email, displayName });
  });

  const find = async (q: string) =>
    (await accounts().list(caller, 'user', { limit: 50, q })).items.map((view) => view.account.displayName);

  it.each([
    ['the percent sign', '%', ['100% Cotton']],
    ['a percent sign within', '0% c', ['100% Cotton']],
    ['the underscore', '_', ['100% Cotton']],
    ['an underscore within', 'a_b', ['100% Cotton']],
    ['a back slash', '\\', [String.raw`Back\slash`]],
    ['a back slash before a letter', String.raw`k\s`, [String.raw`Back\slash`]],
    ['an apostrophe', "o'b", ["O'Brien"]],
    ['a quoted end of the statement', `' or 1=1 --`, []],
    ['another script', '太郎', ['山田 太郎']],
  ])('takes %s for itself', async (_name, q, expected) => expect(await find(q)).toEqual(expected));

  it('ignores the case of ASCII letters in names and addresses, and blanks around', async () => {
    expect(await find('  COTTON ')).toEqual(['100% Cotton']);
    expect(await find('AXB@EXAMPLE')).toEqual(['100 Percent']);
    expect(await find('zola')).toEqual(['Émile Zola']);
    expect(await find('Émile')).toEqual(['Émile Zola']);
  });

  it('finds all when it is blank', async () => {
    expect(await find(' ')).toHaveLength(7);
  });
});
