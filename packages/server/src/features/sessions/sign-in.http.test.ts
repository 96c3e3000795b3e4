import { type Harness, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../lib/clock.ts';
import { Secret } from '../../lib/secret.ts';
import { inTransaction } from '../../storage/index.ts';

const PASSWORD = 'velvet ladder orbit';

interface Problem {
  code: string;
  detail: string;
  instance: string;
}
interface SignedIn {
  account: { id: string };
  session: { id: string; createdAt: string; expiresAt: string };
}
interface SessionItem {
  id: string;
  isCurrent: boolean;
  lastSeenAt: string;
}
interface CallOptions {
  readonly cookie?: string;
  readonly body?: unknown;
  readonly ip?: string;
  readonly headers?: Readonly<Record<string, string>>;
}
type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

let harness: Harness;
let passwordHash: string;
let count = 0;
// Each test has a user and an address of its own, so that none sees the failures of another.
let accountId: string;
let login: string;
let address: string;

async function call(method: Method, url: string, { cookie, body, ip, headers }: CallOptions = {}) {
  return await harness.app.inject({
    method,
    url,
    remoteAddress: ip ?? address,
    headers: {
      host: 'localhost:8080',
      ...(cookie === undefined ? {} : { cookie }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
  });
}

/** `name=value` as a browser sends it back. */
function cookieOf(answer: Awaited<ReturnType<typeof call>>): string {
  return String(answer.headers['set-cookie']).split(';')[0] ?? '';
}

async function signIn(options: CallOptions = {}, password = PASSWORD, email = login) {
  return await call('POST', '/v1/session', { ...options, body: { email, password } });
}

async function createUser(email: string, hash: string | null = passwordHash) {
  return await harness.createAccount({ kind: 'user', email, displayName: 'Ada', passwordHash: hash });
}

async function readAudit(action: string) {
  const { storage } = harness.deps;
  return await storage.read
    .selectFrom('audit')
    .selectAll()
    .where('action', '=', action)
    .where('account_id', '=', accountId)
    .orderBy('seq')
    .execute();
}

async function readSessions() {
  const { read } = harness.deps.storage;
  return await read.selectFrom('sessions').select('id').where('account_id', '=', accountId).execute();
}

beforeAll(async () => {
  harness = await startHarness();
  passwordHash = await harness.deps.passwords.hash(new Secret(PASSWORD), []);
});
beforeEach(async () => {
  count += 1;
  login = `ada${count}@example.com`;
  address = `198.51.100.${count}`;
  accountId = (await createUser(login)).id;
});
afterAll(() => harness.close());

describe('a page that was drawn for one person', () => {
  it('does nothing in the name of another, who has signed in beside it', async () => {
    const bob = await createUser(`bob${count}@example.com`);
    const cookie = cookieOf(await signIn({}, PASSWORD, `bob${count}@example.com`));
    await signIn({}, PASSWORD, `bob${count}@example.com`);
    const sessionsOfBob = async () => {
      const { read } = harness.deps.storage;
      return await read.selectFrom('sessions').select('id').where('account_id', '=', bob.id).execute();
    };
    const drawnFor = (id: string) => ({ cookie, headers: { 'keyreeve-expected-account': id } });
    for (const [method, url] of [
      ['DELETE', '/v1/session'],
      ['POST', '/v1/sessions/end-others'],
      ['GET', '/v1/users'],
    ] as const) {
      const answer = await call(method, url, drawnFor(accountId));
      expect(answer.statusCode).toBe(409);
      expect(answer.json()).toMatchObject({ code: 'auth.other_account' });
    }
    expect(await sessionsOfBob()).toHaveLength(2);
    expect((await call('POST', '/v1/sessions/end-others', drawnFor(bob.id))).statusCode).toBe(200);
    expect(await sessionsOfBob()).toHaveLength(1);
  });

  it('may still sign in: that asks for nobody’s session', async () => {
    const cookie = cookieOf(await signIn());
    const headers = { 'keyreeve-expected-account': 'acc_somebodyelse' };
    expect((await signIn({ cookie, headers })).statusCode).toBe(200);
  });
});

describe('signing in', () => {
  it('answers who is signed in, where and for how long, and sets a cookie that scripts and other sites cannot use', async () => {
    const answer = await signIn();
    expect(answer.statusCode).toBe(200);
    const now = harness.clock.now();
    expect(answer.json()).toEqual({
      account: {
        id: accountId,
        kind: 'user',
        displayName: 'Ada',
        email: login,
        role: 'member',
        locale: 'en',
      },
      workspace: { id: harness.deps.defaultWorkspace.id, name: 'Default', url: 'http://localhost:8080' },
      session: {
        id: expect.stringMatching(/^ses_[0-9A-Za-z]{20}$/) as string,
        createdAt: new Date(now).toISOString(),
        expiresAt: new Date(now + 12 * HOUR_MS).toISOString(),
      },
      managedIds: [],
    });
    expect(answer.headers['set-cookie']).toMatch(
      /^keyreeve_session=[A-Za-z0-9_-]{43}; Path=\/; Max-Age=604800; HttpOnly; SameSite=Strict$/,
    );
    const again = await call('GET', '/v1/session', { cookie: cookieOf(answer) });
    expect(again.json()).toEqual(answer.json());
  });

  it('ignores case and blanks around the address, and nothing in the password', async () => {
    expect((await signIn({}, PASSWORD, `  ${login.replace('ada', 'ADA')} `)).statusCode).toBe(200);
    expect((await signIn({}, `${PASSWORD} `)).statusCode).toBe(401);
    expect((await signIn({}, PASSWORD.toUpperCase())).statusCode).toBe(401);
  });

  it('keeps only a digest of the cookie, and writes neither cookie nor password to log or audit', async () => {
    const value = cookieOf(await signIn()).split('=')[1] ?? '';
    await signIn({}, 'a wrong one of ada');
    await harness.deps.audit.flush();
    const { read } = harness.deps.storage;
    const kept = JSON.stringify([
      await read.selectFrom('sessions').selectAll().execute(),
      await read.selectFrom('attempts').selectAll().execute(),
      await read.selectFrom('audit').selectAll().execute(),
      await read.selectFrom('refusals').selectAll().execute(),
      harness.logLines,
    ]);
    expect(value).toHaveLength(43);
    for (const secret of [value, PASSWORD, 'a wrong one of ada']) expect(kept).not.toContain(secret);
  });

  it('is told to the audit log with who and from where; failures are counted per address', async () => {
    await signIn();
    await signIn({}, 'wrong wrong wrong');
    await signIn({}, 'wrong wrong wrong', 'nobody@example.com');
    await harness.deps.audit.flush();
    expect(await readAudit('session.created')).toMatchObject([
      {
        actor_kind: 'session',
        actor_id: accountId,
        actor_name: login,
        account_id: accountId,
        ip: address,
      },
    ]);
    const refusals = await harness.deps.storage.read
      .selectFrom('refusals')
      .selectAll()
      .where('address', '=', address)
      .execute();
    expect(refusals).toMatchObject([{ reason: 'session.wrong_credentials', count: 2 }]);
  });

  it('answers the same to an unknown address, a wrong password, no password and a disabled account', async () => {
    await createUser('invited@example.com', null);
    const gone = await createUser('gone@example.com');
    await harness.deps.storage.write
      .updateTable('accounts')
      .set({ state: 'disabled' })
      .where('id', '=', gone.id)
      .execute();
    const answers = [
      await signIn({}, 'wrong wrong wrong', 'nobody@example.com'),
      await signIn({}, 'wrong wrong wrong', login),
      await signIn({}, 'wrong wrong wrong', 'invited@example.com'),
      await signIn({}, 'wrong wrong wrong', 'gone@example.com'),
    ];
    const shapes = answers.map((answer) => {
      const { 'x-request-id': _id, date: _date, ...headers } = answer.headers;
      return { status: answer.statusCode, headers, body: { ...answer.json<Problem>(), instance: '' } };
    });
    expect(shapes[0]).toMatchObject({ status: 401, body: { code: 'session.wrong_credentials' } });
    for (const shape of shapes) expect(shape).toEqual(shapes[0]);
    // A browser that reads `Basic` here opens a window of its own over the sign-in page.
    expect(answers[0]?.headers['www-authenticate']).not.toContain('Basic');
    const right = await signIn({}, PASSWORD, 'gone@example.com');
    expect(right.statusCode).toBe(401);
    expect(right.json()).toMatchObject({ code: 'session.account_disabled' });
  });

  it('refuses service accounts, unknown fields, bodies that are no JSON and passwords of more than 1024 bytes', async () => {
    await harness.createAccount({ kind: 'service', technicalName: 'build-robot', displayName: 'Robot' });
    expect((await signIn({}, PASSWORD, 'build-robot')).statusCode).toBe(401);
    const extra = await call('POST', '/v1/session', {
      body: { email: login, password: PASSWORD, remember: true },
    });
    expect(extra.statusCode).toBe(400);
    const form = await harness.app.inject({
      method: 'POST',
      url: '/v1/session',
      headers: { host: 'localhost', 'content-type': 'application/x-www-form-urlencoded' },
      payload: `email=${login}&password=${PASSWORD}`,
    });
    expect(form.statusCode).toBe(415);
    expect((await signIn({}, '夕'.repeat(342))).json()).toMatchObject({ code: 'request.invalid' });
    expect((await signIn({}, 'x'.repeat(8192))).statusCode).toBe(400);
  });

  it.each([
    ['another site', { 'sec-fetch-site': 'cross-site' }, 403],
    ['a sibling host', { 'sec-fetch-site': 'same-site' }, 403],
    ['a foreign origin', { origin: 'https://evil.example' }, 403],
    ['an origin without a name', { origin: 'null' }, 403],
    ['the console', { 'sec-fetch-site': 'same-origin', origin: 'http://localhost:8080' }, 200],
    ['no browser', {}, 200],
  ])('from %s is decided by who started the request', async (_case, headers, status) => {
    const answer = await signIn({ headers });
    expect(answer.statusCode).toBe(status);
    expect(answer.headers['set-cookie'] === undefined).toBe(status === 403);
  });

  it('gives a new cookie each time and ends the session that the browser had', async () => {
    const first = cookieOf(await signIn());
    const elsewhere = cookieOf(await signIn());
    const second = cookieOf(await signIn({ cookie: first }));
    expect(new Set([first, second, elsewhere]).size).toBe(3);
    const ended = await call('GET', '/v1/session', { cookie: first });
    expect(ended.statusCode).toBe(401);
    expect(ended.json()).toMatchObject({ code: 'auth.session_ended' });
    expect((await call('GET', '/v1/session', { cookie: second })).statusCode).toBe(200);
    expect((await call('GET', '/v1/session', { cookie: elsewhere })).statusCode).toBe(200);
  });

  it('with a cookie that somebody else has made up never takes that cookie over', async () => {
    const planted = `keyreeve_session=${'A'.repeat(43)}`;
    const cookie = cookieOf(await signIn({ cookie: planted }));
    expect(cookie).not.toBe(planted);
    expect((await call('GET', '/v1/session', { cookie: planted })).statusCode).toBe(401);
  });

  it('with a wrong password leaves the session that the browser has alone', async () => {
    const cookie = cookieOf(await signIn());
    expect((await signIn({ cookie }, 'wrong wrong wrong')).statusCode).toBe(401);
    expect((await call('GET', '/v1/session', { cookie })).statusCode).toBe(200);
  });
});

describe('over https', () => {
  let secure: Harness;
  beforeAll(async () => {
    secure = await startHarness({ environment: { KEYREEVE_PUBLIC_URL: 'https://keys.example.com' } });
    await secure.createAccount({ kind: 'user', email: 'ada@example.com', displayName: 'Ada', passwordHash });
  });
  afterAll(() => secure.close());

  it('the cookie is bound to the host and to https, and signing out has the browser forget everything', async () => {
    const headers = { host: 'keys.example.com', 'content-type': 'application/json' };
    const payload = JSON.stringify({ email: 'ada@example.com', password: PASSWORD });
    const answer = await secure.app.inject({ method: 'POST', url: '/v1/session', headers, payload });
    expect(answer.headers['set-cookie']).toMatch(
      /^__Host-keyreeve_session=[A-Za-z0-9_-]{43}; Path=\/; Max-Age=604800; HttpOnly; Secure; SameSite=Strict$/,
    );
    const cookie = cookieOf(answer);
    const out = await secure.app.inject({
      method: 'DELETE',
      url: '/v1/session',
      headers: { host: 'keys.example.com', cookie },
    });
    expect(out.statusCode).toBe(204);
    expect(out.headers['set-cookie']).toBe(
      '__Host-keyreeve_session=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Strict',
    );
    expect(out.headers['clear-site-data']).toBe('"storage"');
  });
});

describe('a session', () => {
  it('ends after twelve hours without use', async () => {
    const cookie = cookieOf(await signIn());
    harness.clock.advance(12 * HOUR_MS - 1);
    expect((await call('GET', '/v1/session', { cookie })).statusCode).toBe(200);
    harness.clock.advance(1);
    // Nothing was flushed in between: the use a moment ago is not on record.
    expect((await call('GET', '/v1/session', { cookie })).json()).toMatchObject({
      code: 'auth.session_ended',
    });
  });

  it('lives on while it is used, but never longer than seven days', async () => {
    const cookie = cookieOf(await signIn());
    const end = harness.clock.now() + 7 * DAY_MS;
    while (harness.clock.now() < end - 11 * HOUR_MS) {
      harness.clock.advance(11 * HOUR_MS);
      expect((await call('GET', '/v1/session', { cookie })).statusCode).toBe(200);
      await harness.deps.sessions.flush();
    }
    harness.clock.set(end - 1);
    const last = await call('GET', '/v1/session', { cookie });
    expect(last.json<SignedIn>().session.expiresAt).toBe(new Date(end).toISOString());
    await harness.deps.sessions.flush();
    harness.clock.set(end);
    expect((await call('GET', '/v1/session', { cookie })).statusCode).toBe(401);
  });

  it('writes its last use at most every five minutes', async () => {
    const cookie = cookieOf(await signIn());
    const lastSeen = async () => {
      await harness.deps.sessions.flush();
      return (
        await harness.deps.storage.read
          .selectFrom('sessions')
          .where('account_id', '=', accountId)
          .select('last_seen_at')
          .executeTakeFirstOrThrow()
      ).last_seen_at;
    };
    const start = harness.clock.now();
    harness.clock.advance(5 * MINUTE_MS - 1);
    await call('GET', '/v1/session', { cookie });
    expect(await lastSeen()).toBe(start);
    harness.clock.advance(1);
    await call('GET', '/v1/session', { cookie });
    expect(await lastSeen()).toBe(start + 5 * MINUTE_MS);
  });

  it('ends with signing out, for a copy of the cookie too', async () => {
    const cookie = cookieOf(await signIn());
    const answer = await call('DELETE', '/v1/session', { cookie });
    expect(answer.statusCode).toBe(204);
    expect(answer.headers['set-cookie']).toBe(
      'keyreeve_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict',
    );
    expect(answer.headers['clear-site-data']).toBeUndefined();
    expect((await call('GET', '/v1/session', { cookie })).statusCode).toBe(401);
    expect(await readAudit('session.ended')).toMatchObject([{ actor_id: accountId, account_id: accountId }]);
  });

  it('is not ended by a request that another site starts', async () => {
    const cookie = cookieOf(await signIn());
    const answer = await call('DELETE', '/v1/session', {
      cookie,
      headers: { 'sec-fetch-site': 'cross-site' },
    });
    expect(answer.json()).toMatchObject({ code: 'auth.cross_site' });
    expect((await call('GET', '/v1/session', { cookie })).statusCode).toBe(200);
  });

  it('ends when the account is disabled or its role changes, and enabling does not bring it back', async () => {
    const admin = await harness.createAccount({
      kind: 'user',
      role: 'admin',
      email: `root${count}@example.com`,
      displayName: 'Root',
    });
    const caller = await harness.callerOf(admin);
    const cookie = cookieOf(await signIn());
    await harness.deps.accounts.update(caller, 'user', accountId, { role: 'admin' }, null);
    expect((await call('GET', '/v1/session', { cookie })).statusCode).toBe(401);
    const other = cookieOf(await signIn());
    await harness.deps.accounts.update(caller, 'user', accountId, { state: 'disabled' }, null);
    expect((await call('GET', '/v1/session', { cookie: other })).statusCode).toBe(401);
    await harness.deps.accounts.update(caller, 'user', accountId, { state: 'active' }, null);
    expect((await call('GET', '/v1/session', { cookie: other })).statusCode).toBe(401);
    expect((await signIn()).statusCode).toBe(200);
  });

  it('of another workspace is no session here', async () => {
    const cookie = cookieOf(await signIn());
    await expect(
      harness.deps.sessions.authenticate('wsp_other', new Secret(cookie.split('=')[1] ?? '')),
    ).rejects.toMatchObject({ code: 'auth.session_ended' });
  });

  it.each([
    ['an empty cookie', ''],
    ['a short cookie', 'x'],
    ['a cookie of the right shape', 'A'.repeat(43)],
    ['a huge cookie', 'A'.repeat(4000)],
    ['a cookie of another grammar', "%00' or 1=1 --"],
  ])('is not opened by %s', async (_case, value) => {
    await signIn();
    expect((await call('GET', '/v1/session', { cookie: `keyreeve_session=${value}` })).statusCode).toBe(401);
  });

  it('survives a restart', async () => {
    const cookie = cookieOf(await signIn());
    harness = await harness.restart();
    expect((await call('GET', '/v1/session', { cookie })).statusCode).toBe(200);
  });
});

describe('the list of own sessions', () => {
  it('shows each live session with its place and marks this one, and pages through them', async () => {
    const cookies: string[] = [];
    for (const agent of ['Firefox', 'Chromium', 'Safari']) {
      cookies.push(cookieOf(await signIn({ headers: { 'user-agent': agent } })));
      harness.clock.advance(1_000);
    }
    const cookie = cookies[1] ?? '';
    const whole = await call('GET', '/v1/sessions', { cookie });
    expect(whole.json()).toMatchObject({
      items: [
        { userAgent: 'Safari', isCurrent: false, ip: address },
        { userAgent: 'Chromium', isCurrent: true },
        { userAgent: 'Firefox', isCurrent: false },
      ],
      nextCursor: null,
    });
    const first = (await call('GET', '/v1/sessions?limit=2', { cookie })).json<{
      items: SessionItem[];
      nextCursor: string;
    }>();
    const second = (await call('GET', `/v1/sessions?limit=2&cursor=${first.nextCursor}`, { cookie })).json<{
      items: SessionItem[];
    }>();
    expect([...first.items, ...second.items]).toEqual(whole.json<{ items: SessionItem[] }>().items);
    expect((await call('GET', '/v1/sessions?cursor=nonsense', { cookie })).statusCode).toBe(400);
    expect(whole.body).not.toContain('digest');
  });

  it('leaves out sessions that have ended by themselves, which the sweep then deletes', async () => {
    await signIn();
    harness.clock.advance(12 * HOUR_MS);
    const cookie = cookieOf(await signIn());
    expect((await call('GET', '/v1/sessions', { cookie })).json<{ items: unknown[] }>().items).toHaveLength(
      1,
    );
    await harness.deps.sessions.sweep();
    expect(await readSessions()).toHaveLength(1);
  });

  it('ends one session at once', async () => {
    const [kept, ended] = [cookieOf(await signIn()), cookieOf(await signIn())];
    const { id } = (await call('GET', '/v1/session', { cookie: ended })).json<SignedIn>().session;
    expect((await call('DELETE', `/v1/sessions/${id}`, { cookie: kept })).statusCode).toBe(204);
    expect((await call('GET', '/v1/session', { cookie: ended })).statusCode).toBe(401);
    expect((await call('DELETE', `/v1/sessions/${id}`, { cookie: kept })).statusCode).toBe(404);
  });

  it('does not reach the sessions of somebody else: they are not there', async () => {
    await createUser('eve@example.com');
    const [own, foreign] = [
      cookieOf(await signIn()),
      cookieOf(await signIn({}, PASSWORD, 'eve@example.com')),
    ];
    const { id } = (await call('GET', '/v1/session', { cookie: own })).json<SignedIn>().session;
    const [theirs, missing] = [
      await call('DELETE', `/v1/sessions/${id}`, { cookie: foreign }),
      await call('DELETE', '/v1/sessions/ses_missing', { cookie: foreign }),
    ];
    expect({ ...theirs.json<Problem>(), instance: '' }).toEqual({ ...missing.json<Problem>(), instance: '' });
    expect(theirs.statusCode).toBe(404);
    expect((await call('GET', '/v1/session', { cookie: own })).statusCode).toBe(200);
    expect(
      (await call('GET', '/v1/sessions', { cookie: foreign })).json<{ items: unknown[] }>().items,
    ).toHaveLength(1);
  });

  it('ends all others and keeps this one', async () => {
    const cookies = [cookieOf(await signIn()), cookieOf(await signIn()), cookieOf(await signIn())];
    const answer = await call('POST', '/v1/sessions/end-others', { cookie: cookies[1] ?? '' });
    expect(answer.json()).toEqual({ ended: 2 });
    const alive = await Promise.all(
      cookies.map(async (cookie) => (await call('GET', '/v1/session', { cookie })).statusCode),
    );
    expect(alive).toEqual([401, 200, 401]);
  });

  it('is bounded: the hundred-and-first sign-in ends the oldest session', async () => {
    const first = cookieOf(await signIn());
    harness.clock.advance(1);
    const account = await harness.deps.accounts.find(
      harness.deps.storage.read,
      harness.deps.defaultWorkspace.id,
      accountId,
    );
    if (account === null) throw new Error('The account is gone.');
    const anonymous = { ...(await harness.callerOf(account)), principal: { kind: 'anonymous' } as const };
    await inTransaction(harness.deps.storage, async (tx) => {
      for (let made = 0; made < 100; made += 1)
        await harness.deps.sessions.start(tx, anonymous, account, null);
    });
    expect((await call('GET', '/v1/session', { cookie: first })).statusCode).toBe(401);
    expect(await readSessions()).toHaveLength(100);
  });

  it('is not for keys: they never manage sessions', async () => {
    const admin = await harness.createAccount({
      kind: 'user',
      role: 'admin',
      email: `root${count}@example.com`,
      displayName: 'Root',
    });
    const minted = await harness.deps.keys.create(await harness.callerOf(admin), admin.id, {
      comment: 'all',
      access: 'scoped',
      scopes: [{ actions: ['iam:*'], resources: ['*'] }],
    });
    const headers = { authorization: `Bearer ${minted.fullKey.reveal()}` };
    for (const [method, url] of [
      ['GET', '/v1/session'],
      ['GET', '/v1/sessions'],
      ['POST', '/v1/sessions/end-others'],
    ] as const) {
      expect((await call(method, url, { headers })).statusCode).toBe(403);
      expect((await call(method, url)).statusCode).toBe(401);
    }
  });
});
