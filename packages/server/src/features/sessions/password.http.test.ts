import { type Harness, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DAY_MS, HOUR_MS } from '../../lib/clock.ts';
import { Secret } from '../../lib/secret.ts';

const PASSWORD = 'velvet ladder orbit';
const NEW_PASSWORD = 'seventeen purple lamps';

interface Mail {
  kind: string;
  toAddress: string;
  linkUrl: string;
  linkExpiresAt: number;
}
interface CallOptions {
  readonly cookie?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

let harness: Harness;
let passwordHash: string;
let count = 0;
let login: string;
let accountId: string;
let address: string;

beforeAll(async () => {
  harness = await startHarness();
  passwordHash = await harness.deps.passwords.hash(new Secret(PASSWORD), []);
});
afterAll(() => harness.close());
beforeEach(async () => {
  count += 1;
  login = `ada${count}@example.com`;
  address = `198.51.100.${count}`;
  accountId = (await createUser(login, passwordHash)).id;
});

async function createUser(email: string, hash: string | null) {
  return await harness.createAccount({ kind: 'user', email, displayName: 'Ada', passwordHash: hash });
}

async function call(
  method: 'GET' | 'POST' | 'PATCH',
  url: string,
  { cookie, body, headers }: CallOptions = {},
) {
  return await harness.app.inject({
    method,
    url,
    remoteAddress: address,
    headers: {
      host: 'localhost:8080',
      ...(cookie === undefined ? {} : { cookie }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
  });
}

function cookieOf(answer: Awaited<ReturnType<typeof call>>): string {
  return String(answer.headers['set-cookie']).split(';')[0] ?? '';
}

async function signIn(password = PASSWORD, email = login) {
  return await call('POST', '/v1/session', { body: { email, password } });
}

async function isAlive(cookie: string): Promise<boolean> {
  return (await call('GET', '/v1/session', { cookie })).statusCode === 200;
}

/** The mails to an address, opened as the sender opens them. */
async function mailsTo(email: string): Promise<Mail[]> {
  const { storage, queue } = harness.deps;
  const rows = await storage.read
    .selectFrom('outbox')
    .selectAll()
    .where('to_address', '=', email)
    .orderBy('created_at')
    .execute();
  return rows.map((row) => {
    const payload = queue.open(row).payload as Pick<Mail, 'linkUrl' | 'linkExpiresAt'>;
    return {
      kind: row.kind,
      toAddress: row.to_address,
      linkUrl: payload.linkUrl,
      linkExpiresAt: payload.linkExpiresAt,
    };
  });
}

function tokenOf(mail: Mail | undefined): string {
  return mail?.linkUrl.split('#')[1] ?? '';
}

async function requestToken(): Promise<string> {
  expect((await call('POST', '/v1/password/request', { body: { email: login } })).statusCode).toBe(202);
  return tokenOf((await mailsTo(login)).at(-1));
}

async function reset(token: string, password = NEW_PASSWORD, options: CallOptions = {}) {
  return await call('POST', '/v1/password/reset', { body: { token, password }, ...options });
}

async function actionsOf(id: string): Promise<string[]> {
  const rows = await harness.deps.storage.read
    .selectFrom('audit')
    .select('action')
    .where('account_id', '=', id)
    .orderBy('seq')
    .execute();
  return rows.map((row) => row.action);
}

describe('changing the own password', () => {
  const change = (cookie: string, currentPassword: string, newPassword: string) =>
    call('POST', '/v1/password/change', { cookie, body: { currentPassword, newPassword } });

  it('ends every session and gives this browser a new one', async () => {
    const [here, elsewhere] = [cookieOf(await signIn()), cookieOf(await signIn())];
    const answer = await change(here, PASSWORD, NEW_PASSWORD);
    expect(answer.statusCode).toBe(200);
    const fresh = cookieOf(answer);
    expect(fresh).not.toBe(here);
    expect([await isAlive(here), await isAlive(elsewhere), await isAlive(fresh)]).toEqual([
      false,
      false,
      true,
    ]);
    expect((await signIn()).statusCode).toBe(401);
    expect((await signIn(NEW_PASSWORD)).statusCode).toBe(200);
    expect(await actionsOf(accountId)).toContain('password.changed');
  });

  it('needs the current one, and slows guesses down like sign-in does', async () => {
    const cookie = cookieOf(await signIn());
    const codes: number[] = [];
    for (let tries = 0; tries < 6; tries += 1)
      codes.push((await change(cookie, 'wrong wrong wrong', NEW_PASSWORD)).statusCode);
    expect(codes).toEqual([403, 403, 403, 403, 403, 429]);
    expect((await signIn()).statusCode).toBe(429);
    expect(await isAlive(cookie)).toBe(true);
    harness.clock.advance(1_000);
    expect((await change(cookie, PASSWORD, NEW_PASSWORD)).statusCode).toBe(200);
  });

  it('refuses a weak one and leaves everything as it was', async () => {
    const cookie = cookieOf(await signIn());
    for (let tries = 0; tries < 7; tries += 1) {
      expect((await change(cookie, PASSWORD, login)).json()).toMatchObject({ code: 'account.password_weak' });
    }
    expect(await isAlive(cookie)).toBe(true);
    expect((await signIn()).statusCode).toBe(200);
  });

  it('succeeds once when two browsers do it at the same time', async () => {
    const cookies = [cookieOf(await signIn()), cookieOf(await signIn())];
    const answers = await Promise.all(
      cookies.map((cookie, index) => change(cookie, PASSWORD, `${NEW_PASSWORD} ${index}`)),
    );
    expect(answers.map((answer) => answer.statusCode).toSorted((a, b) => a - b)).toEqual([200, 403]);
  });

  it('ends links that are under way', async () => {
    const token = await requestToken();
    await change(cookieOf(await signIn()), PASSWORD, NEW_PASSWORD);
    expect((await reset(token)).statusCode).toBe(404);
  });

  it('is for sessions of this site only', async () => {
    const cookie = cookieOf(await signIn());
    const body = { currentPassword: PASSWORD, newPassword: NEW_PASSWORD };
    expect((await call('POST', '/v1/password/change', { body })).statusCode).toBe(401);
    expect(
      (
        await call('POST', '/v1/password/change', {
          cookie,
          body,
          headers: { origin: 'https://evil.example' },
        })
      ).statusCode,
    ).toBe(403);
    expect((await signIn()).statusCode).toBe(200);
  });
});

describe('a lost password', () => {
  it('is replaced by a link in a mail, which signs in and ends the old sessions', async () => {
    const before = cookieOf(await signIn());
    const token = await requestToken();
    expect(await mailsTo(login)).toEqual([
      {
        kind: 'account.password_reset',
        toAddress: login,
        linkUrl: `http://localhost:8080/password-reset#${token}`,
        linkExpiresAt: harness.clock.now() + HOUR_MS,
      },
    ]);
    expect(token).toMatch(/^[0-9A-Za-z]{43}$/);
    expect(await isAlive(before)).toBe(true);
    const answer = await reset(token);
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toMatchObject({ account: { id: accountId } });
    expect([await isAlive(before), await isAlive(cookieOf(answer))]).toEqual([false, true]);
    expect((await signIn()).statusCode).toBe(401);
    expect((await signIn(NEW_PASSWORD)).statusCode).toBe(200);
    expect(await actionsOf(accountId)).toEqual(
      expect.arrayContaining(['password.reset_requested', 'password.reset']),
    );
  });

  it('is asked for without learning whether the address has an account, by answer or by time', async () => {
    const disabled = await createUser(`gone${count}@example.com`, passwordHash);
    await harness.deps.storage.write
      .updateTable('accounts')
      .set({ state: 'disabled' })
      .where('id', '=', disabled.id)
      .execute();
    const times: number[] = [];
    const shapes: unknown[] = [];
    const ask = async (email: string): Promise<number> => {
      const started = performance.now();
      const answer = await call('POST', '/v1/password/request', { body: { email } });
      const { 'x-request-id': _id, date: _date, ...headers } = answer.headers;
      shapes.push({ status: answer.statusCode, headers, body: answer.body });
      return performance.now() - started;
    };
    for (const email of [login, `nobody${count}@example.com`, `gone${count}@example.com`]) {
      times.push(Math.min(await ask(email), await ask(email), await ask(email)));
    }
    expect(shapes[0]).toMatchObject({ status: 202, body: '' });
    for (const shape of shapes) expect(shape).toEqual(shapes[0]);
    for (const time of times) expect(time).toBeGreaterThan(390);
    expect(Math.max(...times) - Math.min(...times)).toBeLessThan(900);
    expect(await mailsTo(disabled.email ?? '')).toEqual([]);
  });

  it('brings at most five mails an hour to one address, and the sixth request is answered like the others', async () => {
    for (let asked = 0; asked < 7; asked += 1) {
      address = `203.0.113.${asked}`;
      expect(
        (await call('POST', '/v1/password/request', { body: { email: login.toUpperCase() } })).statusCode,
      ).toBe(202);
    }
    expect(await mailsTo(login)).toHaveLength(5);
    harness.clock.advance(HOUR_MS);
    await call('POST', '/v1/password/request', { body: { email: login } });
    expect(await mailsTo(login)).toHaveLength(6);
  });

  it('cannot be used to send mails in bulk: one caller gets thirty an hour', async () => {
    const ask = (index: number) =>
      call('POST', '/v1/password/request', { body: { email: `user${index}@bulk${count}.example` } });
    const answers = await Promise.all(Array.from({ length: 40 }, (_, index) => ask(index)));
    expect(answers.filter((answer) => answer.statusCode === 202)).toHaveLength(30);
    expect(answers.filter((answer) => answer.statusCode === 429)).toHaveLength(10);
    expect((await ask(99)).headers['retry-after']).toBe('3600');
  });
});

describe('a link to set a password', () => {
  it('works once of twenty tries at once', async () => {
    const token = await requestToken();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => reset(token, `${NEW_PASSWORD} ${index}`)),
    );
    const codes = answers.map((answer) => answer.statusCode).toSorted((a, b) => a - b);
    expect(codes).toEqual([200, ...Array.from({ length: 19 }, () => 404)]);
    const winner = answers.findIndex((answer) => answer.statusCode === 200);
    expect((await signIn(`${NEW_PASSWORD} ${winner}`)).statusCode).toBe(200);
  });

  it('is answered in one way when it is wrong, used, expired, of another purpose or of a disabled account', async () => {
    const used = await requestToken();
    const sibling = await requestToken();
    expect((await reset(used)).statusCode).toBe(200);
    const expired = await requestToken();
    harness.clock.advance(HOUR_MS);
    const disabledToken = await requestToken();
    await harness.deps.storage.write
      .updateTable('accounts')
      .set({ state: 'disabled' })
      .where('id', '=', accountId)
      .execute();
    const answers = [
      await reset('A'.repeat(43)),
      await reset(used),
      await reset(sibling),
      await reset(expired),
      await reset(disabledToken),
      await call('POST', '/v1/invitations/accept', {
        body: { token: disabledToken, password: NEW_PASSWORD },
      }),
    ];
    const shapes = answers.map((answer) => ({
      status: answer.statusCode,
      body: { ...answer.json<{ instance: string }>(), instance: '' },
    }));
    expect(shapes[0]).toMatchObject({ status: 404, body: { code: 'session.link_unusable' } });
    for (const shape of shapes) expect(shape).toEqual(shapes[0]);
  });

  it('lives one hour to the millisecond', async () => {
    const token = await requestToken();
    harness.clock.advance(HOUR_MS - 1);
    expect((await reset(token)).statusCode).toBe(200);
  });

  it('is not used up by a weak password, nor by looking at the page', async () => {
    const token = await requestToken();
    expect((await reset(token, 'password1234')).json()).toMatchObject({ code: 'account.password_weak' });
    expect((await call('GET', '/v1/password/reset')).statusCode).toBe(405);
    expect((await reset(token)).statusCode).toBe(200);
  });

  it('stops working when the account gets another address: the mail lies with somebody else', async () => {
    const token = await requestToken();
    await harness.deps.storage.write
      .updateTable('accounts')
      .set({ email: `new${count}@example.com` })
      .where('id', '=', accountId)
      .execute();
    expect((await reset(token)).statusCode).toBe(404);
  });

  it('is not taken from another site, which could sign its visitors in', async () => {
    const token = await requestToken();
    for (const path of ['/v1/password/reset', '/v1/invitations/accept', '/v1/password/request']) {
      const answer = await call('POST', path, {
        body: { token, password: NEW_PASSWORD },
        headers: { 'sec-fetch-site': 'cross-site' },
      });
      expect(answer.json()).toMatchObject({ code: 'auth.cross_site' });
    }
    expect((await reset(token)).statusCode).toBe(200);
  });

  it('leaves its token neither in the database, nor in the log, nor in the audit log', async () => {
    const token = await requestToken();
    await reset(token);
    const { read } = harness.deps.storage;
    const kept = JSON.stringify([
      await read.selectFrom('one_time_links').selectAll().execute(),
      await read.selectFrom('outbox').selectAll().execute(),
      await read.selectFrom('audit').selectAll().execute(),
      harness.logLines,
    ]);
    expect(token).toHaveLength(43);
    for (const secret of [token, NEW_PASSWORD]) expect(kept).not.toContain(secret);
  });

  it('is deleted a week after its end', async () => {
    await requestToken();
    harness.clock.advance(HOUR_MS + 7 * DAY_MS + 1);
    await harness.deps.passwordLinks.sweep();
    expect(
      await harness.deps.storage.read
        .selectFrom('one_time_links')
        .select('id')
        .where('purpose', '=', 'password_reset')
        .where('used_at', 'is', null)
        .execute(),
    ).toEqual([]);
  });
});

describe('an invitation', () => {
  const accept = (token: string, password = NEW_PASSWORD) =>
    call('POST', '/v1/invitations/accept', { body: { token, password } });

  async function invite(email: string): Promise<{ id: string; token: string }> {
    const admin = await harness.createAccount({
      kind: 'user',
      role: 'admin',
      email: `root${count}@example.com`,
      displayName: 'Root',
      passwordHash,
    });
    const cookie = cookieOf(await signIn(PASSWORD, admin.email ?? ''));
    const created = await call('POST', '/v1/users', { cookie, body: { email, displayName: 'Mei' } });
    expect(created.statusCode).toBe(201);
    return { id: created.json<{ id: string }>().id, token: tokenOf((await mailsTo(email)).at(-1)) };
  }

  it('goes to a new user without a password, works for seven days and signs in', async () => {
    const email = `mei${count}@example.com`;
    const { id, token } = await invite(email);
    expect(await mailsTo(email)).toEqual([
      {
        kind: 'account.invitation',
        toAddress: email,
        linkUrl: `http://localhost:8080/invitation#${token}`,
        linkExpiresAt: harness.clock.now() + 7 * DAY_MS,
      },
    ]);
    expect((await signIn(NEW_PASSWORD, email)).statusCode).toBe(401);
    harness.clock.advance(7 * DAY_MS - 1);
    const answer = await accept(token);
    expect(answer.json()).toMatchObject({ account: { id, email } });
    expect(await isAlive(cookieOf(answer))).toBe(true);
    expect((await signIn(NEW_PASSWORD, email)).statusCode).toBe(200);
    expect((await accept(token)).statusCode).toBe(404);
    expect(await actionsOf(id)).toEqual(
      expect.arrayContaining(['invitation.sent', 'invitation.accepted', 'session.created']),
    );
  });

  it('ends after seven days', async () => {
    const { token } = await invite(`mei${count}@example.com`);
    harness.clock.advance(7 * DAY_MS);
    expect((await accept(token)).statusCode).toBe(404);
  });

  it('judges the password with the name and the address of the new user in mind', async () => {
    const { token } = await invite(`meiwatanabe${count}@example.com`);
    expect((await accept(token, `meiwatanabe${count}1`)).json()).toMatchObject({
      code: 'account.password_weak',
    });
  });

  it('does not open a password reset, and the other way round', async () => {
    const { token } = await invite(`mei${count}@example.com`);
    expect((await reset(token)).statusCode).toBe(404);
    expect((await accept(await requestToken())).statusCode).toBe(404);
  });

  it('dies with the account', async () => {
    const { id, token } = await invite(`mei${count}@example.com`);
    const admin = await harness.createAccount({
      kind: 'user',
      role: 'admin',
      email: `boss${count}@example.com`,
      displayName: 'Boss',
    });
    await harness.deps.accounts.remove(await harness.callerOf(admin), 'user', id);
    expect((await accept(token)).statusCode).toBe(404);
  });
});
