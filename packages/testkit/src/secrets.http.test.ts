import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CallOptions, call } from './company.ts';
import { dumpRows, searchDatabaseFiles } from './database-files.ts';
import { type Harness, startHarness } from './harness.ts';
import { findNeedles, type Needle, toNeedle } from './needles.ts';
import { buildNupkg } from './nupkg-builder.ts';

interface Minted {
  apiKey: string;
  secretKey: string;
  fullKey: string;
}

const PASSWORDS = {
  first: 'correct horse battery staple 1',
  second: 'a wholly different pass phrase 2',
  wrong: 'this one was never right at all 3',
};

/** A day in the life of a workspace, with every kind of secret, and with secrets put where they do not belong. */
class Run {
  readonly secrets = new Map<string, string>();
  readonly #harness: Harness;
  #cookie = '';

  constructor(harness: Harness) {
    this.#harness = harness;
  }

  keep(name: string, text: string): string {
    this.secrets.set(name, text);
    return text;
  }

  async call(method: Parameters<typeof call>[1], url: string, options: CallOptions = {}) {
    return await call(this.#harness, method, url, {
      ...options,
      headers: { ...(options.key === undefined ? { cookie: this.#cookie } : {}), ...options.headers },
    });
  }

  async mint(name: string, accountId: string, body: Record<string, unknown> = {}): Promise<Minted> {
    const answer = await this.call('POST', `/v1/accounts/${accountId}/keys`, {
      body: { comment: name, access: 'account', ...body },
    });
    expect(answer.statusCode, answer.body).toBe(201);
    const minted = answer.json<Minted>();
    this.keep(`secret key of ${name}`, minted.secretKey);
    return minted;
  }

  keepCookie(answer: { headers: Record<string, unknown> }, name: string): void {
    this.#cookie = String(answer.headers['set-cookie']).split(';')[0] ?? '';
    this.keep(name, this.#cookie.split('=')[1] ?? '');
  }

  async setUp(): Promise<string> {
    const { deps } = this.#harness;
    const code = this.keep(
      'set-up code',
      (await deps.workspaces.issueSetupCode(deps.defaultWorkspace.id)).reveal(),
    );
    const body = {
      code,
      email: 'ada@example.com',
      displayName: 'Ada',
      password: this.keep('first password', PASSWORDS.first),
    };
    const answer = await this.call('POST', '/v1/setup', { body });
    expect(answer.statusCode, answer.body).toBe(201);
    this.keepCookie(answer, 'first session');
    return answer.json<{ account: { id: string } }>().account.id;
  }

  async signInAndChangePassword(): Promise<void> {
    await this.call('POST', '/v1/session', {
      body: { email: 'ada@example.com', password: this.keep('wrong password', PASSWORDS.wrong) },
    });
    this.keepCookie(
      await this.call('POST', '/v1/session', {
        body: { email: 'ada@example.com', password: PASSWORDS.first },
      }),
      'second session',
    );
    const newPassword = this.keep('second password', PASSWORDS.second);
    const changed = await this.call('POST', '/v1/password/change', {
      body: { currentPassword: PASSWORDS.first, newPassword },
    });
    expect(changed.statusCode, changed.body).toBe(200);
    this.keepCookie(changed, 'third session');
    await this.call('POST', '/v1/password/request', { body: { email: 'ada@example.com' } });
  }

  async useKeys(accountId: string): Promise<void> {
    const plain = await this.mint('plain', accountId, { sendMail: true });
    const again = (
      await this.call('POST', `/v1/keys/${plain.apiKey}/regenerate`, {
        body: { overlapHours: 1, sendMail: true },
      })
    ).json<Minted>();
    this.keep('regenerated secret key', again.secretKey);
    const { deps } = this.#harness;
    const robot = await this.#harness.createAccount({
      kind: 'service',
      technicalName: 'robot',
      displayName: 'Robot',
    });
    await this.mint('of a robot', robot.id, { mailTo: 'ops@example.com' });
    const login = await this.call('POST', '/iam/login', {
      key: 'none',
      body: { auth_mode: 'apikey', apikey: again.apiKey, secretkey: again.secretKey },
    });
    const token = this.keep('token', login.json<{ token: string }>().token);
    await this.call('GET', `/iam/v4/checkSession?token=${token}`);
    await this.call('DELETE', `/iam/logout?token=${token}`);
    const verifier = await this.mint('verifier', accountId, {
      access: 'scoped',
      scopes: [{ actions: ['iam:keys:verify'], resources: ['*'] }],
    });
    await this.call('POST', '/v1/keys/verify', { key: verifier.fullKey, body: { key: again.fullKey } });
    const foreign = this.keep('foreign credential', 'oy2qm4zv6x3c8b5n7a9s1d2f3g4h5j6k7l8p9o0i1u2y3');
    const sha256 = createHash('sha256').update(foreign).digest('hex');
    const imported = await this.call('POST', '/v1/key-imports', {
      body: { rows: [{ account: 'robot', comment: 'old', access: 'full', expiresAt: null, sha256 }] },
    });
    expect(imported.statusCode, imported.body).toBe(200);
    await this.call('GET', '/v1/keys/self', { key: foreign });
    const mails = await deps.storage.read.selectFrom('outbox').selectAll().execute();
    for (const mail of mails) {
      const payload = JSON.stringify(deps.queue.open(mail).payload);
      const link = /#([0-9A-Za-z_-]{20,})/.exec(payload)?.[1];
      if (link !== undefined) this.keep(`link of ${mail.id}`, link);
    }
  }

  /** Clumsy and hostile callers put secrets into addresses, names, agents and broken bodies. */
  async misplaceSecrets(accountId: string): Promise<void> {
    const secret = this.secrets.get('regenerated secret key') ?? '';
    await this.call('GET', `/v1/keys/self?key=${secret}`);
    await this.call('GET', `/v1/authorize?action=package:push&resource=x&apikey=${secret}`, {
      key: `kr_0123456789ABCDEF_${secret}`,
    });
    await this.call('POST', '/iam/login', {
      key: 'none',
      body: { auth_mode: 'apikey', apikey: secret, secretkey: secret },
    });
    await this.call('POST', '/iam/login', {
      key: 'none',
      body: { auth_mode: 'apikey', apikey: '', secretkey: secret },
    });
    await this.call('POST', `/v1/accounts/${accountId}/keys`, {
      body: { comment: 'x', access: 'account', [secret]: secret },
    });
    await this.call('PATCH', '/v1/settings', {
      body: { signingAlgorithm: secret },
      headers: { 'if-match': `"${secret}"` },
    });
    await this.call('GET', '/v1/settings', { key: `${secret.slice(0, 20)} ${secret}` });
    await this.#harness.app.inject({
      method: 'PUT',
      url: '/api/v2/package',
      headers: { host: 'localhost', 'x-nuget-apikey': `kr_0123456789ABCDEF_${secret}` },
      payload: Buffer.from(buildNupkg({ id: 'A', version: '1.0.0' })),
    });
  }
}

describe('after a run with every kind of secret', () => {
  let harness: Harness;
  let needles: readonly Needle[];

  beforeAll(async () => {
    harness = await startHarness();
    const run = new Run(harness);
    const accountId = await run.setUp();
    await run.signInAndChangePassword();
    await run.useKeys(accountId);
    await run.misplaceSecrets(accountId);
    await harness.deps.usage.flush();
    await harness.deps.sessions.flush();
    await harness.deps.audit.flush();
    needles = [...run.secrets].map(([name, text]) => toNeedle(name, text));
    expect(needles.length).toBeGreaterThanOrEqual(14);
    expect([...run.secrets.values()].every((text) => text.length >= 16)).toBe(true);
  });
  afterAll(() => harness.close());

  it('the search finds a planted secret in each spelling, so that finding nothing means something', () => {
    const needle = toNeedle('planted', 'a planted secret of some length');
    for (const text of [
      'a planted secret of some length',
      Buffer.from('a planted secret of some length').toString('hex'),
    ]) {
      expect(findNeedles(Buffer.from(`xx${text}yy`), [needle])).toEqual(['planted']);
    }
    for (const before of ['', '1', '12', '123']) {
      const base64 = Buffer.from(`${before}a planted secret of some length, and more`).toString('base64');
      expect(findNeedles(Buffer.from(base64), [needle]), before).toEqual(['planted']);
    }
  });

  it('no row of any table holds one', async () => {
    const dump = await dumpRows(harness);
    expect(dump).toContain('key.created');
    expect(findNeedles(Buffer.from(dump), needles)).toEqual([]);
  });

  it('no log line holds one', () => {
    expect(harness.logLines.length).toBeGreaterThan(20);
    expect(findNeedles(Buffer.from(harness.logLines.join('\n')), needles)).toEqual([]);
  });

  it('no file of the data folder holds one: database, log of the database, packages, temporary files', async () => {
    const { found, filesRead } = await searchDatabaseFiles(harness, needles);
    expect(found).toEqual([]);
    expect(filesRead).toBeGreaterThan(3);
  });
});
