import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { run } from './run.ts';
import { freePort, sleep } from './server-process.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const MINUTES_MS = 60_000;
/** Whoever runs the tests in a clone of his own has seen the same script install: `pretest` is `prestart`. */
const isInstalled = process.env['FRESH_INSTALL'] !== '1';

/** The PATH of a person: without the programs that npm puts in front while its scripts run. */
function personalPath(): string {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter);
  return folders.filter((folder) => !folder.includes('node_modules')).join(path.delimiter);
}

let folder = '';

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'keyreeve-clone-'));
  const cloned = await run('/usr/bin/git', ['clone', '--quiet', ROOT, path.join(folder, 'keyreeve')]);
  expect(cloned.code, cloned.output).toBe(0);
  if (isInstalled) await copyModules();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** As after an installation, but for the note that it was done. Links: the copy is made in seconds. */
async function copyModules(): Promise<void> {
  const workspaces = readdirSync(path.join(ROOT, 'packages')).map((name) => path.join('packages', name));
  for (const owner of ['.', ...workspaces, 'e2e', 'bench']) {
    const from = path.join(ROOT, owner, 'node_modules');
    if (!existsSync(from)) continue;
    const to = path.join(folder, 'keyreeve', owner, 'node_modules');
    const linked = await run('/usr/bin/cp', ['-al', from, to]);
    if (linked.code === 0) continue;
    rmSync(to, { recursive: true, force: true });
    const copied = await run('/usr/bin/cp', ['-a', from, to]);
    expect(copied.code, copied.output).toBe(0);
  }
  rmSync(path.join(folder, 'keyreeve/node_modules/.setup-stamp'), { force: true });
}

/** `npm start` in the clone, until it listens; then SIGTERM. */
async function startOnce(): Promise<{ output: string; code: number | null }> {
  const port = await freePort();
  const child = spawn('npm', ['start'], {
    cwd: path.join(folder, 'keyreeve'),
    // Nothing that an earlier run has compiled is at hand either.
    env: {
      ...process.env,
      PATH: personalPath(),
      KEYREEVE_PORT: String(port),
      CI: '',
      NODE_COMPILE_CACHE: undefined,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  while (!output.includes(`listens on http://localhost:${port}`)) {
    if (child.exitCode !== null) throw new Error(`npm start ended with ${child.exitCode}:\n${output}`);
    await sleep(50);
  }
  const health = await fetch(`http://localhost:${port}/healthz`);
  expect(health.status).toBe(200);
  child.kill('SIGTERM');
  const [code] = (await once(child, 'exit')) as [number | null];
  return { output, code };
}

it(
  'a fresh clone starts by `npm start` alone, prints its set-up code, and starts again without installing',
  async () => {
    const first = await startOnce();
    expect(first.output).toMatch(/Set-up code \(works once\): [0-9A-Za-z]{24}/);
    expect(existsSync(path.join(folder, 'keyreeve/data/keyreeve.db'))).toBe(true);
    expect(first.code).toBe(0);
    expect(first.output.includes('Installing the dependencies')).toBe(!isInstalled);
    const second = await startOnce();
    expect(second.output).not.toMatch(/Installing the dependencies|Building the console/);
    const status = await run('/usr/bin/git', ['-C', path.join(folder, 'keyreeve'), 'status', '--porcelain']);
    expect(status.output).toBe('');
  },
  5 * MINUTES_MS,
);
