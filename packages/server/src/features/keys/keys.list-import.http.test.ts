import { createHash } from 'node:crypto';
import { type Company, call, type Harness, readAllPages, seedCompany, startHarness } from '@keyreeve/testkit';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

interface Listed {
  items: { id: string; comment: string; status: string; accountId: string; lastUsedAt: string | null }[];
  nextCursor: string | null;
}

describe('lists, imports and rows that somebody tampered with', () => {
  let harness: Harness;
  let company: Company;

  beforeAll(async () => {
    harness = await startHarness();
    company = await seedCompany(harness);
  });
  afterAll(() => harness.close());

  const asAdmin = (
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    url: string,
    body?: unknown,
    headers?: Record<string, string>,
  ) =>
    call(harness, method, url, {
      key: company.adminKey,
      ...(body === undefined ? {} : { body }),
      ...(headers === undefined ? {} : { headers }),
    });
  const mint = (comment: string, lifetimeDays = 365) =>
    harness.deps.keys.create(company.memberCaller, company.member.id, {
      comment,
      access: 'account',
      lifetimeDays,
    });

  it('lists the keys of an account newest first, each exactly once over all pages', async () => {
    const account = await harness.createAccount({
      kind: 'service',
      technicalName: 'lister',
      displayName: 'Lister',
    });
    for (let n = 0; n < 25; n += 1)
      await harness.deps.keys.create(company.adminCaller, account.id, {
        comment: `key ${n}`,
        access: 'account',
      });
    const firstPage = `/v1/accounts/${account.id}/keys?limit=7`;
    const seen = await readAllPages<Listed['items'][number]>((url) => asAdmin('GET', url), firstPage);
    expect(seen).toHaveLength(25);
    expect(new Set(seen.map((item) => item.id)).size).toBe(25);
  });

  it('finds keys by text, state, expiry and last use; wildcards of the database are plain text', async () => {
    const plain = await mint('100% of_it');
    await mint('100 percent of it');
    const find = async (query: string): Promise<string[]> =>
      (await asAdmin('GET', `/v1/keys?${query}`)).json<Listed>().items.map((item) => item.comment);
    expect(await find(`q=${encodeURIComponent('100% OF_')}`)).toEqual(['100% of_it']);
    expect(await find(`q=${plain.key.id.slice(0, 12)}`)).toEqual(['100% of_it']);
    await mint('short', 1);
    expect(await find('status=expiring&q=short')).toEqual(['short']);
    expect(
      await find(
        `expiresBefore=${new Date(harness.clock.now() + 2 * DAY_MS).toISOString()}&account=${company.member.id}`,
      ),
    ).toEqual(['short']);
    harness.clock.advance(DAY_MS);
    expect(await find('status=expired')).toEqual(['short']);
    await call(harness, 'GET', '/v1/keys/self', { key: plain.fullKey.reveal() });
    const unused = await find(`unusedSince=${new Date(harness.clock.now()).toISOString()}&q=100`);
    expect(unused).toEqual(['100 percent of it']);
  });

  it.each([
    'cursor=garbage',
    'limit=0',
    'limit=201',
    'limit=1e9',
    'status=dead',
    'expiresBefore=soon',
    'unknown=1',
    'q=a&q=b',
  ])('refuses the query %s with 400', async (query) => {
    expect((await asAdmin('GET', `/v1/keys?${query}`)).statusCode).toBe(400);
  });

  it('counts uses by hour and outcome, and shows the last use', async () => {
    const { key, fullKey } = await mint('counted');
    for (let n = 0; n < 3; n += 1)
      await call(harness, 'GET', '/v1/keys/self', {
        key: fullKey.reveal(),
        headers: { 'user-agent': 'curl/8' },
      });
    await harness.deps.usage.flush();
    expect((await asAdmin('GET', `/v1/keys/${key.id}`)).json()).toMatchObject({
      lastUsedAt: new Date(harness.clock.now()).toISOString(),
      lastUsedIp: '127.0.0.1',
      lastUsedAgent: 'curl/8',
    });
    expect((await asAdmin('GET', `/v1/keys/${key.id}/usage`)).json()).toMatchObject({
      buckets: [{ outcomes: [{ outcome: 'valid', count: 3 }] }],
      actions: [{ action: null, outcomes: [{ outcome: 'valid', count: 3 }] }],
    });
  });

  it('imports a full-access key without expiry, which then works, and cannot be regenerated', async () => {
    const foreign = 'oy2aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa';
    const rows = [
      {
        account: 'mei@example.com',
        comment: 'legacy',
        access: 'full',
        expiresAt: null,
        sha256: sha256(foreign),
      },
    ];
    expect((await asAdmin('POST', '/v1/key-imports', { dryRun: true, rows })).json()).toMatchObject({
      dryRun: true,
      count: 1,
      keyIds: [],
    });
    expect((await call(harness, 'GET', '/v1/keys/self', { key: foreign })).statusCode).toBe(401);
    const [id] = (await asAdmin('POST', '/v1/key-imports', { rows })).json<{ keyIds: string[] }>().keyIds;
    const self = await call(harness, 'GET', '/v1/keys/self', { headers: { 'x-nuget-apikey': foreign } });
    expect(self.json()).toMatchObject({
      key: { id, access: 'full', expiresAt: null, isImported: true },
      permissions: [{ actions: ['package:*'] }],
    });
    expect((await asAdmin('POST', `/v1/keys/${id}/regenerate`)).json()).toMatchObject({
      status: 409,
      code: 'key.not_regenerable',
    });
    expect((await asAdmin('POST', '/v1/key-imports', { rows })).json()).toMatchObject({
      status: 400,
      code: 'key.import_faulty',
      errors: [{ field: 'rows[0].sha256' }],
    });
    await asAdmin('DELETE', `/v1/keys/${id}`);
    expect((await call(harness, 'GET', '/v1/keys/self', { key: foreign })).statusCode).toBe(401);
  });

  it('imports a batch whole or not at all, and names every faulty row', async () => {
    const good = {
      account: 'build-robot',
      comment: 'ok',
      access: 'account',
      expiresAt: new Date(harness.clock.now() + DAY_MS).toISOString(),
      sha256: sha256('good-foreign'),
    };
    const rows = [
      good,
      { ...good, account: 'nobody', sha256: sha256('1') },
      { ...good, expiresAt: null, sha256: sha256('2') },
      { ...good, comment: ' ', sha256: sha256('3') },
      { ...good },
    ];
    const answer = await asAdmin('POST', '/v1/key-imports', { rows });
    expect(answer.statusCode).toBe(400);
    expect(answer.json<{ errors: { field: string }[] }>().errors.map((fault) => fault.field)).toEqual([
      'rows[1].account',
      'rows[2].expiresAt',
      'rows[3].comment',
      'rows[4].sha256',
    ]);
    expect((await call(harness, 'GET', '/v1/keys/self', { key: 'good-foreign' })).statusCode).toBe(401);
  });

  it.each([
    ['wider scopes', sql`update api_keys set scopes = '[{"actions":["iam:*"],"resources":["*"]}]'`],
    ['a later expiry', sql`update api_keys set expires_at = expires_at + 1000000`],
    ['another account', sql`update api_keys set account_id = owner_id || 'x'`],
    ['no allow list', sql`update api_keys set ip_ranges = '["0.0.0.0/0"]'`],
    [
      'the digest of another key',
      sql`update api_keys set digest = (select digest from api_keys where comment = 'everything')`,
    ],
  ])(
    'a row edited in the database (%s) is no key at all, and says so to its administrator',
    async (_case, statement) => {
      const { key, fullKey } = await harness.deps.keys.create(company.adminCaller, company.admin.id, {
        comment: 'tampered',
        access: 'account',
      });
      await sql`${statement} where id = ${key.id}`.execute(harness.deps.storage.write);
      const answer = await call(harness, 'GET', '/v1/keys/self', { key: fullKey.reveal() });
      expect(answer.json()).toMatchObject({ status: 401, code: 'auth.invalid_credential' });
      const read = await asAdmin('GET', `/v1/keys/${key.id}`);
      expect([404, 409]).toContain(read.statusCode);
      await asAdmin('DELETE', `/v1/keys/${key.id}`);
      expect(harness.logLines.some((line) => line.includes('altered'))).toBe(true);
    },
  );

  it('a disabled key that was enabled in the database stays refused', async () => {
    const { key, fullKey } = await mint('sleeper');
    await asAdmin('POST', `/v1/keys/${key.id}/disable`);
    await sql`update api_keys set state = 'active' where id = ${key.id}`.execute(harness.deps.storage.write);
    expect((await call(harness, 'GET', '/v1/keys/self', { key: fullKey.reveal() })).json()).toMatchObject({
      code: 'auth.invalid_credential',
    });
  });

  it('a one-time link hands the key out once, of 20 that press at the same time', async () => {
    const minted = await harness.deps.keys.create(company.memberCaller, company.member.id, {
      comment: 'mailed',
      access: 'account',
      sendMail: true,
    });
    const row = await harness.deps.storage.read
      .selectFrom('outbox')
      .select(['id', 'kind', 'row_key', 'sealed_payload', 'to_address'])
      .where('kind', '=', 'key.delivery')
      .executeTakeFirstOrThrow();
    expect(row.to_address).toBe('mei@example.com');
    const payload = harness.deps.queue.open(row).payload as { linkUrl: string; secretKey: null };
    expect(payload.secretKey).toBeNull();
    const token = payload.linkUrl.split('#')[1];
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => call(harness, 'POST', '/v1/key-links/open', { body: { token } })),
    );
    const opened = answers.filter((answer) => answer.statusCode === 200);
    expect(opened).toHaveLength(1);
    expect(opened[0]?.json()).toMatchObject({ fullKey: minted.fullKey.reveal() });
    expect(opened[0]?.headers['cache-control']).toBe('no-store');
  });

  it('a one-time link that is used, expired, of another workspace or no link at all is answered alike', async () => {
    const { keys, storage, queue, workspaces } = harness.deps;
    const mailTo = async (comment: string) => {
      const wish = { comment, access: 'account', sendMail: true } as const;
      const { key } = await keys.create(company.memberCaller, company.member.id, wish);
      const row = await storage.read
        .selectFrom('outbox')
        .select(['id', 'kind', 'row_key', 'sealed_payload'])
        .where('kind', '=', 'key.delivery')
        .where('key_id', '=', key.id)
        .executeTakeFirstOrThrow();
      const { linkUrl } = queue.open(row).payload as { linkUrl: string };
      return { key, token: linkUrl.split('#')[1] ?? '' };
    };
    const open = (token: string, host?: string) =>
      call(harness, 'POST', '/v1/key-links/open', {
        body: { token },
        ...(host === undefined ? {} : { headers: { host } }),
      });
    const used = await mailTo('used');
    expect((await open(used.token)).statusCode).toBe(200);
    const old = await mailTo('old');
    const renewed = await mailTo('renewed');
    await keys.regenerate(company.memberCaller, renewed.key.id, {});
    harness.clock.advance(7 * DAY_MS);
    const fresh = await mailTo('fresh');
    await workspaces.create(company.adminCaller, { name: 'Links', subdomain: 'links', aliases: [] });
    const answers = {
      wrong: await open('wrong'),
      unknown: await open('a'.repeat(43)),
      used: await open(used.token),
      old: await open(old.token),
      renewed: await open(renewed.token),
    };
    const elsewhere = await open(fresh.token, 'links.keys.test:8080');
    expect(elsewhere.json()).toMatchObject({ status: 404, code: 'key.link_unusable' });
    const shapes = Object.values(answers).map((answer) => ({
      statusCode: answer.statusCode,
      headers: { ...answer.headers, date: '', 'x-request-id': '' },
      body: { ...answer.json<object>(), instance: '' },
    }));
    expect(shapes[0]).toMatchObject({ statusCode: 404, body: { code: 'key.link_unusable' } });
    for (const shape of shapes) expect(shape).toEqual(shapes[0]);
    expect((await open(fresh.token)).statusCode).toBe(200);
  });

  it('refuses to mail the key of a service account without an address, before anything is made', async () => {
    const before = await harness.deps.storage.read
      .selectFrom('api_keys')
      .select((eb) => eb.fn.countAll().as('n'))
      .executeTakeFirst();
    const url = `/v1/accounts/${company.robot.id}/keys`;
    expect(
      (await asAdmin('POST', url, { comment: 'x', access: 'account', sendMail: true })).json(),
    ).toMatchObject({ status: 400, code: 'key.mail_address_missing' });
    expect(
      (
        await asAdmin('POST', url, {
          comment: 'x',
          access: 'account',
          sendMail: true,
          mailTo: 'a@b.test\r\nBcc: c@d.test',
        })
      ).json(),
    ).toMatchObject({ status: 400, code: 'key.mail_address_missing' });
    expect(
      await harness.deps.storage.read
        .selectFrom('api_keys')
        .select((eb) => eb.fn.countAll().as('n'))
        .executeTakeFirst(),
    ).toEqual(before);
    expect(
      (await asAdmin('POST', url, { comment: 'x', access: 'account', mailTo: 'ops@example.com' })).statusCode,
    ).toBe(201);
  });

  it('mails at most 20 keys to one address in an hour, however it is written, and makes none beyond', async () => {
    const { storage, settings } = harness.deps;
    await settings.update(company.adminCaller, { maxKeysPerAccount: 1_000 }, null);
    const make = (mailTo: string) =>
      asAdmin('POST', `/v1/accounts/${company.robot.id}/keys`, { comment: 'x', access: 'account', mailTo });
    const countKeys = async () => (await storage.read.selectFrom('api_keys').select('id').execute()).length;
    const first = await make('Team@example.com');
    for (let mail = 2; mail <= 20; mail += 1) expect((await make('team@Example.com')).statusCode).toBe(201);
    const before = await countKeys();
    harness.clock.advance(HOUR_MS - 5_000);
    const refused = await make('TEAM@example.com');
    expect(refused.json()).toMatchObject({ status: 429, code: 'key.mail_limit' });
    expect(refused.headers['retry-after']).toBe('5');
    const again = await asAdmin('POST', `/v1/keys/${first.json<{ apiKey: string }>().apiKey}/regenerate`, {
      mailTo: 'team@example.com',
    });
    expect(again.json()).toMatchObject({ status: 429, code: 'key.mail_limit' });
    expect(await countKeys()).toBe(before);
    expect((await make('others@example.com')).statusCode).toBe(201);
    harness.clock.advance(5_000);
    expect((await make('team@example.com')).statusCode).toBe(201);
  });
});
