import { type Account, type Caller, inTransaction, systemCaller } from '@keyreeve/server';
import { type Harness, readAllPages, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../../lib/secret.ts';

interface Created {
  workspace: {
    id: string;
    name: string;
    subdomain: string;
    url: string;
    aliases: string[];
    isDefault: boolean;
  };
  setupCode: string;
}
interface Problem {
  code: string;
  errors: { field: string }[];
}
type Headers = Record<string, string>;

const SYSTEM = [
  { actions: ['iam:workspaces:read', 'iam:workspaces:write', 'iam:settings:read'], resources: ['*'] },
];

let harness: Harness;
let caller: Caller;
let key: Headers;
let count = 0;

beforeAll(async () => {
  harness = await startHarness({ environment: { KEYREEVE_PUBLIC_URL: 'https://Console.Example.com:8443' } });
  const admin = await harness.createAccount({
    kind: 'user',
    email: 'ada@example.com',
    displayName: 'Ada',
    role: 'admin',
  });
  caller = await harness.callerOf(admin);
  key = await keyOf(admin, caller);
});
afterAll(() => harness.close());

async function keyOf(owner: Account, by: Caller): Promise<Headers> {
  const minted = await harness.deps.keys.create(by, owner.id, {
    comment: 'CI',
    access: 'scoped',
    scopes: SYSTEM,
  });
  return { 'x-api-key': minted.fullKey.reveal() };
}

const newName = () => `team${(count += 1)}`;

async function post(payload: object, headers = key) {
  return await harness.app.inject({ method: 'POST', url: '/v1/workspaces', headers, payload });
}

async function create(aliases: string[] = []): Promise<Created> {
  const subdomain = newName();
  const answer = await post({ name: `Team ${count}`, subdomain, aliases });
  expect(answer.statusCode, answer.payload).toBe(201);
  return answer.json<Created>();
}

describe('the workspace of a host', () => {
  let team: Created['workspace'];
  beforeAll(async () => {
    team = (await create(['keys.team.example', 'Other.Team.Example'])).workspace;
  });
  const find = async (host: string) => (await harness.deps.workspaces.findByHost(host))?.id ?? null;

  it.each([
    'localhost',
    'localhost:8080',
    'LOCALHOST:1',
    'localhost.',
    '127.0.0.1',
    '127.0.0.1:8080',
    '192.0.2.7',
    '[::1]',
    '[::1]:8080',
    '[2001:db8::1]:443',
    'console.example.com',
    'CONSOLE.example.COM:8443',
    'console.example.com.:8443',
  ])('is the default one for %s', async (host) => {
    expect(await find(host)).toBe(harness.deps.defaultWorkspace.id);
  });

  it('is the one of the subdomain or of an alias, in any case, with port and final dot', async () => {
    const name = team.subdomain;
    for (const host of [
      `${name}.keys.test`,
      `${name.toUpperCase()}.KEYS.TEST:8080`,
      `${name}.keys.test.`,
      'keys.team.example',
      'KEYS.Team.example:443',
      'other.team.example.',
    ]) {
      expect(await find(host)).toBe(team.id);
    }
  });

  it('is none for every other host, however near', async () => {
    const name = team.subdomain;
    for (const host of [
      '',
      '.',
      ':',
      'keys.test',
      '.keys.test',
      'unknown.keys.test',
      `a.${name}.keys.test`,
      `${name}keys.test`,
      `${name}.keys.test.evil.example`,
      `x${name}.keys.test`,
      'team.example',
      'x.keys.team.example',
      'example.com',
      `${name}.keys.test:x`,
      `${name}.keys.test..`,
      '%',
      '*',
      '*.keys.test',
      'localhost.evil.example',
      'localhost:123456',
      '[::1',
      '[evil]',
      `evil@${name}.keys.test`,
      ' localhost',
    ]) {
      expect(await find(host), host).toBeNull();
    }
  });

  it('is found by the Host of a request; an unknown one gets 421, whatever else the request says', async () => {
    const status = async (headers: Headers) =>
      (await harness.app.inject({ url: '/v1/settings', headers: { ...key, ...headers } })).statusCode;
    expect(await status({ host: 'console.example.com' })).toBe(200);
    expect(await status({ host: `${team.subdomain}.keys.test` })).toBe(401);
    expect(await status({ host: 'unknown.keys.test', 'x-forwarded-host': 'console.example.com' })).toBe(421);
    expect(await status({ host: 'console.example.com', 'x-forwarded-host': 'unknown.keys.test' })).toBe(200);
  });
});

describe('the address of a workspace', () => {
  it('is made from the configuration, never from the request', async () => {
    expect(harness.deps.defaultWorkspace.url).toBe('https://console.example.com:8443');
    const { workspace } = await create(['keys.alias.example']);
    expect(workspace.url).toBe(`https://${workspace.subdomain}.keys.test:8443`);
    const byAlias = await harness.deps.workspaces.findByHost('keys.alias.example');
    expect(byAlias?.url).toBe(workspace.url);
    expect((await harness.deps.workspaces.findById(workspace.id))?.url).toBe(workspace.url);
  });

  it('is its first alias where there is no base domain, and one of both is needed', async () => {
    const single = await startHarness({
      environment: { KEYREEVE_BASE_DOMAIN: '', KEYREEVE_PUBLIC_URL: 'https://keys.example.com' },
    });
    const by = systemCaller(single.deps.defaultWorkspace, 'test');
    await expect(
      single.deps.workspaces.create(by, { name: 'x', subdomain: 'x', aliases: [] }),
    ).rejects.toThrow('workspace.no_base_domain');
    const { workspace } = await single.deps.workspaces.create(by, {
      name: 'x',
      subdomain: 'x',
      aliases: ['keys.other.example'],
    });
    expect(workspace.url).toBe('https://keys.other.example');
    expect(await single.deps.workspaces.findByHost('keys.other.example')).toEqual(workspace);
    expect(await single.deps.workspaces.findByHost('x.keys.example.com')).toBeNull();
    await single.close();
  });
});

describe('a new workspace', () => {
  it('is listed, without its setup code, and begins with nobody in it', async () => {
    const { workspace, setupCode } = await create(['A.Example']);
    expect(workspace).toMatchObject({ isDefault: false, aliases: ['a.example'] });
    const list = await harness.app.inject({ url: '/v1/workspaces?limit=200', headers: key });
    expect(list.json<{ items: object[] }>().items).toContainEqual(workspace);
    expect(list.payload).not.toContain(setupCode);
    expect(await harness.deps.accounts.countActiveAdmins(harness.deps.storage.read, workspace.id)).toBe(0);
  });

  it('is one of many that a list shows exactly once, page by page', async () => {
    await Promise.all([create(), create(), create()]);
    const get = (url: string) => harness.app.inject({ url, headers: key });
    const seen = (await readAllPages<{ id: string }>(get, '/v1/workspaces?limit=2')).map((item) => item.id);
    const rows = await harness.deps.storage.read.selectFrom('workspaces').select('id').execute();
    expect(seen).toHaveLength(rows.length);
    expect(new Set(seen)).toEqual(new Set(rows.map((row) => row.id)));
  });

  it('is refused when its subdomain or an alias is taken, and leaves nothing behind', async () => {
    const { workspace } = await create(['taken.example']);
    const name = newName();
    expect((await post({ name: 'x', subdomain: workspace.subdomain })).json<Problem>().code).toBe(
      'workspace.subdomain_taken',
    );
    expect(
      (await post({ name: 'x', subdomain: name, aliases: ['free.example', 'TAKEN.example'] })).json<Problem>()
        .code,
    ).toBe('workspace.subdomain_taken');
    expect(await harness.deps.workspaces.findByHost('free.example')).toBeNull();
    expect((await post({ name: 'x', subdomain: name })).statusCode).toBe(201);
  });

  it.each(['', 'Team', '-team', 'team-', 'te_am', 'te.am', 'te am', 'téam', 't'.repeat(64), 'team\n'])(
    'is refused with the subdomain %j',
    async (subdomain) => {
      const answer = await post({ name: 'x', subdomain });
      expect(answer.json<Problem>()).toMatchObject({
        code: 'request.invalid',
        errors: [{ field: 'subdomain' }],
      });
    },
  );

  it.each([
    '',
    'https://a.example',
    'a.example:8080',
    'a..example',
    '-a.example',
    '*.example',
    'a b',
    'a.example/x',
    'x'.repeat(64),
  ])('is refused with the alias %j', async (alias) => {
    const answer = await post({ name: 'x', subdomain: newName(), aliases: [alias] });
    expect(answer.json<Problem>()).toMatchObject({
      code: 'request.invalid',
      errors: [{ field: 'aliases[0]' }],
    });
  });

  it('leaves an audit row without its setup code', async () => {
    const { workspace, setupCode } = await create();
    const row = await harness.deps.storage.read
      .selectFrom('audit')
      .selectAll()
      .where('action', '=', 'workspace.created')
      .where('target_id', '=', workspace.id)
      .executeTakeFirstOrThrow();
    expect(row.workspace_id).toBe(harness.deps.defaultWorkspace.id);
    expect(JSON.stringify(row)).not.toContain(setupCode);
  });

  it('is made by administrators of the default workspace only', async () => {
    const { workspace } = await create();
    const view = await harness.deps.workspaces.findById(workspace.id);
    if (view === null) throw new Error('The workspace is gone.');
    const root = await inTransaction(harness.deps.storage, (tx) =>
      harness.deps.accounts.createInside(tx, systemCaller(view, 'test'), {
        kind: 'user',
        email: 'root@example.com',
        displayName: 'Root',
        role: 'admin',
      }),
    );
    const foreignKey = {
      ...(await keyOf(root, { ...(await harness.callerOf(root)), workspace: view })),
      host: `${workspace.subdomain}.keys.test`,
    };
    expect((await harness.app.inject({ url: '/v1/settings', headers: foreignKey })).statusCode).toBe(200);
    expect((await post({ name: 'x', subdomain: newName() }, foreignKey)).json<Problem>().code).toBe(
      'auth.forbidden',
    );
    expect(
      (await harness.app.inject({ url: '/v1/workspaces', headers: foreignKey })).json<Problem>().code,
    ).toBe('auth.forbidden');
  });
});

describe('a setup code', () => {
  const consume = (workspaceId: string, code: string) =>
    inTransaction(harness.deps.storage, (tx) =>
      harness.deps.workspaces.consumeSetupCode(tx, workspaceId, new Secret(code)),
    );

  it('works once', async () => {
    const { workspace, setupCode } = await create();
    expect(setupCode).toMatch(/^[0-9A-Za-z]{24}$/);
    expect(await consume(workspace.id, ` ${setupCode}\n`)).toBe(true);
    expect(await consume(workspace.id, setupCode)).toBe(false);
  });

  it('works once also when two ask at the same moment', async () => {
    const { workspace, setupCode } = await create();
    const outcomes = await Promise.all([consume(workspace.id, setupCode), consume(workspace.id, setupCode)]);
    expect(outcomes.filter(Boolean)).toHaveLength(1);
  });

  it('is not used up by a wrong one, nor by a transaction that fails', async () => {
    const { workspace, setupCode } = await create();
    for (const wrong of [
      '',
      setupCode.slice(1),
      `${setupCode}x`,
      setupCode.toLowerCase() === setupCode ? 'x' : setupCode.toLowerCase(),
    ]) {
      expect(await consume(workspace.id, wrong)).toBe(false);
    }
    const failed = inTransaction(harness.deps.storage, async (tx) => {
      expect(await harness.deps.workspaces.consumeSetupCode(tx, workspace.id, new Secret(setupCode))).toBe(
        true,
      );
      throw new Error('the rest failed');
    });
    await expect(failed).rejects.toThrow('the rest failed');
    expect(await consume(workspace.id, setupCode)).toBe(true);
  });

  it('is replaced by a new one, and belongs to one workspace', async () => {
    const { workspace, setupCode } = await create();
    const replaced = (await harness.deps.workspaces.issueSetupCode(workspace.id)).reveal();
    const other = await create();
    expect(await consume(other.workspace.id, replaced)).toBe(false);
    expect(await consume(workspace.id, setupCode)).toBe(false);
    expect(await consume(workspace.id, replaced)).toBe(true);
  });

  it('is stored as a digest only, and never printed', async () => {
    const { setupCode } = await create();
    const rows = await harness.deps.storage.read.selectFrom('setup_codes').selectAll().execute();
    expect(JSON.stringify(rows)).not.toContain(setupCode);
    expect(harness.logLines.join('')).not.toContain(setupCode);
  });
});
