import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runProgram } from '../program.ts';
import { makeKey, type PlantedKey, randomText } from './planted-keys.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'keyreeve-scan-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function scan(words: readonly string[], env: Record<string, string> = {}, input: string | Buffer = '') {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  stdin.end(input);
  const world = {
    env: { PATH: process.env['PATH'], HOME: folder, XDG_CONFIG_HOME: folder, ...env },
    homeDir: folder,
    stdin,
    stdout,
    stderr,
    interruption: new AbortController().signal,
  };
  const exitCode = await runProgram(world, ['scan', ...words]);
  return { exitCode, stdout: String(stdout.read() ?? ''), stderr: String(stderr.read() ?? '') };
}

interface Report {
  readonly findings: readonly {
    readonly apiKey: string;
    readonly secretKey: string;
    readonly state: string;
    readonly account: string | null;
    readonly placeCount: number;
    readonly places: readonly {
      readonly kind: string;
      readonly path: string | null;
      readonly commit: string | null;
      readonly line: number;
    }[];
  }[];
  readonly skipped: readonly { readonly path: string; readonly reason: string }[];
  readonly notes: readonly string[];
  readonly isComplete: boolean;
}

async function scanJson(
  words: readonly string[],
  env?: Record<string, string>,
  input?: string | Buffer,
): Promise<Report> {
  const { stdout, stderr } = await scan([...words, '--json'], env, input);
  expect(stderr).toBe('');
  return JSON.parse(stdout) as Report;
}

function put(name: string, content: string | Buffer): string {
  const file = path.join(folder, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, content);
  return file;
}

function git(...words: readonly string[]): string {
  const identity = [
    '-c',
    'user.name=Ada',
    '-c',
    'user.email=ada@example.com',
    '-c',
    'init.defaultBranch=main',
  ];
  return execFileSync('git', ['-C', folder, ...identity, ...words], {
    encoding: 'utf8',
    stdio: 'pipe',
  }).trim();
}

function commitAll(message: string): string {
  git('add', '--all');
  git('commit', '--quiet', '--allow-empty', '--message', message);
  return git('rev-parse', 'HEAD');
}

/** Plants a key in each kind of place that a repository has; the work tree holds none of them at the end. */
function plantEverywhere() {
  const planted = new Map<string, PlantedKey>();
  const plant = (where: string) => {
    const key = makeKey();
    planted.set(where, key);
    return key;
  };
  const utf16 = (text: string) => Buffer.concat([Buffer.from([255, 254]), Buffer.from(text, 'utf16le')]);
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  git('init', '--quiet');
  put('deleted.env', `A=1\nKEY=${plant('a deleted file').fullKey}\n`);
  put(
    '名前 with blanks.bin',
    Buffer.concat([
      Buffer.from([0, 1, 2, 255]),
      Buffer.from(plant('a binary file').fullKey),
      Buffer.from([0]),
    ]),
  );
  put('profile.ps1', utf16(`# 鍵\r\n$Key = '${plant('a file of PowerShell').fullKey}'\r\n`));
  const [json, yaml, env] = [plant('JSON'), plant('YAML'), plant('a file of variables')];
  put(
    'a/config.json',
    JSON.stringify({ secretKey: json.secretKey, notes: 'x'.repeat(5_000), apiKey: json.apiKey }, null, 2),
  );
  put('a/values.yaml', `id: ${yaml.apiKey}\nother: ${randomText(49)}\nsecret: ${yaml.secretKey}\n`);
  put('a/.env', `ID=${env.apiKey}\n${'#\n'.repeat(4_000)}SECRET=${env.secretKey}\n`);
  const basic = plant('a Basic header');
  put('a/requests.http', `GET /\nAuthorization: Basic ${base64(`${basic.apiKey}:${basic.secretKey}`)}\n`);
  put('a/secret.yaml', `data:\n  key: ${base64(plant('a secret of Kubernetes').fullKey)}\n`);
  put(
    'a/link.txt',
    `https://x/?key=${encodeURIComponent(plant('an address').fullKey).replaceAll('_', '%5F')}`,
  );
  const first = commitAll('first');
  rmSync(path.join(folder, 'a'), { recursive: true });
  for (const name of ['deleted.env', '名前 with blanks.bin', 'profile.ps1']) rmSync(path.join(folder, name));
  commitAll('remove');
  put('amended.txt', plant('an amended commit').fullKey);
  commitAll('oops');
  rmSync(path.join(folder, 'amended.txt'));
  git('add', '--all');
  git('commit', '--quiet', '--amend', '--allow-empty', '--message', 'fine');
  commitAll(`message\n\nkey: ${plant('a message').fullKey}`);
  git('tag', '--annotate', 'v1', '--message', `release ${plant('a tag').fullKey}`);
  git('checkout', '--quiet', '-b', 'side');
  put('side.txt', plant('another branch').fullKey);
  commitAll('side');
  git('checkout', '--quiet', 'main');
  put('stashed.txt', plant('a stash').fullKey);
  git('stash', '--include-untracked', '--quiet');
  put('stashed.txt', plant('an older stash').fullKey);
  git('stash', '--include-untracked', '--quiet');
  git('notes', 'add', '--message', plant('a note').fullKey);
  put('staged.txt', plant('the index').fullKey);
  git('add', 'staged.txt');
  rmSync(path.join(folder, 'staged.txt'));
  return { planted, first };
}

describe('a repository', () => {
  it('shows every key that was ever in it, each once, with the first commit and line', async () => {
    const { planted, first } = plantEverywhere();
    const { findings, notes, skipped } = await scanJson([folder, '--git']);
    expect(skipped).toEqual([]);
    expect(findings.map(({ apiKey }) => apiKey).toSorted()).toEqual(
      [...planted.values()].map(({ apiKey }) => apiKey).toSorted(),
    );
    expect(findings.map(({ placeCount }) => placeCount)).toEqual(findings.map(() => 1));
    const placeOf = (where: string) =>
      findings.find(({ apiKey }) => apiKey === planted.get(where)?.apiKey)?.places[0];
    expect(placeOf('a deleted file')).toMatchObject({
      kind: 'blob',
      commit: first,
      path: 'deleted.env',
      line: 2,
      column: 5,
    });
    expect(placeOf('a binary file')).toMatchObject({ commit: first, path: '名前 with blanks.bin' });
    expect(placeOf('a file of PowerShell')).toMatchObject({ path: 'profile.ps1', line: 2, column: 9 });
    expect(placeOf('YAML')).toMatchObject({
      path: 'a/values.yaml',
      line: 3,
      apiKeyLine: 1,
      spelling: 'pair',
    });
    expect(placeOf('a message')).toMatchObject({ kind: 'commit', path: null });
    expect(placeOf('a tag')).toMatchObject({ kind: 'tag' });
    expect(placeOf('the index')).toMatchObject({ kind: 'blob', path: 'staged.txt', commit: null });
    expect(notes).toEqual([expect.stringContaining('no credential')]);
  });

  it('shows what nothing leads to only when asked', async () => {
    git('init', '--quiet');
    commitAll('first');
    const key = makeKey();
    execFileSync('git', ['-C', folder, 'hash-object', '-w', '--stdin'], { input: key.fullKey });
    expect((await scanJson([folder, '--git'])).findings).toEqual([]);
    const { findings } = await scanJson([folder, '--git', '--unreachable']);
    expect(findings).toMatchObject([
      { apiKey: key.apiKey, places: [{ kind: 'blob', commit: null, path: null }] },
    ]);
  });

  it('counts a key in each version of a file, and keeps the first', async () => {
    git('init', '--quiet');
    const key = makeKey();
    put('f', `${key.fullKey}\n1`);
    const first = commitAll('one');
    put('f', `${key.fullKey}\n2`);
    commitAll('two');
    rmSync(path.join(folder, 'f'));
    const { findings } = await scanJson([folder, '--git']);
    expect(findings).toMatchObject([
      { placeCount: 2, places: [{ commit: first }, { commit: git('rev-parse', 'HEAD') }] },
    ]);
  });

  it.each([
    ['without a commit', () => git('init', '--quiet')],
    ['without a work tree', () => git('init', '--quiet', '--bare')],
  ])('%s is read', async (_name, make) => {
    make();
    expect(await scanJson([folder, '--git'])).toMatchObject({ findings: [], skipped: [] });
  });

  it('that is damaged is told of, and its files are read all the same', async () => {
    put('.git', 'nonsense');
    const key = makeKey();
    put('a', key.fullKey);
    const { findings, skipped } = await scanJson([folder, '--git']);
    expect(findings).toMatchObject([{ apiKey: key.apiKey }]);
    expect(skipped).toMatchObject([{ path: folder, reason: expect.stringContaining('git refused') }]);
  });

  it('is told to have a history when that was not read', async () => {
    git('init', '--quiet');
    expect((await scan([folder])).stderr).toContain('add --git');
  });

  it.each([
    ['git refuses', () => put('.git', 'nonsense'), 'git refused'],
    ['is above the folder that was named', () => git('init', '--quiet'), 'no repository'],
    ['is not there', () => '', 'no repository'],
  ])('that was asked for and %s is no success', async (_name, make, told) => {
    make();
    put('below/file', 'text');
    const named = told === 'git refused' ? folder : path.join(folder, 'below');
    expect(await scan([named, '--git', '--fail-on', 'live'])).toMatchObject({
      exitCode: 1,
      stdout: '',
      stderr: expect.stringContaining(told),
    });
    expect(JSON.parse((await scan([named, '--git', '--json'])).stdout)).toMatchObject({ isComplete: false });
  });

  it('is told to be shallow, for its older commits are not here', async () => {
    git('init', '--quiet');
    commitAll('first');
    commitAll('second');
    git('clone', '--quiet', '--depth', '1', `file://${folder}`, 'clone');
    const { notes, ...rest } = await scanJson([path.join(folder, 'clone'), '--git']);
    expect(notes).toEqual([expect.stringContaining('shallow')]);
    expect(rest).toMatchObject({ isComplete: true });
  });

  it('of a submodule is its own, and is not missed in the one around it', async () => {
    git('init', '--quiet');
    const key = makeKey();
    put('module/file', key.fullKey);
    git('-C', 'module', 'init', '--quiet');
    git('-C', 'module', 'add', '--all');
    git('-C', 'module', 'commit', '--quiet', '--message', 'a');
    rmSync(path.join(folder, 'module/file'));
    git('add', 'module');
    commitAll('with a submodule');
    const { findings, notes } = await scanJson([folder, '--git', '--no-verify']);
    expect(findings).toMatchObject([{ apiKey: key.apiKey, places: [{ kind: 'blob', path: 'file' }] }]);
    expect(notes).toEqual(['Which keys are live was not asked: --no-verify was given.']);
  });

  it('of another hook is not read instead', async () => {
    git('init', '--quiet');
    const env = { GIT_DIR: path.join(folder, 'elsewhere'), GIT_INDEX_FILE: '/' };
    expect(await scanJson([folder, '--git'], env)).toMatchObject({ skipped: [] });
  });
});

describe('what is staged', () => {
  it('is read as it will be committed, and nothing else', async () => {
    git('init', '--quiet');
    put('old', makeKey().fullKey);
    commitAll('old');
    const [staged, pair] = [makeKey(), makeKey()];
    put('new 名', staged.fullKey);
    put('pair', pair.apiKey);
    git('add', '--all');
    put('pair', `${pair.apiKey}\n${pair.secretKey}`);
    put('untracked', makeKey().fullKey);
    const { findings } = await scanJson([folder, '--staged']);
    expect(findings).toMatchObject([{ apiKey: staged.apiKey, places: [{ path: 'new 名', commit: null }] }]);
    git('add', 'pair');
    expect((await scanJson([folder, '--staged'])).findings).toHaveLength(2);

    symlinkSync('old', path.join(folder, 'link'));
    commitAll('a link');
    rmSync(path.join(folder, 'link'));
    const inPlaceOfLink = makeKey();
    put('link', inPlaceOfLink.fullKey);
    git('add', 'link');
    const { findings: more } = await scanJson([folder, '--staged']);
    expect(more).toMatchObject([{ apiKey: inPlaceOfLink.apiKey, places: [{ path: 'link' }] }]);
  });

  it('is read from the index of the hook, in a repository without a commit, too', async () => {
    git('init', '--quiet');
    const key = makeKey();
    put('a', key.fullKey);
    const env = { GIT_INDEX_FILE: path.join(folder, '.git/index of hook') };
    execFileSync('git', ['-C', folder, 'add', 'a'], { env: { ...process.env, ...env } });
    expect((await scanJson([folder, '--staged'], env)).findings).toMatchObject([{ apiKey: key.apiKey }]);
    expect((await scanJson([folder, '--staged'])).findings).toEqual([]);
  });

  it('cannot be read where there is no repository, and that is no success', async () => {
    expect(await scan([folder, '--staged'])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('cli.git'),
    });
  });
});

describe('files', () => {
  it('are read below every folder, and nothing that a link points to', async () => {
    const [key, outside] = [makeKey(), mkdtempSync(path.join(tmpdir(), 'keyreeve-outside-'))];
    try {
      writeFileSync(path.join(outside, 'a'), makeKey().fullKey);
      put('x/y/z/.hidden', key.fullKey);
      put('.gitignore', '*');
      symlinkSync(outside, path.join(folder, 'link'));
      symlinkSync(path.join(outside, 'a'), path.join(folder, 'x/link'));
      symlinkSync('..', path.join(folder, 'x/loop'));
      spawnSync('/usr/bin/mkfifo', [path.join(folder, 'pipe')]);
      const { findings } = await scanJson([folder]);
      expect(findings).toMatchObject([{ apiKey: key.apiKey, placeCount: 1 }]);
    } finally {
      rmSync(outside, { recursive: true });
    }
  });

  it('are read also where their names are in another encoding than UTF-8', async () => {
    const key = makeKey();
    const name = Buffer.concat([Buffer.from(`${folder}/`), Buffer.from('prüfung', 'latin1')]);
    try {
      mkdirSync(name);
    } catch {
      // Some file systems take no such names.
      return;
    }
    writeFileSync(Buffer.concat([name, Buffer.from('/schlüssel', 'latin1')]), key.fullKey);
    const { findings, skipped } = await scanJson([folder]);
    expect(findings).toMatchObject([{ apiKey: key.apiKey, places: [{ line: 1 }] }]);
    expect(skipped).toEqual([]);
  });

  it('that cannot be read are told of', async () => {
    const file = put('a', makeKey().fullKey);
    chmodSync(file, 0);
    chmodSync(folder, 0o755);
    // To root every file is open.
    const isRoot = process.getuid?.() === 0;
    try {
      if (isRoot) process.seteuid?.(65_534);
      expect(await scanJson([folder])).toMatchObject({ skipped: [{ path: file, reason: 'EACCES' }] });
    } finally {
      if (isRoot) process.seteuid?.(0);
    }
  });

  it('that are named and not there are wrong usage', async () => {
    const refused = await scan([path.join(folder, 'lost')]);
    expect(refused).toMatchObject({ exitCode: 2, stdout: '' });
  });

  it('may hold examples that are known', async () => {
    const [known, other] = [makeKey(), makeKey()];
    put('a', `${known.fullKey} ${other.fullKey}`);
    const { findings } = await scanJson([folder, '--ignore', known.apiKey]);
    expect(findings.map(({ apiKey }) => apiKey)).toEqual([other.apiKey]);

    const list = put('known-keys', `# Examples of the tests.\n\n${known.apiKey}  # signing\r\n`);
    expect((await scanJson([folder, '--ignore-file', list])).findings).toMatchObject([
      { apiKey: other.apiKey },
    ]);
  });

  it.each([
    ['--ignore', 'kr_short'],
    ['--ignore-file', 'known-keys'],
    ['--ignore-file', 'lost'],
  ])('are not left out by what is no API key: %s %s', async (option, value) => {
    put('known-keys', 'kr_0123456789ABCDEF\nkr_0123456789ABCDEF_\n');
    const given = option === '--ignore' ? value : path.join(folder, value);
    expect(await scan([folder, option, given])).toMatchObject({ exitCode: 2, stdout: '' });
  });
});

describe('stdin', () => {
  it('is read instead of the folder', async () => {
    put('a', makeKey().fullKey);
    const key = makeKey();
    const { findings } = await scanJson(['--stdin'], {}, `+ ${key.fullKey}\n`);
    expect(findings).toMatchObject([{ apiKey: key.apiKey, places: [{ kind: 'stdin', line: 1, column: 3 }] }]);
  });
});

describe('a report', () => {
  it('in each form shows place and API key, and never the secret', async () => {
    const key = makeKey();
    const file = put('a\u001b[31m.txt', `\n${key.fullKey}\n${key.apiKey}\n${key.secretKey}\n`);
    for (const format of ['text', 'json', 'sarif']) {
      const { exitCode, stdout, stderr } = await scan([folder, '--format', format]);
      expect(exitCode).toBe(1);
      expect(stdout).toContain(key.apiKey);
      expect(stdout + stderr).not.toContain(key.secretKey.slice(0, 8));
      expect(stdout + stderr).not.toContain('\u001b');
    }
    const { stdout } = await scan([file]);
    expect(stdout.split('\n').slice(1)).toEqual([
      `  ${file.replace('\u001b', '\\u{1b}')}:2:1  full key`,
      `  ${file.replace('\u001b', '\\u{1b}')}:4:1  pair, API key in line 3`,
      '',
    ]);
  });

  it('of nothing ends with 0', async () => {
    expect(await scan([folder])).toEqual({ exitCode: 0, stdout: '', stderr: 'No key in 0 files.\n' });
  });

  it.each([[['--unreachable']], [['--prefix', 'K']], [['--fail-on', 'never']], [['--format', 'xml']]])(
    'is not made with %j',
    async (words) => {
      expect(await scan([folder, ...words])).toMatchObject({ exitCode: 2, stdout: '' });
    },
  );
});

describe('the server', () => {
  /** Answers by the API key; remembers what it was asked. */
  async function withServer(
    answers: Record<string, string>,
    use: (url: string, asked: unknown[]) => Promise<void>,
  ) {
    const asked: unknown[] = [];
    const server = createServer((request, response) => {
      let text = '';
      request.on('data', (chunk: Buffer) => (text += chunk.toString()));
      request.on('end', () => {
        const body = JSON.parse(text) as { apiKey: string };
        asked.push(body);
        const code = answers[body.apiKey] ?? 'not_found';
        const isKnown = code !== 'not_found';
        const owner = { id: 'acc_1', kind: 'service', displayName: 'CI', login: 'ci-team' };
        const rest = { access: null, scopes: null, expiresAt: null };
        const about = { keyId: isKnown ? body.apiKey : null, account: isKnown ? owner : null, ...rest };
        response.writeHead(200, { 'content-type': 'application/json', connection: 'close' });
        response.end(JSON.stringify({ valid: code === 'valid', code, ...about }));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked);
    } finally {
      server.close();
    }
  }
  const CALLER = makeKey().fullKey;

  it('is asked once about each key, and its answer decides what counts', async () => {
    const [live, old, off, lost] = [makeKey(), makeKey(), makeKey(), makeKey()];
    put('a', [live, old, off, lost, live].map(({ fullKey }) => fullKey).join('\n'));
    put('b', old.fullKey);
    const answers = { [live.apiKey]: 'valid', [old.apiKey]: 'expired', [off.apiKey]: 'account_disabled' };
    await withServer(answers, async (url, asked) => {
      const env = { KEYREEVE_URL: url, KEYREEVE_API_KEY: CALLER };
      const { findings } = await scanJson([folder], env);
      expect(findings.map(({ state, account }) => [state, account])).toEqual([
        ['live', 'ci-team'],
        ['expired', 'ci-team'],
        ['disabled', 'ci-team'],
        ['unknown', null],
      ]);
      expect(asked).toHaveLength(4);
      expect((await scan([folder, '--fail-on', 'live'], env)).exitCode).toBe(1);
      put('a', old.fullKey);
      expect((await scan([folder, '--fail-on', 'live'], env)).exitCode).toBe(0);
      expect((await scan([folder], env)).exitCode).toBe(1);
      const before = asked.length;
      const silent = await scan([folder, '--no-verify', '--fail-on', 'live'], env);
      expect(silent).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('not asked') });
      expect(asked).toHaveLength(before);
    });
  });

  it.each([
    ['is away', 'http://127.0.0.1:9', 'client.unreachable'],
    ['would be asked in the open', 'http://keys.invalid', 'was not asked: http://keys.invalid is not https'],
  ])('that %s does not hide what was found', async (_name, url, reason) => {
    put('a', makeKey().fullKey);
    const result = await scan([folder, '--fail-on', 'live'], { KEYREEVE_URL: url, KEYREEVE_API_KEY: CALLER });
    expect(result).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('not asked') });
    expect(result.stderr).toContain(reason);
  });
});
