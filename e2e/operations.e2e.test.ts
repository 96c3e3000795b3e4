import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClient, paginate } from '../packages/sdk/src/index.ts';
import { buildNupkg } from '../packages/testkit/src/nupkg-builder.ts';
import { mintKey, type Person, signIn } from './console.ts';
import { openPage } from './docs/doc-page.ts';
import { openShell } from './docs/shell.ts';
import { BARE_ENVIRONMENT, run, show } from './run.ts';
import { freePort, openWorkplace, type ServerProcess, sleep, WITH_ADMIN } from './server-process.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const CLI = path.join(ROOT, 'packages/cli/src/bin.ts');
const MAIN = path.join(ROOT, 'packages/server/src/start.mjs');
const WRITERS = 3;
const LOAD_MS = 300;
const KEYS_MAX = 900;
const BLOCKS_OF_512_BYTES = 8;

const place = openWorkplace();
let server: ServerProcess;
let admin: Person;
let environment: Record<string, string>;
afterAll(() => place.close());
beforeAll(async () => {
  server = await place.start({ env: WITH_ADMIN });
  admin = await signIn(server.url);
  const { response } = await admin.api.GET('/v1/settings');
  const headers = { 'If-Match': response.headers.get('etag') ?? '' };
  await admin.api.PATCH('/v1/settings', { headers, body: { maxKeysPerAccount: 1_000 } });
  environment = { KEYREEVE_DATA_DIR: server.dataDir, KEYREEVE_PORT: String(server.port) };
  mkdirSync(path.join(place.folder, 'kept'));
  copyFileSync(path.join(server.dataDir, 'master.key'), path.join(place.folder, 'kept/master.key'));
  const key = await mint('push');
  const pushed = await fetch(`${server.url}/api/v2/package`, {
    method: 'PUT',
    headers: { 'x-nuget-apikey': key.fullKey },
    body: Buffer.from(buildNupkg({ id: 'Acme.Kept', version: '1.0.0' })),
  });
  expect(pushed.status).toBe(201);
});

const mint = (comment: string) => mintKey(admin, admin.accountId, { comment, access: 'account' });

/** The entry of the server, which the command line starts; the pages below go the whole way. */
async function keyreeve(words: readonly string[], env: Readonly<Record<string, string>> = environment) {
  return await run(process.execPath, [MAIN, ...words], { cwd: place.folder, env });
}

/** The same under a limit on the size of files, as if the disk were full. */
async function keyreeveOnFullDisk(
  words: readonly string[],
  env: Readonly<Record<string, string>> = environment,
) {
  const command = `ulimit -f ${BLOCKS_OF_512_BYTES}; exec "$@"`;
  return await run('/bin/bash', ['-c', command, 'bash', process.execPath, MAIN, ...words], {
    cwd: place.folder,
    env,
  });
}

/** An empty data folder with the master key in it. */
function prepareFolder(name: string): string {
  const folder = path.join(place.folder, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { mode: 0o700 });
  copyFileSync(path.join(place.folder, 'kept/master.key'), path.join(folder, 'master.key'));
  return folder;
}

/** Starts a command and kills it, and all that it has started, after a while. */
async function kill(
  words: readonly string[],
  afterMs: number,
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const child = spawn(process.execPath, [MAIN, ...words], {
    cwd: place.folder,
    env: { ...BARE_ENVIRONMENT, ...env },
    stdio: 'ignore',
  });
  const ended = once(child, 'exit');
  const timer = setTimeout(() => child.kill('SIGKILL'), afterMs);
  await ended;
  clearTimeout(timer);
}

describe('keyreeve backup and restore', () => {
  it('keeps every key that was acknowledged before it, under load, and each with its audit row', async () => {
    const acknowledged: string[] = [];
    const secrets = new Map<string, string>();
    const load = { isOver: false };
    const write = async () => {
      while (!load.isOver && acknowledged.length < KEYS_MAX) {
        const key = await mint('under load');
        acknowledged.push(key.apiKey);
        secrets.set(key.apiKey, key.fullKey);
      }
    };
    const writers = Array.from({ length: WRITERS }, write);
    await sleep(LOAD_MS);
    const before = [...acknowledged];
    const backup = await keyreeve(['backup', 'load.backup', '--json']);
    const during = acknowledged.length - before.length;
    load.isOver = true;
    await Promise.all(writers);
    show(`${before.length} keys before, ${during} more while it ran`, backup);
    expect(backup.code, backup.output).toBe(0);
    expect(JSON.parse(backup.stdout)).toMatchObject({ containsMasterKey: false, missing: [], packages: 1 });
    expect(statSync(path.join(place.folder, 'load.backup')).mode & 0o777).toBe(0o600);
    expect(during).toBeGreaterThan(0);

    const folder = prepareFolder('under-load');
    const env = { KEYREEVE_DATA_DIR: folder };
    const restored = await keyreeve(['restore', 'load.backup', '--json'], env);
    expect(restored.code, restored.output).toBe(0);
    const elsewhere = await place.start({ data: 'under-load' });
    const person = await signIn(elsewhere.url);
    const found = new Set<string>();
    const told = new Set<string>();
    const options = { limit: 200 };
    for await (const { id } of paginate((page) =>
      person.api.GET('/v1/keys', { params: { query: { ...options, ...page } } }),
    ))
      found.add(id);
    for await (const { target } of paginate((page) =>
      person.api.GET('/v1/audit', { params: { query: { ...options, action: 'key.created', ...page } } }),
    ))
      told.add(target.id);
    expect(before.filter((id) => !found.has(id))).toEqual([]);
    expect([...found].toSorted()).toEqual([...told].toSorted());
    const [first = ''] = before;
    const self = createClient({ baseUrl: elsewhere.url, credential: { fullKey: secrets.get(first) ?? '' } });
    expect((await self.GET('/v1/keys/self')).data.key.id).toBe(first);
    await elsewhere.stop();
  });

  it('says which key is missing, and writes nothing without it', async () => {
    expect((await keyreeve(['backup', 'mine.backup'])).code).toBe(0);
    const folder = path.join(place.folder, 'no-key');
    const refused = await keyreeve(['restore', 'mine.backup'], { KEYREEVE_DATA_DIR: folder });
    show('without the master key', refused);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('never contains the master key');
    expect(existsSync(folder)).toBe(false);
  });

  it('replaces no file, unless it is told to', async () => {
    const before = readFileSync(path.join(place.folder, 'mine.backup'));
    const refused = await keyreeve(['backup', 'mine.backup', '--json']);
    expect(refused.code).toBe(1);
    expect(JSON.parse(refused.stderr)).toMatchObject({ error: { code: 'backup.exists' } });
    expect(readFileSync(path.join(place.folder, 'mine.backup')).equals(before)).toBe(true);
    expect((await keyreeve(['backup', 'mine.backup', '--force'])).code).toBe(0);
  });

  it('leaves nothing half when it is killed', async () => {
    for (const afterMs of [450, 700]) {
      rmSync(path.join(place.folder, 'killed.backup'), { force: true });
      await kill(['backup', 'killed.backup'], afterMs, environment);
      const folder = prepareFolder('killed');
      const env = { KEYREEVE_DATA_DIR: folder };
      const isThere = existsSync(path.join(place.folder, 'killed.backup'));
      await kill(['restore', isThere ? 'killed.backup' : 'mine.backup'], afterMs + 200, env);
      if (existsSync(path.join(folder, 'keyreeve.db'))) continue;
      const again = await keyreeve(['restore', 'mine.backup'], env);
      expect(again.code, again.output).toBe(0);
    }
    expect((await keyreeve(['backup', 'killed.backup', '--force'])).code).toBe(0);
    expect(readdirSync(place.folder).filter((name) => name.endsWith('.part'))).toEqual([]);
    const folder = prepareFolder('killed');
    expect((await keyreeve(['restore', 'killed.backup'], { KEYREEVE_DATA_DIR: folder })).code).toBe(0);
    expect(readdirSync(folder)).not.toContain('restore.part');
  });

  it('leaves nothing when the disk is full', async () => {
    const backup = await keyreeveOnFullDisk(['backup', 'full.backup']);
    show('backup on a full disk', backup);
    expect(backup.code).toBe(1);
    expect(backup.stderr).toContain('There is no room for the backup');
    expect(readdirSync(place.folder).filter((name) => name.startsWith('full.backup'))).toEqual([]);
    const folder = prepareFolder('full');
    const restore = await keyreeveOnFullDisk(['restore', 'mine.backup'], { KEYREEVE_DATA_DIR: folder });
    show('restore on a full disk', restore);
    expect(restore.code).toBe(1);
    expect(readdirSync(folder).filter((name) => /keyreeve\.db|usage\.db|restore/.test(name))).toEqual([]);
  });
});

describe('keyreeve serve', () => {
  it('hands signals on, and ends as the server ends', async () => {
    const port = await freePort();
    const child = spawn(process.execPath, [CLI, 'serve'], {
      cwd: place.folder,
      env: {
        ...BARE_ENVIRONMENT,
        KEYREEVE_DATA_DIR: path.join(place.folder, 'served'),
        KEYREEVE_PORT: String(port),
      },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    while (!output.includes('Keyreeve listens on')) await sleep(20);
    child.kill('SIGTERM');
    const [code] = (await once(child, 'exit')) as [number | null];
    expect(code).toBe(0);
    await expect(fetch(`http://localhost:${port}/healthz`)).rejects.toThrow();
  });
});

describe('the pages for operators', () => {
  it('docs/operations/backup.md shows what happens', async () => {
    const page = openPage('docs/operations/backup.md');
    const shell = openShell(place.folder, environment);
    const backup = await shell.run(page.claim('sh', 'keyreeve backup').text);
    expect(withoutNumbers(backup.output)).toBe(withoutNumbers(page.claim('text').text));
    const restored = await shell.run(page.claim('sh', 'keyreeve restore').text, {
      KEYREEVE_PORT: String(await freePort()),
    });
    show('restore', restored);
    expect(restored.code, restored.output).toBe(0);
    expect(restored.stdout).toContain('0 faults, 0 warnings.');
    page.expectAllClaimed();
  });

  it('docs/operations/audit.md shows what happens', async () => {
    const page = openPage('docs/operations/audit.md');
    const scopes = [{ actions: ['iam:audit:read'], resources: ['*'] }];
    const body = { comment: 'audit', access: 'scoped', scopes } as const;
    const { fullKey } = await mintKey(admin, admin.accountId, body);
    const shell = openShell(place.folder, {
      ...environment,
      KEYREEVE_URL: server.url,
      KEYREEVE_API_KEY: fullKey,
    });
    // What one command prints differs from log to log: its id, the numbers, and the key.
    const withoutFacts = (text: string) =>
      withoutNumbers(text.replace(/wsp_\w+/g, '<workspace>').replace(/SHA256:\S+/g, '<fingerprint>'));
    const verified = await shell.run(page.claim('sh', 'keyreeve audit verify').text);
    expect(verified.code, verified.output).toBe(0);
    expect(withoutFacts(verified.stdout)).toBe(withoutFacts(page.claim('text').text));
    const exported = await shell.run(page.claim('sh', '--export chain').text);
    expect(exported.code, exported.output).toBe(0);
    page.expectAllClaimed();
  });

  it('docs/operations/doctor.md shows what it says of a healthy server, and names every code', async () => {
    const page = openPage('docs/operations/doctor.md');
    const told = await openShell(place.folder, environment).run(page.claim('sh').text);
    expect(told.code, told.output).toBe(0);
    expect(told.stdout.trim()).toBe(page.claim('text').text.trim());
    page.expectAllClaimed();

    const folder = path.join(ROOT, 'packages/server/src/commands');
    const files = ['doctor.ts', ...readdirSync(path.join(folder, 'doctor')).map((name) => `doctor/${name}`)];
    const source = files.map((name) => readFileSync(path.join(folder, name), 'utf8')).join('\n');
    const inSource = new Set([...source.matchAll(/'([a-z_]+\.[a-z_]+)'/g)].map(([, code]) => code));
    const text = readFileSync(path.join(ROOT, 'docs/operations/doctor.md'), 'utf8');
    const inPage = [...text.matchAll(/`([a-z_]+\.[a-z_]+)`/g)].map(([, code]) => code);
    expect(inPage.length).toBeGreaterThan(30);
    for (const code of inPage) expect(inSource).toContain(code);
    for (const code of inSource) if (AREAS.test(code ?? '')) expect(inPage).toContain(code);
  });
});

/** What stands before the dot of a code; tables and files have dots too. */
const AREAS =
  /^(config|data|master_key|disk|database|schema|sqlite|postgres|clock|blobs|mail|redis|port|public_url|tls|proxy|admin|signing_key|jobs|check)\./;

/** Sizes and places differ from run to run. */
function withoutNumbers(text: string): string {
  return text
    .trim()
    .replace(/^\S+\/keyreeve\.backup/m, '<file>')
    .replace(/\d+(\.\d+)? ?(k|M)?(B|bytes)?/g, '<number>');
}
