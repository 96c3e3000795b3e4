import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runProgram } from './program.ts';

const SECRET = 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG0z0dhD';
const FULL_KEY = `kr_0123456789ABCDEF_${SECRET}`;
// Nothing listens here: the discard port is refused before a connection is tried.
const NOWHERE = 'http://127.0.0.1:9';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'keyreeve-cli-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function keyreeve(words: readonly string[], env: Record<string, string> = {}, input = '') {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  stdin.end(input);
  const world = {
    env: { KEYREEVE_URL: NOWHERE, XDG_CONFIG_HOME: folder, ...env },
    homeDir: folder,
    stdin,
    stdout,
    stderr,
    interruption: new AbortController().signal,
  };
  const exitCode = await runProgram(world, words);
  return { exitCode, stdout: String(stdout.read() ?? ''), stderr: String(stderr.read() ?? '') };
}

/** A server that answers every request in one way, for as long as `use` runs. */
async function withServer(
  headers: Record<string, string>,
  body: object,
  use: (url: string) => Promise<void>,
): Promise<void> {
  const server = createServer((_request, response) => {
    response
      .writeHead(200, { 'content-type': 'application/json', connection: 'close', ...headers })
      .end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.close();
  }
}

const SIGNED_IN = {
  account: { id: 'acc_1', displayName: 'Ada', email: 'ada@example.com', role: 'admin' },
  workspace: { name: 'Main' },
  session: { expiresAt: '2027-03-01T00:00:00Z' },
};

describe('usage', () => {
  it.each([
    [['frobnicate']],
    [['keys']],
    [['keys', 'create']],
    [['keys', 'create', 'ada@example.com', '--comment', 'x']],
    [['keys', 'create', 'ada@example.com', '--comment', 'x', '--scope', 'package:push=']],
    [['keys', 'list', '--limit', '0']],
    [['keys', 'list', '--limit', '201']],
    [['keys', 'list', '--status', 'lost']],
    [['keys', 'list', '--all', '--cursor', 'x']],
    [['keys', 'edit', 'kr_x']],
    [['keys', 'edit', 'kr_x', '--ip', '::1', '--any-ip']],
    [['keys', 'regenerate', 'kr_x', '--overlap-hours', '169']],
    [['keys', 'delete']],
    [['users', 'edit', 'acc_1']],
    [['service-accounts', 'edit', 'acc_1', '--manager', 'acc_2', '--no-managers']],
    [['settings', 'set', 'colour']],
    [['audit', '--since', 'yesterday']],
    [['import-keys', '/']],
    [['users', 'list', '--url', 'ftp://x']],
    [['login']],
    [['verify']],
    [['keys', 'show', FULL_KEY]],
  ])('%j is wrong, exit code 2, nothing on stdout', async (words) => {
    const refused = await keyreeve(words, { KEYREEVE_API_KEY: FULL_KEY });
    expect(refused).toMatchObject({ exitCode: 2, stdout: '' });
    expect(refused.stderr).not.toBe('');
  });

  it('is explained by --help, exit code 0', async () => {
    const help = await keyreeve(['--help']);
    expect(help).toMatchObject({ exitCode: 0, stderr: '' });
    for (const text of ['import-keys', 'KEYREEVE_API_KEY', 'Exit codes']) expect(help.stdout).toContain(text);
  });
});

describe('an error', () => {
  it('without a connection ends with 3 and names what to check', async () => {
    const refused = await keyreeve(['keys', 'list'], { KEYREEVE_API_KEY: FULL_KEY });
    expect(refused).toMatchObject({ exitCode: 3, stdout: '' });
    expect(refused.stderr).toContain('KEYREEVE_URL');
  });

  it('is one JSON document for scripts', async () => {
    const refused = await keyreeve(['keys', 'list', '--json'], { KEYREEVE_API_KEY: FULL_KEY });
    expect(JSON.parse(refused.stderr)).toMatchObject({ error: { code: 'client.unreachable' } });
  });

  it.each([
    ['with a blank', ['whoami'], { KEYREEVE_API_KEY: `${FULL_KEY.slice(0, 30)} ${SECRET}` }],
    ['as an unknown option', ['whoami', `--key=${SECRET}`], {}],
    ['as a surplus argument', ['verify', SECRET], {}],
    ['in the place of an API key', ['keys', 'show', FULL_KEY], { KEYREEVE_API_KEY: FULL_KEY }],
    ['in the address', ['whoami', '--url', `http://x:${SECRET}@127.0.0.1`], {}],
    ['with nobody to send it to', ['whoami'], { KEYREEVE_API_KEY: FULL_KEY }],
  ])('repeats no secret that was given %s', async (_name, words, env) => {
    const { exitCode, stdout, stderr } = await keyreeve(words, env);
    expect(exitCode).not.toBe(0);
    expect(stdout + stderr).not.toContain(SECRET.slice(0, 20));
  });
});

describe('a session', () => {
  const file = () => path.join(folder, 'keyreeve/session.json');
  const login = (url: string) =>
    keyreeve(['login', '--email', 'ada@example.com', '--password-stdin', '--url', url], {}, 'x');

  it('is kept for its owner only, and for no other server than its own', async () => {
    await withServer(
      { 'set-cookie': 'keyreeve_session=opaque; Path=/; HttpOnly' },
      SIGNED_IN,
      async (url) => {
        expect(await login(`${url}/`)).toMatchObject({ exitCode: 0, stderr: '' });
        expect(statSync(file()).mode & 0o777).toBe(0o600);
        expect(JSON.parse(readFileSync(file(), 'utf8'))).toEqual({
          sessions: { [url]: { cookie: 'keyreeve_session=opaque', login: 'ada@example.com' } },
        });
        expect(await keyreeve(['whoami'], { KEYREEVE_URL: url })).toMatchObject({ exitCode: 0, stderr: '' });
      },
    );
    expect((await keyreeve(['whoami'])).stderr).toContain('cli.not_signed_in');
  });

  it('is no session without a cookie', async () => {
    await withServer({ 'set-cookie': 'other=1' }, SIGNED_IN, async (url) => {
      expect((await login(url)).stderr).toContain('cli.no_session');
    });
  });

  it('is forgotten at logout even when the server is away', async () => {
    mkdirSync(path.dirname(file()), { recursive: true });
    const sessions = { [NOWHERE]: { cookie: 'keyreeve_session=opaque', login: 'ada@example.com' } };
    writeFileSync(file(), JSON.stringify({ sessions }), { mode: 0o600 });
    const out = await keyreeve(['logout']);
    expect(out.exitCode).toBe(0);
    expect(out.stderr).toContain('could not end it');
    expect(readFileSync(file(), 'utf8')).not.toContain('opaque');
  });

  it.each([
    ['that others can read', '{"sessions":{}}', 0o644, 'chmod 600'],
    ['that is damaged', '{', 0o600, 'damaged'],
  ])('file %s is refused', async (_name, text, mode, remedy) => {
    mkdirSync(path.dirname(file()), { recursive: true });
    writeFileSync(file(), text);
    chmodSync(file(), mode);
    const refused = await keyreeve(['whoami']);
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' });
    expect(refused.stderr).toContain(remedy);
  });
});

describe('an address without TLS', () => {
  it('of another machine is warned about, one of this machine is not', async () => {
    const remote = await keyreeve(['logout', '--url', 'http://keys.invalid']);
    expect(remote.stderr).toBe('');
    const env = { KEYREEVE_API_KEY: FULL_KEY };
    expect((await keyreeve(['whoami', '--url', 'http://keys.invalid:9'], env)).stderr).toContain('not https');
    expect((await keyreeve(['whoami'], env)).stderr).not.toContain('not https');
  });
});
