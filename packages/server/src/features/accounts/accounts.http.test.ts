import { type Account, type Caller, inTransaction, systemCaller, type Workspace } from '@keyreeve/server';
import { type Harness, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../../lib/secret.ts';

const PASSWORD = 'velvet ladder orbit';
const EVERYTHING = [{ actions: ['iam:*', 'package:*', 'orders:*'], resources: ['*'] }];

interface AccountItem {
  id: string;
  version: number;
  state: string;
  displayName: string;
  grants: { actions: string[]; resources: string[] }[];
  managers: string[];
}
interface Problem {
  code: string;
  detail: string;
  errors: { field: string; message: string }[];
}
type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

let harness: Harness;
let admin: Account;
let adminCaller: Caller;
let adminKey: Record<string, string>;
let count = 0;

beforeAll(async () => {
  harness = await startHarness();
  admin = await harness.createAccount({
    kind: 'user',
    email: 'ada@example.com',
    displayName: 'Ada',
    role: 'admin',
    grants: EVERYTHING,
  });
  adminCaller = await harness.callerOf(admin);
  adminKey = await mint(EVERYTHING);
});
afterAll(() => harness.close());

/** Headers with a new key of an account; without one, of the administrator. */
async function mint(
  scopes: typeof EVERYTHING,
  owner: Account = admin,
  caller: Caller = adminCaller,
): Promise<Record<string, string>> {
  const minted = await harness.deps.keys.create(caller, owner.id, {
    comment: 'CI',
    access: 'scoped',
    scopes,
  });
  return { authorization: `Bearer ${minted.fullKey.reveal()}` };
}

async function call(
  method: Method,
  url: string,
  headers: Record<string, string>,
  body?: unknown,
  ifMatch = '*',
) {
  return await harness.app.inject({
    method,
    url,
    headers: {
      ...headers,
      ...(method === 'PATCH' ? { 'if-match': ifMatch } : {}),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
  });
}

function newUser(more: object = {}): object {
  return { email: `user${(count += 1)}@example.com`, displayName: `User ${count}`, ...more };
}

async function createUser(more: object = {}): Promise<AccountItem> {
  const answer = await call('POST', '/v1/users', adminKey, newUser(more));
  expect(answer.statusCode, answer.payload).toBe(201);
  return answer.json<AccountItem>();
}

async function createService(more: object = {}): Promise<AccountItem> {
  const answer = await call('POST', '/v1/service-accounts', adminKey, {
    technicalName: `bot-${(count += 1)}`,
    displayName: 'Bot',
    ...more,
  });
  expect(answer.statusCode, answer.payload).toBe(201);
  return answer.json<AccountItem>();
}

describe('a new user', () => {
  it('is answered with its ETag and the default rights, and can be read and listed', async () => {
    const answer = await call(
      'POST',
      '/v1/users',
      adminKey,
      newUser({ firstName: 'Grace', tags: ['ops'], locale: 'ja' }),
    );
    const user = answer.json<AccountItem>();
    expect([answer.statusCode, answer.headers['etag']]).toEqual([201, '"1"']);
    expect(user).toMatchObject({
      firstName: 'Grace',
      lastName: null,
      role: 'member',
      state: 'active',
      tags: ['ops'],
      locale: 'ja',
      hasPassword: false,
      createdBy: admin.id,
    });
    expect(user.grants).toEqual([{ actions: ['package:*'], resources: ['*'] }]);
    const read = await call('GET', `/v1/users/${user.id}`, adminKey);
    expect([read.json(), read.headers['etag']]).toEqual([user, '"1"']);
    const list = await call('GET', `/v1/users?q=${encodeURIComponent('Grace')}&limit=1`, adminKey);
    expect(list.json()).toEqual({ items: [], nextCursor: null });
    const found = await call('GET', `/v1/users?q=${encodeURIComponent(user.displayName)}`, adminKey);
    expect(found.json<{ items: AccountItem[] }>().items.map((item) => item.id)).toContain(user.id);
  });

  it.each([
    ['an address that is none', { email: 'Ada <ada@example.com>' }, 'email'],
    ['two addresses', { email: 'a@example.com,b@example.com' }, 'email'],
    ['a blank name', { displayName: '   ' }, 'displayName'],
    ['a name that reverses the text after it', { displayName: 'Ada\u202Egnp' }, 'displayName'],
    ['a name with a line end of old', { firstName: 'A\rB' }, 'firstName'],
    ['a name of 257 characters', { displayName: 'x'.repeat(257) }, 'displayName'],
    ['an unknown role', { role: 'root' }, 'role'],
    [
      'a pattern with the Kelvin sign',
      { grants: [{ actions: ['package:push'], resources: ['\u212Aey'] }] },
      'grants[0].resources[0]',
    ],
    [
      'a grant without resources',
      { grants: [{ actions: ['package:push'], resources: [] }] },
      'grants[0].resources',
    ],
    [
      'a grant with an unknown field',
      { grants: [{ actions: ['package:push'], resources: ['*'], deny: true }] },
      'grants[0].deny',
    ],
    ['a field of service accounts', { managers: [] }, 'managers'],
    ['a field that is made by the server', { createdBy: 'acc_x' }, 'createdBy'],
  ])('is refused with %s, naming the field', async (_name, more, field) => {
    const answer = await call('POST', '/v1/users', adminKey, newUser(more));
    expect(answer.json<Problem>()).toMatchObject({ code: 'request.invalid', errors: [{ field }] });
  });

  it('names all faults of its texts at once', async () => {
    const answer = await call('POST', '/v1/users', adminKey, {
      email: 'no address',
      displayName: ' ',
      lastName: '\u0007',
    });
    expect(answer.json<Problem>().errors.map((fault) => fault.field)).toEqual([
      'email',
      'displayName',
      'lastName',
    ]);
  });

  it('is refused when its login is taken, in any case', async () => {
    const answer = await call('POST', '/v1/users', adminKey, newUser({ email: 'ADA@example.com' }));
    expect([answer.statusCode, answer.json<Problem>().code]).toEqual([409, 'account.login_taken']);
  });
});

describe('a new service account', () => {
  it('has managers, no role and no password', async () => {
    const bot = await createService({ managers: [admin.id], description: 'Builds' });
    expect(bot).toMatchObject({ managers: [admin.id], email: null, description: 'Builds' });
    expect(Object.keys(bot)).not.toContain('role');
    expect(Object.keys(bot)).not.toContain('hasPassword');
  });

  it.each(['Bot', '1bot', 'b', 'bot-', 'bot name', 'bot.name', 'böt', 'b'.repeat(65), 'bot\n'])(
    'is refused with the technical name %j',
    async (technicalName) => {
      const answer = await call('POST', '/v1/service-accounts', adminKey, {
        technicalName,
        displayName: 'Bot',
      });
      expect(answer.json<Problem>()).toMatchObject({
        code: 'request.invalid',
        errors: [{ field: 'technicalName' }],
      });
    },
  );

  it('is found at its own address only, not at that of users', async () => {
    const bot = await createService();
    expect((await call('GET', `/v1/service-accounts/${bot.id}`, adminKey)).statusCode).toBe(200);
    for (const method of ['GET', 'DELETE'] as const) {
      expect((await call(method, `/v1/users/${bot.id}`, adminKey)).statusCode).toBe(404);
    }
  });
});

describe('an edit', () => {
  it('needs the version that its author has seen', async () => {
    const user = await createUser();
    const url = `/v1/users/${user.id}`;
    const first = await call('PATCH', url, adminKey, { displayName: 'One' }, '"1"');
    expect([first.statusCode, first.headers['etag'], first.json<AccountItem>().displayName]).toEqual([
      200,
      '"2"',
      'One',
    ]);
    const stale = await call('PATCH', url, adminKey, { displayName: 'Two' }, '"1"');
    expect(stale.json()).toMatchObject({ status: 412, code: 'request.precondition_failed', version: 2 });
    expect((await call('GET', url, adminKey)).json<AccountItem>().displayName).toBe('One');
    expect((await call('PATCH', url, adminKey, { displayName: 'Three' }, '"2"')).statusCode).toBe(200);
    for (const ifMatch of ['3', 'W/"3"', '"x"', '"3", "4"']) {
      expect((await call('PATCH', url, adminKey, { displayName: 'Four' }, ifMatch)).statusCode).toBe(400);
    }
  });

  it('by two authors at the same moment succeeds for one', async () => {
    const user = await createUser();
    const answers = await Promise.all(
      ['One', 'Two', 'Three'].map((displayName) =>
        call('PATCH', `/v1/users/${user.id}`, adminKey, { displayName }, '"1"'),
      ),
    );
    expect(answers.map((answer) => answer.statusCode).toSorted((a, b) => a - b)).toEqual([200, 412, 412]);
  });

  it('of nothing at all is refused', async () => {
    const user = await createUser();
    expect((await call('PATCH', `/v1/users/${user.id}`, adminKey, {})).statusCode).toBe(400);
  });

  it('may not change the technical name', async () => {
    const bot = await createService();
    const answer = await call('PATCH', `/v1/service-accounts/${bot.id}`, adminKey, {
      technicalName: 'other',
    });
    expect(answer.json<Problem>()).toMatchObject({
      code: 'request.invalid',
      errors: [{ field: 'technicalName' }],
    });
  });

  it('refuses a reason for disabling that hides text', async () => {
    const user = await createUser();
    const answer = await call('PATCH', `/v1/users/${user.id}`, adminKey, {
      state: 'disabled',
      disabledReason: 'left\u202E',
    });
    expect(answer.json<Problem>()).toMatchObject({
      code: 'request.invalid',
      errors: [{ field: 'disabledReason' }],
    });
  });
});

describe('a disabled account', () => {
  it('can use neither keys nor sessions; enabling restores the keys only', async () => {
    const passwordHash = await harness.deps.passwords.hash(new Secret(PASSWORD), []);
    const user = await harness.createAccount({
      kind: 'user',
      email: 'off@example.com',
      displayName: 'Off',
      passwordHash,
      grants: EVERYTHING,
    });
    const key = await mint([{ actions: ['package:*'], resources: ['*'] }], user);
    const signedIn = await call('POST', '/v1/session', {}, { email: 'off@example.com', password: PASSWORD });
    const session = { cookie: String(signedIn.headers['set-cookie']).split(';')[0] ?? '' };
    const statuses = async () => [
      (await call('GET', '/v1/keys/self', key)).statusCode,
      (await call('GET', '/v1/session', session)).statusCode,
    ];
    expect(await statuses()).toEqual([200, 200]);
    await call('PATCH', `/v1/users/${user.id}`, adminKey, { state: 'disabled' });
    expect(await statuses()).toEqual([401, 401]);
    expect((await call('GET', '/v1/keys/self', key)).json<Problem>().code).toBe('auth.account_disabled');
    await call('PATCH', `/v1/users/${user.id}`, adminKey, { state: 'active' });
    expect(await statuses()).toEqual([200, 401]);
  });

  it('keeps its reason until it is enabled', async () => {
    const user = await createUser();
    const disabled = await call('PATCH', `/v1/users/${user.id}`, adminKey, {
      state: 'disabled',
      disabledReason: 'on leave',
    });
    expect(disabled.json()).toMatchObject({ state: 'disabled', disabledReason: 'on leave' });
    const enabled = await call('PATCH', `/v1/users/${user.id}`, adminKey, { state: 'active' });
    expect(enabled.json()).toMatchObject({ state: 'active', disabledReason: null });
  });
});

describe('a deleted account', () => {
  it('is gone with its keys', async () => {
    const user = await harness.createAccount({
      kind: 'user',
      email: 'leaver@example.com',
      displayName: 'Leaver',
    });
    const key = await mint([{ actions: ['package:*'], resources: ['*'] }], user);
    const answer = await call('DELETE', `/v1/users/${user.id}`, adminKey);
    expect([answer.statusCode, answer.payload]).toEqual([204, '']);
    expect((await call('GET', `/v1/users/${user.id}`, adminKey)).statusCode).toBe(404);
    expect((await call('GET', '/v1/keys/self', key)).json<Problem>().code).toBe('auth.invalid_credential');
    expect((await call('DELETE', `/v1/users/${user.id}`, adminKey)).statusCode).toBe(404);
  });
});

describe('a session', () => {
  let member: Account;
  let session: Record<string, string>;
  beforeAll(async () => {
    const passwordHash = await harness.deps.passwords.hash(new Secret(PASSWORD), []);
    member = await harness.createAccount({
      kind: 'user',
      email: 'member@example.com',
      displayName: 'Member',
      passwordHash,
    });
    const answer = await call('POST', '/v1/session', {}, { email: 'member@example.com', password: PASSWORD });
    session = { cookie: String(answer.headers['set-cookie']).split(';')[0] ?? '' };
  });

  it('of a member reads and renames itself only', async () => {
    const list = await call('GET', '/v1/users', session);
    expect(list.json<{ items: AccountItem[] }>().items.map((item) => item.id)).toEqual([member.id]);
    expect((await call('GET', `/v1/users/${admin.id}`, session)).statusCode).toBe(404);
    expect((await call('PATCH', `/v1/users/${member.id}`, session, { firstName: 'Mia' })).statusCode).toBe(
      200,
    );
    expect((await call('PATCH', `/v1/users/${member.id}`, session, { role: 'admin' })).statusCode).toBe(403);
  });

  it('of a member creates and deletes nobody', async () => {
    expect((await call('POST', '/v1/users', session, newUser())).json<Problem>().code).toBe('auth.forbidden');
    expect(
      (
        await call('POST', '/v1/service-accounts', session, { technicalName: 'mine', displayName: 'x' })
      ).json<Problem>().code,
    ).toBe('auth.forbidden');
    expect((await call('DELETE', `/v1/users/${member.id}`, session)).statusCode).toBe(403);
  });

  it('changes nothing when another site sent the request', async () => {
    const headers = { ...session, 'sec-fetch-site': 'cross-site' };
    expect(
      (await call('PATCH', `/v1/users/${member.id}`, headers, { firstName: 'Eve' })).json<Problem>().code,
    ).toBe('auth.cross_site');
  });
});

describe('a key that manages accounts', () => {
  const MANAGER = [{ actions: ['iam:accounts:write'], resources: ['*'] }];
  let manager: Record<string, string>;
  let manages: (scopes: typeof EVERYTHING) => Promise<Record<string, string>>;
  beforeAll(async () => {
    manages = (scopes) => mint([...MANAGER, ...scopes]);
    manager = await manages([]);
  });

  it('cannot hand out a right that it lacks, though its owner holds it', async () => {
    for (const more of [
      {},
      { grants: [{ actions: ['orders:read'], resources: ['*'] }] },
      { grants: [], role: 'admin' },
      { grants: [{ actions: ['iam:accounts:read'], resources: ['*'] }] },
    ]) {
      const answer = await call('POST', '/v1/users', manager, newUser(more));
      expect([answer.statusCode, answer.json<Problem>().code]).toEqual([403, 'account.grant_exceeds_own']);
      expect(answer.json<Problem>().detail).toMatch(/^You do not hold \S+ on \* yourself/);
    }
    expect((await call('POST', '/v1/users', manager, newUser({ grants: [] }))).statusCode).toBe(201);
  });

  it('hands out what it holds, and narrower parts of it', async () => {
    const seller = await manages([{ actions: ['orders:*'], resources: ['shop/*'] }]);
    const grants = [{ actions: ['orders:read', 'orders:*'], resources: ['shop/berlin/*', 'shop/*'] }];
    expect(
      (
        await call('POST', '/v1/service-accounts', seller, {
          technicalName: 'seller',
          displayName: 'x',
          grants,
        })
      ).statusCode,
    ).toBe(201);
    const wider = [{ actions: ['orders:read'], resources: ['*'] }];
    expect((await call('POST', '/v1/users', seller, newUser({ grants: wider }))).statusCode).toBe(403);
  });

  it('cannot widen an account by an edit either', async () => {
    const user = await createUser({ grants: [] });
    for (const patch of [{ role: 'admin' }, { grants: [{ actions: ['orders:read'], resources: ['a'] }] }]) {
      expect((await call('PATCH', `/v1/users/${user.id}`, manager, patch)).json<Problem>().code).toBe(
        'account.grant_exceeds_own',
      );
    }
    expect((await call('PATCH', `/v1/users/${user.id}`, manager, { displayName: 'Fine' })).statusCode).toBe(
      200,
    );
  });

  it('cannot take a stronger account over by its e-mail address, role or managers', async () => {
    const strong = await createUser({ grants: [{ actions: ['orders:read'], resources: ['*'] }] });
    const bot = await createService({ grants: [{ actions: ['orders:read'], resources: ['*'] }] });
    const weak = await createUser({ grants: [] });
    const answers = [
      await call('PATCH', `/v1/users/${strong.id}`, manager, { email: 'eve@example.com' }),
      await call('PATCH', `/v1/users/${admin.id}`, manager, { email: 'eve@example.com' }),
      await call('PATCH', `/v1/users/${admin.id}`, manager, { role: 'member' }),
      await call('PATCH', `/v1/service-accounts/${bot.id}`, manager, { email: 'eve@example.com' }),
      await call('PATCH', `/v1/service-accounts/${bot.id}`, manager, { managers: [weak.id] }),
    ];
    expect(answers.map((answer) => answer.json<Problem>().code)).toEqual(answers.map(() => 'auth.forbidden'));
    expect(
      (await call('PATCH', `/v1/users/${weak.id}`, manager, { email: 'renamed@example.com' })).statusCode,
    ).toBe(200);
  });

  it('cannot bring a stronger account that was disabled back to its rights', async () => {
    const second = await createUser({ role: 'admin' });
    const strong = await createUser({ grants: [{ actions: ['orders:read'], resources: ['*'] }] });
    const weak = await createUser({ grants: [] });
    for (const { id } of [second, strong, weak])
      expect((await call('PATCH', `/v1/users/${id}`, manager, { state: 'disabled' })).statusCode).toBe(200);
    const enable = async (id: string) =>
      (await call('PATCH', `/v1/users/${id}`, manager, { state: 'active' })).statusCode;
    expect([await enable(second.id), await enable(strong.id), await enable(weak.id)]).toEqual([
      403, 403, 200,
    ]);
    expect((await call('PATCH', `/v1/users/${second.id}`, adminKey, { state: 'active' })).statusCode).toBe(
      200,
    );
  });

  it('reaches only the accounts that its scope names; others do not exist for it', async () => {
    const [mine, other] = [await createUser({ grants: [] }), await createUser({ grants: [] })];
    const key = await mint([
      { actions: ['iam:accounts:write'], resources: [mine.id] },
      { actions: ['iam:accounts:read'], resources: [mine.id] },
    ]);
    expect((await call('PATCH', `/v1/users/${mine.id}`, key, { displayName: 'x' })).statusCode).toBe(200);
    expect((await call('PATCH', `/v1/users/${other.id}`, key, { displayName: 'x' })).statusCode).toBe(404);
    expect((await call('DELETE', `/v1/users/${other.id}`, key)).statusCode).toBe(404);
    expect((await call('POST', '/v1/users', key, newUser({ grants: [] }))).json<Problem>().code).toBe(
      'auth.insufficient_scope',
    );
    const list = await call('GET', '/v1/users', key);
    expect(list.json<{ items: AccountItem[] }>().items.map((item) => item.id)).toEqual([mine.id]);
  });

  it('that may only read changes nothing', async () => {
    const user = await createUser();
    const reader = await mint([{ actions: ['iam:accounts:read'], resources: ['*'] }]);
    expect((await call('GET', `/v1/users/${user.id}`, reader)).statusCode).toBe(200);
    for (const method of ['PATCH', 'DELETE'] as const) {
      const answer = await call(
        method,
        `/v1/users/${user.id}`,
        reader,
        method === 'PATCH' ? { displayName: 'x' } : undefined,
      );
      expect(answer.json<Problem>().code).toBe('auth.insufficient_scope');
    }
  });

  it('narrows at once when its owner is narrowed', async () => {
    const owner = await harness.createAccount({
      kind: 'user',
      email: 'narrow@example.com',
      displayName: 'N',
      role: 'admin',
      grants: [],
    });
    const key = await mint(MANAGER, owner);
    const url = `/v1/users/${(await createUser({ grants: [] })).id}`;
    expect((await call('PATCH', url, key, { displayName: 'x' })).statusCode).toBe(200);
    await call('PATCH', `/v1/users/${owner.id}`, adminKey, { role: 'member' });
    expect((await call('PATCH', url, key, { displayName: 'y' })).json<Problem>().code).toBe(
      'auth.insufficient_scope',
    );
  });
});

describe('two workspaces', () => {
  let other: Workspace;
  let foreign: Account;
  let foreignKey: Record<string, string>;
  beforeAll(async () => {
    const created = await harness.deps.workspaces.create(adminCaller, {
      name: 'Second',
      subdomain: 'second',
      aliases: [],
    });
    other = created.workspace;
    foreign = await inTransaction(harness.deps.storage, (tx) =>
      harness.deps.accounts.createInside(tx, systemCaller(other, 'test'), {
        kind: 'user',
        email: 'ada@example.com',
        displayName: 'Foreign',
        role: 'admin',
        grants: EVERYTHING,
      }),
    );
    const caller = { ...(await harness.callerOf(foreign)), workspace: other };
    foreignKey = { ...(await mint(EVERYTHING, foreign, caller)), host: 'second.keys.test' };
  });

  it('never see each other’s accounts, in lists, by id or by search', async () => {
    const here = (await call('GET', '/v1/users?limit=200', adminKey))
      .json<{ items: AccountItem[] }>()
      .items.map((item) => item.id);
    const there = (await call('GET', '/v1/users?limit=200', foreignKey))
      .json<{ items: AccountItem[] }>()
      .items.map((item) => item.id);
    expect(there).toEqual([foreign.id]);
    expect(here).not.toContain(foreign.id);
    for (const method of ['GET', 'PATCH', 'DELETE'] as const) {
      const body = method === 'PATCH' ? { displayName: 'Mine now' } : undefined;
      const known = await call(method, `/v1/users/${foreign.id}`, adminKey, body);
      const unknown = await call(method, '/v1/users/acc_unknown', adminKey, body);
      expect({ ...known.json<object>(), instance: '' }).toEqual({ ...unknown.json<object>(), instance: '' });
      expect(known.statusCode).toBe(404);
      expect((await call(method, `/v1/users/${admin.id}`, foreignKey, body)).statusCode).toBe(404);
    }
  });

  it('never take each other’s keys', async () => {
    expect((await call('GET', '/v1/keys/self', foreignKey)).statusCode).toBe(200);
    expect(
      (await call('GET', '/v1/keys/self', { ...foreignKey, host: 'localhost' })).json<Problem>().code,
    ).toBe('auth.invalid_credential');
    expect(
      (await call('GET', '/v1/keys/self', { ...adminKey, host: 'second.keys.test' })).json<Problem>().code,
    ).toBe('auth.invalid_credential');
  });

  it('manage only their own: a manager cannot come from the other one', async () => {
    const answer = await call('POST', '/v1/service-accounts', foreignKey, {
      technicalName: 'bot',
      displayName: 'Bot',
      managers: [admin.id],
    });
    expect([answer.statusCode, answer.json<Problem>().code]).toEqual([400, 'account.unknown_manager']);
  });
});
