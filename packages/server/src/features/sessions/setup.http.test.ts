import { type Harness, startHarness } from '@keyreeve/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../lib/secret.ts';

const ADMIN = { email: 'root@example.com', password: 'velvet ladder orbit', displayName: 'Root' };

let harness: Harness;
let code: string;

async function setUp(body: Record<string, unknown>, headers: Readonly<Record<string, string>> = {}) {
  return await harness.app.inject({
    method: 'POST',
    url: '/v1/setup',
    headers: { host: 'localhost:8080', 'content-type': 'application/json', ...headers },
    payload: JSON.stringify({ ...ADMIN, code, ...body }),
  });
}

async function countAccounts(): Promise<number> {
  return (await harness.deps.storage.read.selectFrom('accounts').select('id').execute()).length;
}

beforeEach(async () => {
  harness = await startHarness();
  code = (await harness.deps.workspaces.issueSetupCode(harness.deps.defaultWorkspace.id)).reveal();
});
afterEach(() => harness.close());

describe('setting up', () => {
  it('with the code makes the first administrator, signs him in, and is gone afterwards', async () => {
    const answer = await setUp({ code: ` ${code}\n`, email: ' root@example.com ' });
    expect(answer.statusCode).toBe(201);
    expect(answer.json()).toMatchObject({
      account: { email: 'root@example.com', role: 'admin', displayName: 'Root' },
    });
    const cookie = String(answer.headers['set-cookie']).split(';')[0] ?? '';
    const session = await harness.app.inject({
      method: 'GET',
      url: '/v1/session',
      headers: { host: 'localhost', cookie },
    });
    expect(session.json()).toEqual(answer.json());
    const settings = await harness.app.inject({
      method: 'GET',
      url: '/v1/audit',
      headers: { host: 'localhost', cookie },
    });
    expect(settings.statusCode).toBe(200);
    const actions = settings.json<{ items: { action: string; actor: { name: string } }[] }>().items;
    expect(actions.map((row) => `${row.actor.name} ${row.action}`)).toEqual([
      'root@example.com session.created',
      'setup setup.completed',
      'setup account.created',
    ]);
    expect(settings.body).not.toContain(ADMIN.password);
    expect(settings.body).not.toContain(code);
    const again = await setUp({ email: 'second@example.com' });
    expect(again.statusCode).toBe(410);
    expect(again.json()).toMatchObject({ code: 'setup.already_done' });
  });

  it('makes one administrator of ten tries at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) => setUp({ email: `root${index}@example.com` })),
    );
    expect(answers.filter((answer) => answer.statusCode === 201)).toHaveLength(1);
    expect(await countAccounts()).toBe(1);
  });

  it('with a wrong code makes nothing, and slows down after five', async () => {
    const codes: number[] = [];
    for (let tries = 0; tries < 6; tries += 1)
      codes.push((await setUp({ code: `${code.slice(0, -1)}!` })).statusCode);
    expect(codes).toEqual([403, 403, 403, 403, 403, 429]);
    expect((await setUp({})).headers['retry-after']).toBe('1');
    expect(await countAccounts()).toBe(0);
    harness.clock.advance(1_000);
    expect((await setUp({})).statusCode).toBe(201);
  });

  it('with a code that was replaced by a newer one is refused', async () => {
    await harness.deps.workspaces.issueSetupCode(harness.deps.defaultWorkspace.id);
    expect((await setUp({})).json()).toMatchObject({ code: 'setup.wrong_code' });
  });

  it('refuses what cannot be taken by its reason, keeps the code and does not count it as a guess', async () => {
    const cases: [Record<string, unknown>, string][] = [
      [{ password: 'password1234' }, 'account.password_weak'],
      [{ password: 'root@example.com' }, 'account.password_weak'],
      [{ email: 'root' }, 'request.invalid'],
      [{ displayName: '  ' }, 'request.invalid'],
      [{ displayName: 'a\u202Eb' }, 'request.invalid'],
      [{ role: 'admin' }, 'request.invalid'],
    ];
    for (const [body, expected] of [...cases, ...cases]) {
      const answer = await setUp(body);
      expect(answer.statusCode).toBe(400);
      expect(answer.json()).toMatchObject({ code: expected });
    }
    expect((await setUp({})).statusCode).toBe(201);
  });

  it('is refused from another site', async () => {
    expect((await setUp({}, { 'sec-fetch-site': 'cross-site' })).json()).toMatchObject({
      code: 'auth.cross_site',
    });
    expect(await countAccounts()).toBe(0);
  });

  it('with the code of one workspace does not set up another', async () => {
    await setUp({});
    const [admin] = await harness.deps.accounts.findMany(
      harness.deps.storage.read,
      harness.deps.defaultWorkspace.id,
      (await harness.deps.storage.read.selectFrom('accounts').select('id').execute()).map((row) => row.id),
    );
    if (admin === undefined) throw new Error('There is no administrator.');
    const created = await harness.deps.workspaces.create(await harness.callerOf(admin), {
      name: 'Team',
      subdomain: 'team',
      aliases: [],
    });
    const host = { host: 'team.keys.test' };
    expect((await setUp({}, host)).json()).toMatchObject({ code: 'setup.wrong_code' });
    const answer = await setUp({ code: created.setupCode.reveal() }, host);
    expect(answer.json()).toMatchObject({
      account: { email: ADMIN.email },
      workspace: { id: created.workspace.id },
    });
  });
});

describe('setting up unattended', () => {
  const admin = { ...ADMIN, password: new Secret(ADMIN.password) };

  it('makes the administrator once, and does nothing at later starts', async () => {
    const { setup, defaultWorkspace } = harness.deps;
    expect(await setup.createFirstAdmin(defaultWorkspace, admin)).toBe(true);
    harness = await harness.restart();
    expect(
      await harness.deps.setup.createFirstAdmin(harness.deps.defaultWorkspace, {
        ...admin,
        email: 'other@example.com',
      }),
    ).toBe(false);
    expect(await countAccounts()).toBe(1);
    expect((await setUp({})).statusCode).toBe(410);
  });

  it('makes one administrator when two processes start at once', async () => {
    const { setup, defaultWorkspace } = harness.deps;
    const made = await Promise.all([
      setup.createFirstAdmin(defaultWorkspace, admin),
      setup.createFirstAdmin(defaultWorkspace, admin),
    ]);
    expect(made.toSorted()).toEqual([false, true]);
  });

  it('refuses a weak password instead of taking it', async () => {
    const weak = { ...admin, password: new Secret('keyreeve1234') };
    await expect(
      harness.deps.setup.createFirstAdmin(harness.deps.defaultWorkspace, weak),
    ).rejects.toMatchObject({ code: 'account.password_weak' });
    expect(await countAccounts()).toBe(0);
  });
});
