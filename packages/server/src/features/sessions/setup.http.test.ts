import type { Workspace } from '@keyreeve/server';
import { type Harness, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemCaller } from '../../http/index.ts';
import { Secret } from '../../lib/secret.ts';

const ADMIN = { email: 'root@example.com', password: 'velvet ladder orbit', displayName: 'Root' };
const admin = { ...ADMIN, password: new Secret(ADMIN.password) };

let harness: Harness;
let count = 0;
// Each test sets up a workspace of its own.
let workspace: Workspace;
let code: string;

beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.close());
beforeEach(async () => {
  count += 1;
  const { workspaces, defaultWorkspace } = harness.deps;
  const caller = systemCaller(defaultWorkspace, 'test');
  const created = await workspaces.create(caller, { name: 'Team', subdomain: `team${count}`, aliases: [] });
  workspace = created.workspace;
  code = created.setupCode.reveal();
});

function hostOf(number: number): string {
  return `team${number}.keys.test`;
}

async function setUp(body: Record<string, unknown>, headers: Readonly<Record<string, string>> = {}) {
  return await harness.app.inject({
    method: 'POST',
    url: '/v1/setup',
    headers: { host: hostOf(count), 'content-type': 'application/json', ...headers },
    payload: JSON.stringify({ ...ADMIN, code, ...body }),
  });
}

async function countAccounts(): Promise<number> {
  const { read } = harness.deps.storage;
  return (await read.selectFrom('accounts').select('id').where('workspace_id', '=', workspace.id).execute())
    .length;
}

describe('setting up', () => {
  it('with the code makes the first administrator, signs him in, and is gone afterwards', async () => {
    const answer = await setUp({ code: ` ${code}\n`, email: ' root@example.com ' });
    expect(answer.statusCode).toBe(201);
    expect(answer.json()).toMatchObject({
      account: { email: 'root@example.com', role: 'admin', displayName: 'Root' },
      workspace: { id: workspace.id },
    });
    const cookie = String(answer.headers['set-cookie']).split(';')[0] ?? '';
    const headers = { host: hostOf(count), cookie };
    const session = await harness.app.inject({ method: 'GET', url: '/v1/session', headers });
    expect(session.json()).toEqual(answer.json());
    const audit = await harness.app.inject({ method: 'GET', url: '/v1/audit', headers });
    const rows = audit.json<{ items: { action: string; actor: { name: string } }[] }>().items;
    expect(rows.map((row) => `${row.actor.name} ${row.action}`)).toEqual([
      'root@example.com session.created',
      'setup setup.completed',
      'setup account.created',
    ]);
    expect(audit.body).not.toContain(ADMIN.password);
    expect(audit.body).not.toContain(code);
    const again = await setUp({ email: 'second@example.com' });
    expect(again.statusCode).toBe(410);
    expect(again.json()).toMatchObject({ code: 'setup.already_done' });
  });

  it('makes one administrator of ten tries at once', async () => {
    harness.clock.advance(1);
    const tries = Array.from({ length: 10 }, (_, index) => setUp({ email: `root${index}@example.com` }));
    const answers = await Promise.all(tries);
    expect(answers.filter((answer) => answer.statusCode === 201)).toHaveLength(1);
    expect(await countAccounts()).toBe(1);
  });

  it('with a wrong code makes nothing, and slows down after five', async () => {
    const codes: number[] = [];
    for (let tries = 0; tries < 6; tries += 1) {
      codes.push((await setUp({ code: `${code.slice(0, -1)}!` })).statusCode);
    }
    expect(codes).toEqual([403, 403, 403, 403, 403, 429]);
    expect((await setUp({})).headers['retry-after']).toBe('1');
    expect(await countAccounts()).toBe(0);
    harness.clock.advance(1_000);
    expect((await setUp({})).statusCode).toBe(201);
  });

  it('with a code that was replaced by a newer one is refused', async () => {
    await harness.deps.workspaces.issueSetupCode(workspace.id);
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
    const answer = await setUp({}, { 'sec-fetch-site': 'cross-site' });
    expect(answer.json()).toMatchObject({ code: 'auth.cross_site' });
    expect(await countAccounts()).toBe(0);
  });

  it('with the code of one workspace does not set up another', async () => {
    const answer = await setUp({}, { host: 'localhost' });
    expect(answer.json()).toMatchObject({ code: 'setup.wrong_code' });
    expect(await harness.deps.accounts.countActiveAdmins(harness.deps.storage.read, workspace.id)).toBe(0);
  });
});

describe('setting up unattended', () => {
  it('makes the administrator once, and does nothing at later starts', async () => {
    expect(await harness.deps.setup.createFirstAdmin(workspace, admin)).toBe(true);
    harness = await harness.restart();
    const other = { ...admin, email: 'other@example.com' };
    expect(await harness.deps.setup.createFirstAdmin(workspace, other)).toBe(false);
    expect(await countAccounts()).toBe(1);
    expect((await setUp({})).statusCode).toBe(410);
  });

  it('makes one administrator when two processes start at once', async () => {
    const { setup } = harness.deps;
    const made = await Promise.all([
      setup.createFirstAdmin(workspace, admin),
      setup.createFirstAdmin(workspace, admin),
    ]);
    expect(made.filter((isMade) => isMade)).toHaveLength(1);
    expect(await countAccounts()).toBe(1);
  });

  it('refuses a weak password instead of taking it', async () => {
    const weak = { ...admin, password: new Secret('keyreeve1234') };
    await expect(harness.deps.setup.createFirstAdmin(workspace, weak)).rejects.toMatchObject({
      code: 'account.password_weak',
    });
    expect(await countAccounts()).toBe(0);
  });
});
