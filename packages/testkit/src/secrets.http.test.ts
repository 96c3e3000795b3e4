import { createHash } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { zstdDecompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeBackup } from '../../server/src/commands/backup.ts';
import { type CallOptions, call } from './company.ts';
import { dumpRows, searchDatabaseFiles } from './database-files.ts';
import { type Harness, startHarness } from './harness.ts';
import { findNeedles, type Needle, toNeedle } from './needles.ts';
import { buildNupkg } from './nupkg-builder.ts';
import { recordControl, recordFigure } from './proof.ts';
import { type SmtpSink, startSmtpSink } from './smtp-sink.ts';
import { startWebhookReceiver, type WebhookReceiver } from './webhook-receiver.ts';

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
const SMTP_LOGIN = { user: 'keyreeve', password: 'pass phrase of the mail server 4' };
const METRICS_TOKEN = 'token-of-whoever-reads-the-metrics-5';

/** A day in the life of a workspace, with every kind of secret, and with secrets put where they do not belong. */
class Run {
  readonly secrets = new Map<string, string>();
  /** Every answer to a faulty request. */
  readonly refusals: string[] = [];
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
    const answer = await call(this.#harness, method, url, {
      ...options,
      headers: { ...(options.key === undefined ? { cookie: this.#cookie } : {}), ...options.headers },
    });
    if (answer.statusCode >= 400) this.refusals.push(JSON.stringify(answer.headers) + answer.body);
    return answer;
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
    const refused = await this.#harness.app.inject({
      method: 'PUT',
      url: '/api/v2/package',
      headers: { host: 'localhost', 'x-nuget-apikey': `kr_0123456789ABCDEF_${secret}` },
      payload: Buffer.from(buildNupkg({ id: 'A', version: '1.0.0' })),
    });
    this.refusals.push(JSON.stringify(refused.headers) + refused.statusMessage + refused.body);
    for (const path of ['/oauth2/token', '/oauth2/introspect', '/oauth2/revoke'])
      this.refusals.push(
        (
          await this.#harness.app.inject({
            method: 'POST',
            url: `${path}?client_secret=${secret}`,
            headers: { host: 'localhost', 'content-type': 'application/x-www-form-urlencoded' },
            payload: `grant_type=${secret}&client_id=${secret}&client_secret=${secret}&token=${secret}`,
          })
        ).body,
      );
  }

  /** A webhook that hears of everything, and a secret of its own. */
  async listen(url: string): Promise<void> {
    const answer = await this.call('POST', '/v1/webhooks', { body: { url } });
    expect(answer.statusCode, answer.body).toBe(201);
    this.keep('webhook secret', answer.json<{ secret: string }>().secret.slice('whsec_'.length));
  }
}

/** The places in which secrets have turned up elsewhere, as bytes to search. */
type Places = Readonly<Record<(typeof PLACES)[number], Buffer>>;
const PLACES = [
  'rows of the database',
  'log',
  'audit log as exported',
  'backup',
  'mails',
  'webhooks',
  'refusals',
] as const;

async function takeBackup({ deps, masterKey }: Harness): Promise<Buffer> {
  const output = new PassThrough();
  const taken = buffer(output);
  await writeBackup(output, {
    config: deps.config,
    masterKeys: [Buffer.from(masterKey, 'base64')],
    hasPackages: true,
    signal: new AbortController().signal,
    onProgress: () => {},
  });
  return zstdDecompressSync(await taken);
}

const DATA_KEYS = ['pepper', 'row', 'seal'] as const;

describe('after a run with every kind of secret', () => {
  let harness: Harness;
  let run: Run;
  let accountId: string;
  let sink: SmtpSink;
  let receiver: WebhookReceiver;
  let needles: readonly Needle[];

  beforeAll(async () => {
    sink = await startSmtpSink({ login: SMTP_LOGIN });
    receiver = await startWebhookReceiver();
    harness = await startHarness({
      environment: {
        KEYREEVE_SMTP_URL: `smtp://${SMTP_LOGIN.user}:${encodeURIComponent(SMTP_LOGIN.password)}@127.0.0.1:${sink.port}`,
        KEYREEVE_SMTP_ALLOW_PLAIN: '1',
        KEYREEVE_METRICS_TOKEN: METRICS_TOKEN,
        KEYREEVE_WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8',
        KEYREEVE_WEBHOOK_PORTS: `443,${receiver.port}`,
      },
    });
    run = new Run(harness);
    accountId = await run.setUp();
    await run.listen(receiver.url);
    await run.signInAndChangePassword();
    await run.useKeys(accountId);
    await run.misplaceSecrets(accountId);
    run.keep('password of the mail server', SMTP_LOGIN.password);
    run.keep('token for the metrics', METRICS_TOKEN);
    await harness.app.inject({
      url: '/metrics',
      headers: { host: 'localhost', authorization: `Bearer ${METRICS_TOKEN}` },
    });
    await settle();
    const { keyring } = harness.deps;
    needles = [
      ...[...run.secrets].map(([name, text]) => toNeedle(name, text)),
      toNeedle('master key', Buffer.from(harness.masterKey, 'base64')),
      ...DATA_KEYS.map((purpose) => toNeedle(purpose, keyring.current(purpose).key.export())),
    ];
    expect(needles.length).toBeGreaterThanOrEqual(21);
    expect([...run.secrets.values()].every((text) => text.length >= 16)).toBe(true);
  });
  afterAll(async () => {
    await harness.close();
    await sink.close();
    await receiver.close();
  });

  /** What waits in memory or in the outbox goes where it belongs. */
  async function settle(): Promise<void> {
    const { usage, sessions, audit, notices, fanOut, webhookSender } = harness.deps;
    await usage.flush();
    await sessions.flush();
    await audit.flush();
    while ((await notices.sendDue()) > 0);
    while ((await fanOut.run()) > 0);
    while ((await webhookSender.sendDue()) > 0);
  }

  async function readPlaces(): Promise<Places> {
    const exported = await run.call('GET', '/v1/audit/export');
    expect(exported.statusCode).toBe(200);
    return {
      'rows of the database': Buffer.from(await dumpRows(harness)),
      log: Buffer.from(harness.logLines.join('\n')),
      'audit log as exported': Buffer.from(exported.body),
      backup: await takeBackup(harness),
      mails: Buffer.from(sink.mails.map(({ raw }) => decodeMail(raw)).join('\n')),
      webhooks: Buffer.from(receiver.messages.map((message) => JSON.stringify(message)).join('\n')),
      refusals: Buffer.from(run.refusals.join('\n')),
    };
  }

  it('no place that is stored, sent or told holds one', async () => {
    const places = await readPlaces();
    expect(places['rows of the database'].includes('key.created')).toBe(true);
    const counts = [harness.logLines.length, sink.mails.length, receiver.messages.length];
    expect(Math.min(...counts), String(counts)).toBeGreaterThan(3);
    const found = PLACES.flatMap((place) => {
      // A mail with a one-time link is what the link was made for.
      const hidden = needles.filter(({ name }) => place !== 'mails' || !name.startsWith('link of'));
      const here = findNeedles(places[place], hidden);
      recordFigure(42, {
        name: `secrets in: ${place}`,
        reached: `${here.length} of ${hidden.length}, in ${places[place].length.toLocaleString('en')} bytes`,
        wanted: '0',
        isHeld: here.length === 0,
      });
      return here.map((name) => `${place}: ${name}`);
    });
    expect(found).toEqual([]);
  });

  it('no file of the data folder holds one: database, log of the database, packages, temporary files', async () => {
    const { found, filesRead } = await searchDatabaseFiles(harness, needles);
    recordFigure(42, {
      name: 'secrets in: files of the database and of the data folder',
      reached: `${found.length} of ${needles.length}, in ${filesRead} files`,
      wanted: '0',
      isHeld: found.length === 0 && filesRead > 3,
    });
    expect(found).toEqual([]);
    expect(filesRead).toBeGreaterThan(3);
  });

  it('the search finds a planted secret in each spelling, so that finding nothing means something', () => {
    const planted = 'a planted secret of some length';
    const needle = toNeedle('planted', planted);
    const spelled = [
      planted,
      encodeURIComponent(planted),
      Buffer.from(Buffer.from(planted).toReversed()).toString(),
      Buffer.from(planted).toString('hex'),
      ...['', '1', '12', '123'].map((before) =>
        Buffer.from(`${before}${planted}, and more`).toString('base64'),
      ),
      ...['', '1', '12'].map((before) => Buffer.from(`${before}${planted}!`).toString('base64url')),
    ];
    const missed = spelled.filter((text) => findNeedles(Buffer.from(`xx${text}yy`), [needle]).length === 0);
    expect(missed).toEqual([]);
  });

  it('the search finds what is planted in each of the places', async () => {
    const planted = 'zebra quartz fjord 42 planted here';
    const needle = [toNeedle('planted', planted)];
    // A comment is shown to everybody whom it concerns: rows, audit, mails, webhooks and backups have it.
    const hex = Buffer.from(planted).toString('hex');
    await run.call('POST', `/v1/accounts/${accountId}/keys`, {
      body: { comment: planted, access: 'account' },
    });
    await run.call('PATCH', `/v1/users/${accountId}`, {
      body: { displayName: hex.slice(0, 60) },
      headers: { 'if-match': '*' },
    });
    harness.deps.logger.info({ text: hex }, 'a line');
    // No refusal of ours repeats what was sent, so this one stands for a handler that does.
    run.refusals.push(JSON.stringify({ detail: encodeURIComponent(planted) }));
    await settle();
    const places = await readPlaces();
    const missed = PLACES.filter((place) => findNeedles(places[place], needle).length === 0);
    const files = await searchDatabaseFiles(harness, needle);
    recordControl(42, {
      name: 'a secret planted in every place',
      shown: `found in ${PLACES.length - missed.length} of ${PLACES.length} places and in ${files.found.length} files`,
      hasFailed: missed.length === 0 && files.found.length > 0,
    });
    expect(missed).toEqual([]);
    expect(files.found).not.toEqual([]);
  });
});

/** Bodies travel as quoted-printable or base64: as they come, and as they are read. */
function decodeMail(raw: string): string {
  const plain = raw
    .replaceAll(/=\r\n/g, '')
    .replaceAll(/=([0-9A-F]{2})/g, (_match, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
  const parts = [...raw.matchAll(/base64\r\n\r\n([A-Za-z0-9+/=\r\n]+)/g)];
  return [raw, plain, ...parts.map(([, text = '']) => Buffer.from(text, 'base64').toString())].join('\n');
}
