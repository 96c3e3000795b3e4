import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { BARE_ENVIRONMENT } from './run.ts';

export const ADMIN = { email: 'ada@example.com', password: 'ampersand violin harbour' };

/** The environment of an unattended first start. */
export const WITH_ADMIN = { KEYREEVE_ADMIN_EMAIL: ADMIN.email, KEYREEVE_ADMIN_PASSWORD: ADMIN.password };

export const MAIN = path.resolve(import.meta.dirname, '../packages/server/src/start.mjs');
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 30_000;
const POLL_MS = 20;

export interface StartOptions {
  /** The name of the data folder in the workplace: the same name is the same deployment. */
  readonly data?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The same as before, when clients or tokens of an earlier process are used again. */
  readonly port?: number;
  /** Moves the clock of the process, so that a year can pass. */
  readonly clockAheadMs?: number;
  /** What is run in the place of the server's entry: a script that loads it. */
  readonly main?: string;
  /** The system lets no file of the process grow beyond this, as if the disk were full. */
  readonly fileKibibytesMax?: number;
}

/** The server as an operator runs it: a process of its own, `node start.mjs`, with its environment. */
export interface ServerProcess {
  readonly pid: number;
  readonly port: number;
  /** As the process prints it. */
  readonly url: string;
  readonly dataDir: string;
  /** Everything that it has printed, log lines among it. */
  readonly output: () => string;
  /** Resolves when the output matches. */
  waitFor(pattern: RegExp, timeoutMs?: number): Promise<RegExpExecArray>;
  signal(name: NodeJS.Signals): void;
  /** The exit code, once it has ended; null when a signal ended it. */
  ended(): Promise<number | null>;
  /** SIGTERM, and the exit code. */
  stop(): Promise<number | null>;
  /** SIGKILL: no goodbye of any kind. */
  kill(): Promise<void>;
}

/** A start that was refused. */
export interface FailedStart {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder of its own with the servers that run in it; `close` ends and removes everything. */
export interface Workplace {
  readonly folder: string;
  start(options?: StartOptions): Promise<ServerProcess>;
  /** For a start that is expected to be refused. Throws when the server comes up. */
  startRefused(options?: StartOptions): Promise<FailedStart>;
  close(): Promise<void>;
}

/** `1/3`: the second of three suites that run side by side. */
const [lane = 0, lanes = 1] = (process.env['TEST_LANE'] ?? '0/1').split('/').map(Number);

/**
 * A port that nobody listens at. Another suite may run beside this one, and find the same one free before our server
 * has taken it: each lane keeps to ports of its own. The system prefers odd ones here.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    server.close();
    if (address === null || typeof address === 'string') throw new Error('The system gave no port.');
    if ((address.port >> 1) % lanes === lane) return address.port;
  }
}

interface Launched {
  readonly child: ChildProcess;
  readonly dataDir: string;
  readonly port: number;
  readonly text: { stdout: string; stderr: string };
}

async function launch(folder: string, options: StartOptions): Promise<Launched> {
  const { data = 'data', env = {}, clockAheadMs = 0, fileKibibytesMax } = options;
  const port = options.port ?? (await freePort());
  const dataDir = path.join(folder, data);
  const clock = `const now = Date.now; Date.now = () => now() + ${clockAheadMs};`;
  const flags = clockAheadMs === 0 ? [] : ['--import', `data:text/javascript,${encodeURIComponent(clock)}`];
  const limit = fileKibibytesMax === undefined ? 'unlimited' : String(fileKibibytesMax);
  const command = [
    '-c',
    'ulimit -f "$0" && exec "$@"',
    limit,
    process.execPath,
    ...flags,
    options.main ?? MAIN,
  ];
  const child = spawn('bash', command, {
    // Away from the repository: a `.env` file of a developer must not be read.
    cwd: folder,
    env: { ...BARE_ENVIRONMENT, KEYREEVE_DATA_DIR: dataDir, KEYREEVE_PORT: String(port), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (chunk: string) => {
      text[name] += chunk;
    });
  }
  return { child, dataDir, port, text };
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

async function waitForEnd(child: ChildProcess, timeoutMs: number): Promise<number | null> {
  if (!hasEnded(child)) {
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    await once(child, 'close');
    clearTimeout(timer);
  }
  return child.exitCode;
}

function toServer({ child, dataDir, port, text }: Launched): Omit<ServerProcess, 'url'> {
  const output = () => text.stdout + text.stderr;
  return {
    pid: child.pid ?? 0,
    port,
    dataDir,
    output,
    waitFor: async (pattern, timeoutMs = START_TIMEOUT_MS) => {
      const deadline = performance.now() + timeoutMs;
      for (;;) {
        const match = pattern.exec(output());
        if (match !== null) return match;
        if (hasEnded(child) || performance.now() > deadline) {
          throw new Error(
            `The server never printed ${String(pattern)} (exit ${child.exitCode}):\n${output()}`,
          );
        }
        await sleep(POLL_MS);
      }
    },
    signal: (name) => void child.kill(name),
    ended: () => waitForEnd(child, STOP_TIMEOUT_MS),
    stop: async () => {
      child.kill('SIGTERM');
      return await waitForEnd(child, STOP_TIMEOUT_MS);
    },
    kill: async () => {
      child.kill('SIGKILL');
      await waitForEnd(child, STOP_TIMEOUT_MS);
    },
  };
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export function openWorkplace(): Workplace {
  // Made when it is first needed: a file whose tests are all filtered out never comes to `close`.
  let folder: string | null = null;
  const openFolder = () => (folder ??= mkdtempSync(path.join(tmpdir(), 'keyreeve-e2e-')));
  const children = new Set<ChildProcess>();
  const launchHere = async (options: StartOptions): Promise<Launched> => {
    const launched = await launch(openFolder(), options);
    children.add(launched.child);
    return launched;
  };
  return {
    get folder() {
      return openFolder();
    },
    start: async (options = {}) => {
      const server = toServer(await launchHere(options));
      const [, url = ''] = await server.waitFor(/Keyreeve listens on (\S+)\n(?: {2}.*\n)*\n/);
      return { ...server, url };
    },
    startRefused: async (options = {}) => {
      const { child, text } = await launchHere(options);
      while (!hasEnded(child) && !text.stdout.includes('listens on')) await sleep(POLL_MS);
      if (text.stdout.includes('listens on')) throw new Error(`The server started:\n${text.stdout}`);
      return { code: await waitForEnd(child, STOP_TIMEOUT_MS), ...text };
    },
    close: async () => {
      for (const child of children) child.kill('SIGKILL');
      await Promise.all([...children].map((child) => waitForEnd(child, STOP_TIMEOUT_MS)));
      if (folder !== null) rmSync(folder, { recursive: true, force: true });
    },
  };
}
