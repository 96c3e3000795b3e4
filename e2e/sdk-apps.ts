import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { openPage } from './docs/doc-page.ts';
import { BARE_ENVIRONMENT, run } from './run.ts';
import { freePort, sleep } from './server-process.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const NEXT = path.join(ROOT, 'node_modules/next/dist/bin/next');
const START_TIMEOUT_MS = 60_000;
const POLL_MS = 50;

export type FrameworkName = 'express' | 'fastify' | 'hono' | 'next';

/** An application of the docs, run as its reader would run it. */
export interface SdkApp {
  readonly url: string;
  /** Everything that it has printed. */
  readonly output: () => string;
  stop(): Promise<void>;
}

/** A folder in which the SDK is installed as its tarball has it; frameworks come from the repository around it. */
export interface SdkWorkplace {
  readonly folder: string;
  /** Writes the files of a page and starts them. All blocks of the page count as executed. */
  start(name: FrameworkName, env: Readonly<Record<string, string>>): Promise<SdkApp>;
  /** Writes the files of a page into a folder of their own. */
  write(page: string): string;
  close(): Promise<void>;
}

/** Inside the repository, so that the frameworks are found, and in a folder that no tool looks at. */
function makeFolder(): string {
  const cache = path.join(ROOT, '.cache');
  mkdirSync(cache, { recursive: true });
  return mkdtempSync(path.join(cache, 'sdk-'));
}

/** The first line of a block names its file. */
function writeSamples(page: string, folder: string): void {
  const opened = openPage(page);
  for (const { text } of opened.claimAll('js')) {
    const file = path.join(folder, /^\/\/ (\S+)\n/.exec(text)?.[1] ?? '');
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}

async function buildNext(folder: string, env: Record<string, string>): Promise<void> {
  // Most of the time of a build goes into scripts for browsers, which are the same without our code.
  const experimental = { turbopackMinify: false, turbopackSourceMaps: false };
  const config = { turbopack: { root: ROOT }, outputFileTracingRoot: ROOT, experimental };
  writeFileSync(path.join(folder, 'next.config.mjs'), `export default ${JSON.stringify(config)};\n`);
  // Where an image is built there are no secrets.
  const { KEYREEVE_URL: _url, KEYREEVE_KEY: _key, ...bare } = env;
  const built = await run(process.execPath, [NEXT, 'build'], { cwd: folder, env: bare, timeoutMs: 120_000 });
  if (built.code !== 0) throw new Error(built.output);
}

async function waitUntilUp(child: ChildProcess, url: string, output: () => string): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    const status = await fetch(`${url}/public`).then(
      (response) => response.status,
      () => 0,
    );
    if (status === 200) return;
    if (child.exitCode !== null || performance.now() > deadline)
      throw new Error(`The application does not come up (${status}):\n${output()}`);
    await sleep(POLL_MS);
  }
}

async function launch(
  folder: string,
  args: readonly string[],
  port: number,
  env: Record<string, string>,
): Promise<SdkApp & { child: ChildProcess }> {
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: { ...BARE_ENVIRONMENT, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: Next starts further processes, which outlive it.
    detached: true,
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
  const url = `http://127.0.0.1:${port}`;
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    await once(child, 'close');
  };
  const app = { child, url, output: () => text, stop };
  await waitUntilUp(child, url, app.output).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return app;
}

/** @param build makes the package in a folder, as `npm run build:sdk` does */
export function openSdkWorkplace(build: (target: string) => void): SdkWorkplace {
  const folder = makeFolder();
  const apps: SdkApp[] = [];
  try {
    build(path.join(folder, 'node_modules/@keyreeve/sdk'));
  } catch (error) {
    rmSync(folder, { recursive: true });
    throw error;
  }
  const write = (page: string): string => {
    const place = path.join(folder, path.basename(page, '.md'));
    mkdirSync(place, { recursive: true });
    writeFileSync(path.join(place, 'package.json'), '{"private":true,"type":"module"}\n');
    writeSamples(page, place);
    return place;
  };
  return {
    folder,
    write,
    start: async (name, given) => {
      const place = write(`docs/sdk/${name}.md`);
      const port = await freePort();
      const env = { ...given, PORT: String(port), NEXT_TELEMETRY_DISABLED: '1', CI: '1' };
      if (name === 'next') await buildNext(place, env);
      const args =
        name === 'next' ? [NEXT, 'start', '--port', String(port), '--hostname', '127.0.0.1'] : ['server.js'];
      const app = await launch(place, args, port, env);
      apps.push(app);
      return app;
    },
    close: async () => {
      await Promise.all(apps.map((app) => app.stop()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
