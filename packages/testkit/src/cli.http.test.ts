import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Account } from '@keyreeve/server';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Harness, startHarness } from './index.ts';

const BIN = path.resolve(import.meta.dirname, '../../cli/src/bin.ts');
const PASSWORD = 'quartz-lantern-63-otters-drift';
const EVERYTHING = [{ actions: ['iam:*', 'package:*'], resources: ['*'] }];

let harness: Harness;
let admin: Account;
let adminKey: string;
let url: string;
let folder: string;

beforeAll(async () => {
  harness = await startHarness();
  url = await harness.app.listen({ port: 0, host: '127.0.0.1' });
  folder = mkdtempSync(path.join(tmpdir(), 'keyreeve-cli-'));
  admin = await harness.createAccount({
    kind: 'user',
    email: 'ada@example.com',
    displayName: 'Ada',
    role: 'admin',
  });
  const minted = await harness.deps.keys.create(await harness.callerOf(admin), admin.id, {
    comment: 'command line',
    access: 'scoped',
    scopes: EVERYTHING,
  });
  adminKey = minted.fullKey.reveal();
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await harness.close();
});

interface Result {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface RunOptions {
  readonly input?: string;
  readonly env?: Record<string, string>;
}

// Where Node keeps what it has compiled changes how long a start takes and nothing else.
const { NODE_COMPILE_CACHE } = process.env;

/** Runs the command line as a process of its own, with nothing else of this process's environment. */
async function keyreeve(
  words: readonly string[],
  { input = '', env = {} }: RunOptions = {},
): Promise<Result> {
  const child = spawn(process.execPath, [BIN, ...words], {
    env: {
      KEYREEVE_URL: url,
      KEYREEVE_API_KEY: adminKey,
      XDG_CONFIG_HOME: folder,
      TZ: 'UTC',
      ...(NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE }),
      ...env,
    },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  // A command that needs no input may be gone before it was written.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const exitCode = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { exitCode, stdout, stderr };
}

/** The same with `--json`, expected to succeed. */
async function keyreeveJson<T>(words: readonly string[], options?: RunOptions): Promise<T> {
  const result = await keyreeve([...words, '--json'], options);
  expect(result).toMatchObject({ exitCode: 0 });
  return JSON.parse(result.stdout) as T;
}

interface MintedKey {
  readonly key: { readonly id: string; readonly version: number };
  readonly apiKey: string;
  readonly secretKey: string;
  readonly fullKey: string;
}

const createScopedKey = (comment: string): Promise<MintedKey> =>
  keyreeveJson([
    'keys',
    'create',
    admin.email ?? '',
    '--comment',
    comment,
    '--scope',
    'package:push=AzureRM.*',
  ]);

async function verify(key: string): Promise<Result> {
  return await keyreeve(['verify', '--json'], { input: `${key}\n` });
}

// Each command is a process of its own; on a busy machine its start alone takes most of a second.
vi.setConfig({ testTimeout: 90_000 });

describe('set-up and sign-in', () => {
  it('make the first administrator, keep the session for the owner of the file only, and end it', async () => {
    const fresh = await startHarness();
    try {
      const { deps } = fresh;
      const code = await deps.workspaces.issueSetupCode(deps.defaultWorkspace.id);
      const env = {
        KEYREEVE_URL: await fresh.app.listen({ port: 0, host: '127.0.0.1' }),
        KEYREEVE_API_KEY: '',
        XDG_CONFIG_HOME: path.join(folder, 'fresh'),
      };
      const words = ['setup', '--email', 'grace@example.com', '--name', 'Grace', '--stdin'];
      const done = await keyreeve(words, { env, input: `${code.reveal()}\n${PASSWORD}\n` });
      expect(done).toMatchObject({ exitCode: 0, stderr: '' });
      expect(done.stdout).toContain('Grace <grace@example.com>');

      const file = path.join(folder, 'fresh/keyreeve/session.json');
      expect(statSync(file).mode & 0o777).toBe(0o600);
      expect(await keyreeveJson(['whoami'], { env })).toMatchObject({ account: { role: 'admin' } });
      const kept = readFileSync(file, 'utf8');

      expect(await keyreeve(['logout'], { env })).toMatchObject({ exitCode: 0 });
      expect(await keyreeve(['whoami'], { env })).toMatchObject({ exitCode: 1 });
      writeFileSync(file, kept);
      const refused = await keyreeve(['whoami'], { env });
      expect(refused).toMatchObject({ exitCode: 1, stdout: '' });
      expect(refused.stderr).toContain('keyreeve login');

      const login = ['login', '--email', 'grace@example.com', '--password-stdin'];
      expect(await keyreeve(login, { env, input: 'wrong' })).toMatchObject({ exitCode: 1, stdout: '' });
      expect(await keyreeve(login, { env, input: PASSWORD })).toMatchObject({ exitCode: 0, stderr: '' });
      expect(await keyreeve(['users', 'list'], { env })).toMatchObject({ exitCode: 0 });
    } finally {
      await fresh.close();
    }
  });
});

describe('a key', () => {
  it('is shown once, its three values alone on stdout', async () => {
    const words = [
      'keys',
      'create',
      'ada@example.com',
      '--comment',
      'CI',
      '--scope',
      'package:push=AzureRM.*',
    ];
    const made = await keyreeve(words);
    expect(made.exitCode).toBe(0);
    expect(made.stdout).toMatch(/^API key +kr_\w{16}\nSecret key +\w{49}\nFull key +kr_\w{16}_\w{49}\n$/);
    const fullKey = /kr_\w{16}_\w{49}/.exec(made.stdout)?.[0] ?? '';
    expect(made.stderr).toContain('shown this once');
    expect(made.stderr).not.toContain(fullKey.slice(-49));
    const self = await keyreeveJson<object>(['keys', 'self'], { env: { KEYREEVE_API_KEY: fullKey } });
    expect(self).toMatchObject({
      key: { comment: 'CI', access: 'scoped', lifetimeDays: 365 },
      permissions: [{ actions: ['package:push'], resources: ['AzureRM.*'] }],
    });
  });

  it('is listed, edited, disabled, enabled and verified', async () => {
    const { key, fullKey } = await createScopedKey('life of a key');
    const { id } = key;
    const edited = await keyreeve([
      'keys',
      'edit',
      id,
      '--scope',
      'package:push=Contoso.*',
      '--comment',
      'renamed',
    ]);
    expect(edited).toMatchObject({ exitCode: 0, stderr: '' });
    const list = await keyreeve(['keys', 'list', '--account', 'ada@example.com', '--search', 'renamed']);
    expect(list.stdout.split('\n')).toHaveLength(3);
    expect(list.stdout).toContain('package:push=Contoso.*');

    expect(await verify(fullKey)).toMatchObject({ exitCode: 0 });
    const asked = ['verify', '--json', '--action', 'package:push', '--resource', 'AzureRM.X'];
    const denied = await keyreeve(asked, { input: fullKey });
    expect(denied.exitCode).toBe(1);
    expect(JSON.parse(denied.stdout)).toMatchObject({ valid: false, code: 'insufficient_scope' });

    expect(await keyreeve(['keys', 'disable', id, '--reason', 'holiday'])).toMatchObject({ exitCode: 0 });
    expect(JSON.parse((await verify(fullKey)).stdout)).toMatchObject({ code: 'disabled' });
    expect((await keyreeve(['keys', 'show', id])).stdout).toContain('disabled (holiday)');
    expect(await keyreeve(['keys', 'enable', id])).toMatchObject({ exitCode: 0 });
    expect(await verify(fullKey)).toMatchObject({ exitCode: 0 });
  });

  it('is regenerated with an overlap, which can be ended early', async () => {
    const { key, fullKey: old } = await createScopedKey('regenerated');
    const minted = await keyreeveJson<MintedKey>(['keys', 'regenerate', key.id, '--overlap-hours', '24']);
    expect(minted.fullKey).not.toBe(old);
    expect(await verify(old)).toMatchObject({ exitCode: 0 });
    expect(await keyreeve(['keys', 'end-overlap', key.id])).toMatchObject({ exitCode: 0 });
    expect(await verify(old)).toMatchObject({ exitCode: 1 });
    expect(await verify(minted.fullKey)).toMatchObject({ exitCode: 0 });
  });

  it('is deleted, revoked or regenerated only after a yes', async () => {
    const { key, fullKey } = await createScopedKey('precious');
    const env = { KEYREEVE_API_KEY: fullKey };
    for (const result of [
      await keyreeve(['keys', 'delete', key.id]),
      await keyreeve(['keys', 'regenerate', key.id]),
      await keyreeve(['keys', 'revoke-self'], { env }),
    ]) {
      expect(result).toMatchObject({ exitCode: 2, stdout: '' });
      expect(result.stderr).toContain('--yes');
    }
    expect(await verify(fullKey)).toMatchObject({ exitCode: 0 });
    expect(await keyreeve(['keys', 'revoke-self', '--yes'], { env })).toMatchObject({ exitCode: 0 });
    expect(await verify(fullKey)).toMatchObject({ exitCode: 1 });
    expect(await keyreeve(['keys', 'delete', key.id, '--yes'])).toMatchObject({ exitCode: 0 });
    expect(await keyreeve(['keys', 'show', key.id])).toMatchObject({ exitCode: 1 });
  });

  it('is listed whole with --all, in pages as JSON', async () => {
    for (let index = 0; index < 3; index += 1) await createScopedKey(`page ${index}`);
    interface Page {
      readonly items: readonly { readonly id: string }[];
      readonly nextCursor: string | null;
    }
    const first = await keyreeveJson<Page>(['keys', 'list', '--search', 'page', '--limit', '2']);
    expect(first.items).toHaveLength(2);
    const cursor = ['--cursor', first.nextCursor ?? ''];
    const second = await keyreeveJson<Page>(['keys', 'list', '--search', 'page', '--limit', '2', ...cursor]);
    const all = await keyreeveJson<Page>(['keys', 'list', '--search', 'page', '--all']);
    expect(all).toEqual({ items: [...first.items, ...second.items], nextCursor: null });
  });
});

describe('accounts', () => {
  it('of people are created with a password from stdin, found by e-mail, edited, disabled and deleted', async () => {
    const words = [
      'users',
      'create',
      '--email',
      'hanako@example.com',
      '--name',
      '山田花子',
      '--locale',
      'ja',
    ];
    const made = await keyreeve([...words, '--password-stdin'], { input: PASSWORD });
    expect(made).toMatchObject({ exitCode: 0, stderr: '' });
    expect(made.stdout).not.toContain(PASSWORD);
    const edited = await keyreeve([
      'users',
      'edit',
      'HANAKO@example.com',
      '--role',
      'admin',
      '--tag',
      'tokyo',
    ]);
    expect(edited.stdout).toMatch(/Role +admin/);
    const disabled = await keyreeveJson(['users', 'disable', 'hanako@example.com', '--reason', 'leave']);
    expect(disabled).toMatchObject({
      state: 'disabled',
      disabledReason: 'leave',
      displayName: '山田花子',
      tags: ['tokyo'],
    });
    expect(await keyreeveJson(['users', 'enable', 'hanako@example.com'])).toMatchObject({ state: 'active' });
    expect(await keyreeve(['users', 'delete', 'hanako@example.com', '--yes'])).toMatchObject({ exitCode: 0 });
    const gone = await keyreeve(['users', 'show', 'hanako@example.com']);
    expect(gone).toMatchObject({ exitCode: 1, stdout: '' });
    expect(gone.stderr).toContain('cli.no_account');
  });

  it('of services have managers and grants, and keys that act for them', async () => {
    const words = [
      'service-accounts',
      'create',
      'team-azure',
      '--name',
      'Team Azure',
      '--manager',
      'ada@example.com',
    ];
    const made = await keyreeveJson(words);
    expect(made).toMatchObject({ technicalName: 'team-azure', managers: [admin.id] });
    const grant = ['--grant', 'package:push,package:unlist=AzureRM.*'];
    const edited = await keyreeveJson([
      'service-accounts',
      'edit',
      'team-azure',
      ...grant,
      '--description',
      'CI',
    ]);
    expect(edited).toMatchObject({
      description: 'CI',
      grants: [{ actions: ['package:push', 'package:unlist'], resources: ['AzureRM.*'] }],
    });
    const key = await keyreeve(['keys', 'create', 'team-azure', '--comment', 'CI', '--access', 'account']);
    expect(key).toMatchObject({ exitCode: 0 });
    expect((await keyreeve(['service-accounts', 'list', '--search', 'azure'])).stdout).toContain(
      'team-azure',
    );
    expect(await keyreeveJson(['service-accounts', 'edit', 'team-azure', '--no-managers'])).toMatchObject({
      managers: [],
    });
    expect(await keyreeve(['service-accounts', 'delete', 'team-azure', '--yes'])).toMatchObject({
      exitCode: 0,
    });
  });
});

describe('the workspace', () => {
  it('has settings that are shown and changed', async () => {
    const words = ['settings', 'set', 'expiryNoticeDays=[30,10]', 'supportEmail=help@example.com'];
    expect(await keyreeveJson(words)).toMatchObject({
      expiryNoticeDays: [30, 10],
      supportEmail: 'help@example.com',
    });
    expect((await keyreeve(['settings', 'show'])).stdout).toMatch(/expiryNoticeDays +\[30,10\]\n/);
    const refused = await keyreeve(['settings', 'set', 'colour=red']);
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' });
    expect(refused.stderr).toContain('colour');
  });

  it('has an audit log', async () => {
    const log = await keyreeve(['audit', '--action', 'settings.changed', '--since', '2027-01-01']);
    expect(log).toMatchObject({ exitCode: 0, stderr: '' });
    expect(log.stdout).toMatch(/^WHEN +ACTION/);
  });

  it('stands beside others, each new one with its set-up code', async () => {
    const made = await keyreeve(['workspaces', 'create', '--name', 'Tokyo', '--subdomain', 'tokyo']);
    expect(made.exitCode).toBe(0);
    expect(made.stdout).toMatch(/Set-up code +\S+/);
    expect((await keyreeve(['workspaces', 'list'])).stdout).toContain('Tokyo');
  });

  it('has a gallery', async () => {
    expect(await keyreeveJson(['packages', 'list'])).toEqual({ items: [], nextCursor: null });
  });
});

describe('an import', () => {
  const write = (name: string, text: string): string => {
    const file = path.join(folder, name);
    writeFileSync(file, text);
    return file;
  };

  it('of faulty rows names each line and stores nothing', async () => {
    const file = write(
      'faulty.csv',
      'account,comment,access,expiresAt,credential\nada@example.com,good,full,,alpha-1\nnobody@example.com,x,full,,alpha-2\nada@example.com,late,account,2020-01-01T00:00:00Z,alpha-3\n',
    );
    const refused = await keyreeve(['import-keys', file]);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain(`${file}:3: account is not an account`);
    expect(refused.stderr).toContain(`${file}:4: expiresAt is in the past`);
    expect(refused.stdout).toBe(`${file}: 2 rows of 3 faulty; nothing was imported.\n`);
    expect(await verify('alpha-1')).toMatchObject({ exitCode: 1 });
  });

  it('brings foreign keys that work at once, and goes on where it broke off', async () => {
    const rows = Array.from(
      { length: 250 },
      (_, row) => `ada@example.com,old key ${row},full,,foreign-${row}`,
    );
    const header = 'account,comment,access,expiresAt,credential';
    const part = write('part.csv', [header, ...rows.slice(0, 40)].join('\n'));
    const whole = write('whole.csv', [header, ...rows].join('\n'));

    expect(await keyreeveJson(['import-keys', part, '--dry-run'])).toMatchObject({ rows: 40, imported: 0 });
    expect(await verify('foreign-0')).toMatchObject({ exitCode: 1 });
    expect(await keyreeve(['import-keys', part])).toMatchObject({
      exitCode: 0,
      stdout: `${part}: 40 rows imported.\n`,
    });
    expect(await verify('foreign-0')).toMatchObject({ exitCode: 0 });

    const refused = await keyreeve(['import-keys', whole]);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain('--skip-imported');
    const report = await keyreeveJson<{ keys: object[] }>(['import-keys', whole, '--skip-imported']);
    expect(report).toMatchObject({ rows: 250, imported: 210, skipped: 40, batchesDone: 2, stopped: null });
    expect(report.keys).toHaveLength(210);
    expect(report.keys[0]).toMatchObject({ line: 42 });
    expect(await verify('foreign-249')).toMatchObject({ exitCode: 0 });
  });

  it('takes scoped keys as JSON Lines', async () => {
    const scopes = [{ actions: ['package:push'], resources: ['AzureRM.*'] }];
    const row = {
      account: admin.id,
      comment: 'scoped',
      access: 'scoped',
      expiresAt: '2028-01-01T00:00:00Z',
      scopes,
    };
    const file = write('keys.jsonl', JSON.stringify({ ...row, credential: 'scoped-1' }));
    expect(await keyreeve(['import-keys', file])).toMatchObject({ exitCode: 0 });
    const answer = await keyreeve(
      ['verify', '--json', '--action', 'package:push', '--resource', 'AzureRM.X'],
      {
        input: 'scoped-1',
      },
    );
    expect(JSON.parse(answer.stdout)).toMatchObject({ valid: true, access: 'scoped' });
  });
});

describe('what goes wrong', () => {
  it('is told with code, remedy and request on stderr, exit code 1', async () => {
    const refused = await keyreeve(['keys', 'show', 'kr_0000000000000000']);
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' });
    expect(refused.stderr).toMatch(/^keyreeve: \w+\.\w+: .+\n[^]* {2}Request: \S+\n$/);
  });

  it('is told as JSON to scripts', async () => {
    const refused = await keyreeve(['keys', 'show', 'kr_0000000000000000', '--json']);
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' });
    expect(JSON.parse(refused.stderr)).toMatchObject({
      error: { status: 404, code: expect.any(String) as string },
    });
  });
});
