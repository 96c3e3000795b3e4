import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export const SERVER_CORE = '0';
export const CLIENT_CORE = '1';
const START_TRIES = 100;

export interface BenchServer {
  readonly url: string;
  readonly child: ChildProcess;
  stop(): Promise<void>;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  if (address === null || typeof address === 'string') throw new Error('A port was expected.');
  return address.port;
}

/** Starts a program on the server's core and waits until it answers. */
async function start(
  script: string,
  args: readonly string[],
  port: number,
  probePath: string,
  environment: Record<string, string>,
  cleanUp: () => void,
): Promise<BenchServer> {
  const child = spawn('taskset', ['-c', SERVER_CORE, process.execPath, script, ...args], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; ; tries += 1) {
    const isUp = await fetch(`${url}${probePath}`).then(
      () => true,
      () => false,
    );
    if (isUp) break;
    if (tries >= START_TRIES) throw new Error(`${script} did not start.`);
    await delay(100);
  }
  const stop = async () => {
    child.kill('SIGTERM');
    await once(child, 'exit');
    cleanUp();
  };
  return { url, child, stop };
}

export async function startBareServer(): Promise<BenchServer> {
  const port = await freePort();
  return await start(
    path.join(import.meta.dirname, 'bare-server.ts'),
    [String(port)],
    port,
    '/',
    {},
    () => undefined,
  );
}

export const ADMIN = { email: 'bench@example.com', password: 'a bench needs no good memory' };

/** The product as it ships: one process, SQLite with full synchronisation, logging on at `warn`. */
export async function startKeyreeve(more: Readonly<Record<string, string>> = {}): Promise<BenchServer> {
  const port = await freePort();
  const dataDir = mkdtempSync(path.join(tmpdir(), 'keyreeve-bench-'));
  const environment = {
    KEYREEVE_DATA_DIR: dataDir,
    KEYREEVE_PORT: String(port),
    KEYREEVE_ADMIN_EMAIL: ADMIN.email,
    KEYREEVE_ADMIN_PASSWORD: ADMIN.password,
    KEYREEVE_LOG_LEVEL: 'warn',
    ...more,
  };
  const main = path.resolve(import.meta.dirname, '../packages/server/src/main.ts');
  return await start(main, [], port, '/healthz', environment, () =>
    rmSync(dataDir, { recursive: true, force: true }),
  );
}
