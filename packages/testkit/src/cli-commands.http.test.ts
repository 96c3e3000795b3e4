import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runProgram } from '../../cli/src/program.ts';
import { type Gallery, seedGallery } from './gallery.ts';
import { type Harness, misspell, startHarness } from './index.ts';

const PASSWORD = 'quartz-lantern-63-otters-drift';

let harness: Harness;
let gallery: Gallery;
let url: string;
let folder: string;

beforeAll(async () => {
  harness = await startHarness();
  url = await harness.app.listen({ port: 0, host: '127.0.0.1' });
  gallery = await seedGallery(harness);
  folder = mkdtempSync(path.join(tmpdir(), 'keyreeve-commands-'));
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await harness.close();
});

interface RunOptions {
  readonly input?: string;
  /** Null: the session. */
  readonly key?: string | null;
}

/** Runs the program in this process, which is many times faster than a process for each command. */
function start(words: readonly string[], { input = '', key = gallery.adminKey }: RunOptions = {}) {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const interruption = new AbortController();
  stdin.end(input);
  const world = {
    env: {
      PATH: process.env['PATH'],
      KEYREEVE_URL: url,
      XDG_CONFIG_HOME: folder,
      ...(key === null ? {} : { KEYREEVE_API_KEY: key }),
    },
    homeDir: folder,
    stdin,
    stdout,
    stderr,
    interruption: interruption.signal,
  };
  return { stdout, stderr, interruption, ended: runProgram(world, words) };
}

async function keyreeve(words: readonly string[], options?: RunOptions) {
  const { stdout, stderr, ended } = start(words, options);
  const exitCode = await ended;
  return { exitCode, stdout: String(stdout.read() ?? ''), stderr: String(stderr.read() ?? '') };
}

async function keyreeveJson<T>(words: readonly string[], options?: RunOptions): Promise<T> {
  const result = await keyreeve([...words, '--json'], options);
  expect(result).toMatchObject({ exitCode: 0, stderr: '' });
  return JSON.parse(result.stdout) as T;
}

describe('accounts', () => {
  type Page = { readonly items: readonly { readonly id: string }[]; readonly nextCursor: string | null };

  it('of both kinds are listed together, page by page as well', async () => {
    const { items } = await keyreeveJson<Page>(['accounts', 'list', '--all']);
    const ids = [gallery.admin, gallery.member, gallery.stranger, gallery.robot].map(({ id }) => id);
    expect(items.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
    expect(items.at(-1)?.id).toBe(gallery.robot.id);
    for (const limit of ['1', '3']) {
      const read: string[] = [];
      for (let cursor: string | null = ''; cursor !== null; ) {
        const more: readonly string[] = cursor === '' ? [] : ['--cursor', cursor];
        const page: Page = await keyreeveJson<Page>(['accounts', 'list', '--limit', limit, ...more]);
        read.push(...page.items.map(({ id }) => id));
        cursor = page.nextCursor;
      }
      expect(read).toEqual(items.map(({ id }) => id));
    }
    const services = await keyreeveJson<Page>(['accounts', 'list', '--kind', 'service']);
    expect(services.items.map(({ id }) => id)).toEqual([gallery.robot.id]);
  });

  it('stand in columns, Japanese names too, and are shown by id, e-mail and technical name', async () => {
    const { stdout } = await keyreeve(['accounts', 'list', '--kind', 'user']);
    const line = stdout.split('\n').find((one) => one.includes('芽衣')) ?? '';
    const other = stdout.split('\n').find((one) => one.includes('sam@example.com')) ?? '';
    expect(line.indexOf('active') + 2).toBe(other.indexOf('active'));
    for (const reference of ['build-robot', gallery.robot.id])
      expect(await keyreeveJson(['accounts', 'show', reference])).toMatchObject({
        technicalName: 'build-robot',
      });
    for (const reference of ['mei@example.com', gallery.member.id])
      expect(await keyreeveJson(['accounts', 'show', reference])).toMatchObject({ email: 'mei@example.com' });
    expect((await keyreeve(['accounts', 'show', 'acc_none'])).exitCode).toBe(1);
  });
});

describe('a key', () => {
  it('is verified by `keys verify` as by `verify`', async () => {
    const good = await keyreeve(['keys', 'verify', '--json'], { input: gallery.keys.push });
    expect(JSON.parse(good.stdout)).toMatchObject({ valid: true });
    expect((await keyreeve(['keys', 'verify'], { input: misspell(gallery.keys.push) })).exitCode).toBe(1);
  });
});

describe('scan', () => {
  it('tells which of the keys that it finds are live, whose they are, and which are not', async () => {
    const place = mkdtempSync(path.join(folder, 'scan-'));
    const dead = await gallery.makeKey(gallery.memberCaller, gallery.member, { actions: ['package:push'] });
    await keyreeveJson(['keys', 'disable', dead.slice(0, 19)]);
    const gone = await gallery.makeKey(gallery.memberCaller, gallery.member, { actions: ['package:push'] });
    await keyreeveJson(['keys', 'delete', gone.slice(0, 19), '--yes']);
    const live = gallery.keys.push;
    writeFileSync(
      path.join(place, 'a.env'),
      `ID=${live.slice(0, 19)}\nSECRET=${live.slice(20)}\n${dead} ${gone}\n`,
    );
    const result = await keyreeve(['scan', place, '--json', '--fail-on', 'live']);
    expect(result.exitCode).toBe(1);
    const { findings } = JSON.parse(result.stdout) as {
      findings: readonly { apiKey: string; state: string; account: string | null }[];
    };
    const states = new Map(findings.map(({ apiKey, state, account }) => [apiKey, [state, account]]));
    expect(states.get(live.slice(0, 19))).toEqual(['live', 'mei@example.com']);
    expect(states.get(dead.slice(0, 19))).toEqual(['disabled', 'mei@example.com']);
    expect(states.get(gone.slice(0, 19))).toEqual(['unknown', null]);
  });

  it('tells what it found also when its own key may not ask', async () => {
    const place = mkdtempSync(path.join(folder, 'scan-'));
    writeFileSync(path.join(place, 'a'), gallery.keys.push);
    const result = await keyreeve(['scan', place], { key: gallery.keys.unlist });
    expect(result).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('not asked') });
    expect(result.stderr).toContain('auth.');
  });
});

describe('the audit log', () => {
  it('is exported whole, as CSV and as one entry a line', async () => {
    const csv = await keyreeve(['audit', '--export', 'csv']);
    expect(csv).toMatchObject({ exitCode: 0, stderr: '' });
    const jsonl = await keyreeve(['audit', '--export', 'jsonl', '--action', 'key.created']);
    const entries = jsonl.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { action: string });
    expect(entries.length).toBeGreaterThan(3);
    expect(new Set(entries.map(({ action }) => action))).toEqual(new Set(['key.created']));
    expect(csv.stdout.match(/key\.created/g)).toHaveLength(entries.length);
  });

  it('is followed: what comes is shown once, oldest first, and nothing older', async () => {
    const { stdout, interruption, ended } = start(['audit', '--follow', '--json', '--action', 'settings.']);
    const lines: string[] = [];
    stdout.on('data', (chunk: Buffer) => lines.push(...chunk.toString().trim().split('\n')));
    await new Promise((resolve) => setTimeout(resolve, 200));
    await keyreeveJson(['settings', 'set', 'supportEmail=a@example.com']);
    await keyreeveJson(['settings', 'set', 'supportEmail=b@example.com']);
    await expect.poll(() => lines.length, { timeout: 8_000 }).toBe(2);
    interruption.abort();
    expect(await ended).toBe(0);
    const [first, second] = lines.map((line) => JSON.parse(line) as { seq: number });
    expect(first?.seq).toBeLessThan(second?.seq ?? 0);
  });
});

describe('a package', () => {
  it('is shown, unlisted and relisted with a key', async () => {
    expect((await gallery.publish(gallery.keys.push, 'Acme.Tools')).statusCode).toBe(201);
    const shown = await keyreeve(['packages', 'show', 'acme.tools']);
    expect(shown.stdout).toMatch(/Owners +芽衣 \(acc_/);
    const key = gallery.keys.unlist;
    await keyreeveJson(['packages', 'unlist', 'Acme.Tools', '1.0.0'], { key });
    expect((await keyreeve(['packages', 'show', 'acme.tools'])).stdout).toMatch(/1\.0\.0 +unlisted/);
    await keyreeveJson(['packages', 'relist', 'Acme.Tools', '1.0.0'], { key });
    expect((await keyreeve(['packages', 'show', 'acme.tools'])).stdout).toMatch(/1\.0\.0 +listed/);
    const refused = await keyreeve(['packages', 'unlist', 'Acme.Tools', '1.0.0'], { key: gallery.keys.push });
    expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('cli.not_permitted') });
    const missing = await keyreeve(['packages', 'unlist', 'Acme.Tools', '9.0.0'], { key });
    expect(missing.exitCode).toBe(1);
  });

  it('is deprecated, and changes hands, with a session', async () => {
    const pia = ['--email', 'pia@example.com', '--password-stdin'];
    await keyreeveJson(['users', 'create', ...pia, '--name', 'Pia', '--role', 'admin'], { input: PASSWORD });
    const signedIn = await keyreeve(['login', ...pia], { input: PASSWORD, key: null });
    expect(signedIn).toMatchObject({ exitCode: 0 });
    const withSession = { key: null };
    await keyreeveJson(
      ['packages', 'deprecate', 'acme.tools', '1.0.0', '--reason', 'legacy', '--message', 'old'],
      withSession,
    );
    expect((await keyreeve(['packages', 'show', 'acme.tools'])).stdout).toContain('deprecated');
    await keyreeveJson(['packages', 'deprecate', 'acme.tools', '1.0.0', '--undo'], withSession);
    const added = ['packages', 'owners', 'add', 'acme.tools', 'build-robot'];
    expect(await keyreeveJson(added, withSession)).toMatchObject({ state: 'done' });
    await keyreeveJson(
      ['packages', 'owners', 'remove', 'acme.tools', 'mei@example.com', '--yes'],
      withSession,
    );
    expect((await keyreeve(['packages', 'show', 'acme.tools'])).stdout).toMatch(/Owners +Build robot/);
    const handed = [
      'packages',
      'owners',
      'transfer',
      'acme.tools',
      'mei@example.com',
      '--from',
      'build-robot',
      '--yes',
    ];
    expect(await keyreeveJson(handed, withSession)).toMatchObject({ state: 'done' });
    await keyreeveJson(['packages', 'unlist', 'acme.tools', '1.0.0'], withSession);
    expect((await keyreeve(['packages', 'show', 'acme.tools'])).stdout).toMatch(/1\.0\.0 +unlisted/);
    await keyreeve(['logout'], withSession);
  });
});

describe('signing keys', () => {
  it('are listed, rotated, and retired at once after a question', async () => {
    await keyreeve(['tokens', 'get']);
    const { items } = await keyreeveJson<{ items: { kid: string; state: string }[] }>([
      'signing-keys',
      'list',
    ]);
    expect(items.map(({ state }) => state)).toEqual(['signing']);
    const kid = items[0]?.kid ?? '';
    const rotated = await keyreeve(['signing-keys', 'rotate']);
    expect(rotated).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/is published\. It signs from /),
    });
    expect((await keyreeve(['signing-keys', 'retire', kid], { input: 'n\n' })).exitCode).not.toBe(0);
    const retired = await keyreeve(['--yes', 'signing-keys', 'retire', kid]);
    expect(retired.stdout).toMatch(new RegExp(`^${kid} is retired\\. [\\w-]{43} signs now\\.\n$`));
    const again = await keyreeve(['--yes', 'signing-keys', 'retire', kid]);
    expect(again).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('signing_key.already_retired'),
    });
  });

  it('are retired under an id that begins with a hyphen, as the help says', async () => {
    const kid = `-${'A'.repeat(42)}`;
    const refused = await keyreeve(['--yes', 'signing-keys', 'retire', kid]);
    expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('See --help.') });
    const { stdout } = await keyreeve(['signing-keys', 'retire', '--help']);
    expect(stdout).toContain('Before an id that begins with a hyphen, write --.');
    expect(await keyreeve(['--yes', 'signing-keys', 'retire', '--', kid])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('request.not_found'),
    });
  });
});

describe('a token', () => {
  it('is got for the key, alone on stdout, introspected and revoked', async () => {
    const got = await keyreeve(['tokens', 'get', '--scope', 'package:push']);
    expect(got).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^eyJ\S+\n$/) });
    const about = await keyreeve(['tokens', 'introspect'], { input: got.stdout });
    expect(about).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/Active +yes\nAccount +ada@example.com/),
    });
    expect(await keyreeveJson(['tokens', 'revoke'], { input: got.stdout })).toEqual({ revoked: true });
    expect(await keyreeve(['tokens', 'introspect'], { input: got.stdout })).toMatchObject({ exitCode: 1 });
  });

  it('is refused with the code of OAuth', async () => {
    const refused = await keyreeve(['tokens', 'get', '--scope', 'no such', '--json']);
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' });
    expect(JSON.parse(refused.stderr)).toMatchObject({ error: { code: 'cli.oauth_invalid_scope' } });
    expect((await keyreeve(['tokens', 'get'], { key: null })).exitCode).toBe(2);
    const other = await keyreeve(['tokens', 'get'], { key: misspell(gallery.keys.push) });
    expect(other).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('cli.oauth_invalid_client') });
  });
});
