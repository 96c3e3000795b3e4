import type { Account } from '@keyreeve/server';
import { type Harness, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../../lib/secret.ts';
import { DEFAULT_SETTINGS, type Settings } from './settings.schema.ts';

const PASSWORD = 'velvet ladder orbit';

interface Problem {
  code: string;
  detail: string;
  version: number;
  errors: { field: string; message: string }[];
}
type Headers = Record<string, string>;

let harness: Harness;
let admin: Account;
let adminSession: Headers;
let memberSession: Headers;

beforeAll(async () => {
  harness = await startHarness();
  const passwordHash = await harness.deps.passwords.hash(new Secret(PASSWORD), []);
  admin = await harness.createAccount({
    kind: 'user',
    email: 'ada@example.com',
    displayName: 'Ada',
    role: 'admin',
    passwordHash,
  });
  await harness.createAccount({ kind: 'user', email: 'bob@example.com', displayName: 'Bob', passwordHash });
  [adminSession, memberSession] = [await signIn('ada@example.com'), await signIn('bob@example.com')];
});
afterAll(() => harness.close());

async function signIn(email: string): Promise<Headers> {
  const answer = await harness.app.inject({
    method: 'POST',
    url: '/v1/session',
    payload: { email, password: PASSWORD },
  });
  return { cookie: String(answer.headers['set-cookie']).split(';')[0] ?? '' };
}

async function keyFor(action: string): Promise<Headers> {
  const scopes = [{ actions: [action], resources: ['*'] }];
  const minted = await harness.deps.keys.create(await harness.callerOf(admin), admin.id, {
    comment: 'CI',
    access: 'scoped',
    scopes,
  });
  return { 'x-api-key': minted.fullKey.reveal() };
}

const read = (headers = adminSession) => harness.app.inject({ url: '/v1/settings', headers });

async function patch(payload: object, headers = adminSession, ifMatch = '*') {
  return await harness.app.inject({
    method: 'PATCH',
    url: '/v1/settings',
    headers: { ...headers, 'if-match': ifMatch },
    payload,
  });
}

describe('settings', () => {
  it('are the defaults of the design until somebody changes them', async () => {
    const answer = await read();
    expect([answer.json(), answer.headers['etag']]).toEqual([DEFAULT_SETTINGS, '"0"']);
    expect(DEFAULT_SETTINGS).toMatchObject({
      lifetimeChoicesDays: [1, 90, 180, 270, 365],
      defaultLifetimeDays: 365,
      maxLifetimeDays: 730,
      maxKeysPerAccount: 50,
    });
  });

  it('change one by one and leave the others, with a new version', async () => {
    const first = await patch({ maxKeysPerAccount: 7 }, adminSession, '"0"');
    expect([first.statusCode, first.headers['etag'], first.json<Settings>()]).toEqual([
      200,
      '"1"',
      { ...DEFAULT_SETTINGS, maxKeysPerAccount: 7 },
    ]);
    const second = await patch(
      { supportEmail: 'help@example.com', supportUrl: 'https://help.example.com/keys' },
      adminSession,
      '"1"',
    );
    expect(second.json()).toMatchObject({ maxKeysPerAccount: 7, supportEmail: 'help@example.com' });
    expect((await read()).json()).toEqual(second.json());
  });

  it('are not overwritten by somebody who has not seen the last change', async () => {
    const version = Number((await read()).headers['etag']?.slice(1, -1));
    const answer = await patch({ maxKeysPerAccount: 9 }, adminSession, `"${version - 1}"`);
    expect(answer.json<Problem>()).toMatchObject({
      status: 412,
      code: 'request.precondition_failed',
      version,
    });
    const missing = await harness.app.inject({
      method: 'PATCH',
      url: '/v1/settings',
      headers: adminSession,
      payload: { maxKeysPerAccount: 9 },
    });
    expect(missing.json<Problem>().code).toBe('request.precondition_required');
    const both = await Promise.all(
      [8, 9].map((maxKeysPerAccount) => patch({ maxKeysPerAccount }, adminSession, `"${version}"`)),
    );
    expect(both.map((one) => one.statusCode).toSorted((a, b) => a - b)).toEqual([200, 412]);
  });

  it('keep their version when an edit changes nothing', async () => {
    const before = (await read()).headers['etag'];
    const answer = await patch({ requireAction: false });
    expect([answer.statusCode, answer.headers['etag']]).toEqual([200, before]);
  });

  it('survive a restart, and take defaults for what an older release did not store', async () => {
    const { settings, storage, defaultWorkspace } = harness.deps;
    await patch({ tokenLifetimeSeconds: 900 });
    await storage.write
      .updateTable('settings')
      .set({ document: JSON.stringify({ tokenLifetimeSeconds: 900 }) })
      .where('workspace_id', '=', defaultWorkspace.id)
      .execute();
    expect(await settings.get(defaultWorkspace.id)).toEqual({
      ...DEFAULT_SETTINGS,
      tokenLifetimeSeconds: 900,
    });
  });

  it('belong to one workspace', async () => {
    await patch({ maxKeysPerAccount: 3 });
    const { workspace } = await harness.deps.workspaces.create(await harness.callerOf(admin), {
      name: 'Second',
      subdomain: 'second',
      aliases: [],
    });
    expect(await harness.deps.settings.get(workspace.id)).toEqual(DEFAULT_SETTINGS);
  });

  it('leave an audit row with old and new value', async () => {
    await patch({ expiryNoticeDays: [30, 10] });
    const row = await harness.deps.storage.read
      .selectFrom('audit')
      .selectAll()
      .where('action', '=', 'settings.changed')
      .orderBy('seq', 'desc')
      .limit(1)
      .executeTakeFirstOrThrow();
    expect(row.actor_id).toBe(admin.id);
    expect(JSON.parse(row.detail)).toEqual({ expiryNoticeDays: { from: [10], to: [30, 10] } });
  });
});

describe('who may see and change settings', () => {
  it('is everybody with a session, and administrators', async () => {
    expect((await read(memberSession)).statusCode).toBe(200);
    expect((await patch({ requireAction: true }, memberSession)).json<Problem>().code).toBe('auth.forbidden');
    expect((await read({})).json<Problem>().code).toBe('auth.required');
  });

  it('is a key whose scope says so', async () => {
    const [reader, writer, pusher] = [
      await keyFor('iam:settings:read'),
      await keyFor('iam:settings:write'),
      await keyFor('iam:keys:read'),
    ];
    expect((await read(reader)).statusCode).toBe(200);
    expect((await patch({ requireAction: true }, reader)).json<Problem>().code).toBe(
      'auth.insufficient_scope',
    );
    expect((await patch({ requireAction: true }, writer)).statusCode).toBe(200);
    expect((await read(pusher)).json<Problem>().code).toBe('auth.insufficient_scope');
  });
});

describe('a value', () => {
  const many = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

  it.each<[keyof Settings, unknown[]]>([
    ['lifetimeChoicesDays', [[], [0], [-1], [3_651], [1, 1], [1.5], many(21), '365']],
    ['defaultLifetimeDays', [0, 3_651, 1.5, '365', null]],
    ['customLifetimes', ['true', 1, null]],
    ['maxLifetimeDays', [0, 3_651, null]],
    ['maxKeysPerAccount', [0, 10_001, -1]],
    ['tokenLifetimeSeconds', [59, 86_401]],
    [
      'tokenResources',
      [['nonsense'], ['https://a.example', 'https://a.example'], [`https://a.example/${'x'.repeat(500)}`]],
    ],
    ['signingAlgorithm', ['none', 'HS256', 'es256', null]],
    ['signingKeyDays', [0, 367, 1.5, null]],
    ['keyMail', ['mail', true]],
    ['expiryNoticeDays', [[0], [366], [10, 10], many(11)]],
    ['requireAction', ['yes']],
    ['defaultLocale', ['fr', 'EN', null]],
    ['supportEmail', ['nobody', 'a@b@c', '']],
    ['supportUrl', ['javascript:alert(1)', 'ftp://a.example', '/help', '']],
  ])('of %s outside of its bounds is refused by name', async (field, values) => {
    for (const value of values) {
      const answer = await patch({ [field]: value });
      expect(answer.json<Problem>(), JSON.stringify(value)).toMatchObject({
        status: 400,
        code: 'request.invalid',
      });
      expect(answer.json<Problem>().errors[0]?.field).toMatch(new RegExp(`^${field}`));
    }
  });

  it('at its bounds is taken', async () => {
    const edges = {
      lifetimeChoicesDays: [1, 3_650],
      defaultLifetimeDays: 1,
      maxLifetimeDays: 3_650,
      maxKeysPerAccount: 10_000,
      tokenLifetimeSeconds: 60,
      expiryNoticeDays: [],
      supportEmail: null,
      supportUrl: null,
    };
    expect((await patch(edges)).json()).toMatchObject(edges);
    expect((await patch({ tokenLifetimeSeconds: 86_400, maxKeysPerAccount: 1 })).statusCode).toBe(200);
    expect((await patch(DEFAULT_SETTINGS)).json()).toEqual(DEFAULT_SETTINGS);
  });

  it('of an unknown name is refused', async () => {
    const answer = await patch({ maxKeys: 3 });
    expect(answer.json<Problem>().errors).toEqual([
      { field: 'maxKeys', message: 'is not a known field; remove it' },
    ]);
    expect((await patch({})).statusCode).toBe(400);
  });
});

describe('settings that contradict each other', () => {
  it.each([
    ['a default that nobody may choose', { defaultLifetimeDays: 30 }, 'defaultLifetimeDays'],
    ['choices without the default', { lifetimeChoicesDays: [1, 90] }, 'defaultLifetimeDays'],
    ['a choice beyond the maximum', { lifetimeChoicesDays: [365, 731] }, 'lifetimeChoicesDays[1]'],
    ['a maximum below a choice', { maxLifetimeDays: 364 }, 'lifetimeChoicesDays[4]'],
    [
      'a default beyond the maximum',
      { customLifetimes: true, defaultLifetimeDays: 731 },
      'defaultLifetimeDays',
    ],
  ])('are refused whole: %s', async (_name, settings, field) => {
    const before = (await read()).payload;
    const answer = await patch({ ...settings, maxKeysPerAccount: 2 });
    expect(answer.json<Problem>().code).toBe('settings.contradiction');
    expect(answer.json<Problem>().errors.map((fault) => fault.field)).toContain(field);
    expect(answer.json<Problem>().detail).toContain(field);
    expect((await read()).payload).toBe(before);
  });

  it('can be changed together, in one request', async () => {
    const together = { lifetimeChoicesDays: [7, 30], defaultLifetimeDays: 30, maxLifetimeDays: 30 };
    expect((await patch(together)).json()).toMatchObject(together);
    expect((await patch(DEFAULT_SETTINGS)).statusCode).toBe(200);
  });

  it('are none when custom lifetimes are on: then any default up to the maximum will do', async () => {
    expect((await patch({ customLifetimes: true, defaultLifetimeDays: 33 })).statusCode).toBe(200);
    expect((await patch({ customLifetimes: false })).json<Problem>().code).toBe('settings.contradiction');
    expect((await patch(DEFAULT_SETTINGS)).statusCode).toBe(200);
  });
});

describe('mails that hold the secret key', () => {
  it('are refused while no SMTP server is set', async () => {
    const answer = await patch({ keyMail: 'value' });
    expect([answer.statusCode, answer.json<Problem>().code]).toEqual([400, 'settings.smtp_required']);
  });

  it('may be chosen once one is', async () => {
    const withSmtp = await startHarness({ environment: { KEYREEVE_SMTP_URL: 'smtp://127.0.0.1:2525' } });
    const user = await withSmtp.createAccount({
      kind: 'user',
      email: 'ada@example.com',
      displayName: 'Ada',
      role: 'admin',
    });
    const stored = await withSmtp.deps.settings.update(
      await withSmtp.callerOf(user),
      { keyMail: 'value' },
      0,
    );
    expect(stored).toMatchObject({ settings: { keyMail: 'value' }, version: 1 });
    await withSmtp.close();
  });
});
