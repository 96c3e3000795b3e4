import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export const SERVER_CORE = '0';
export const CLIENT_CORE = '1';
const START_SECONDS_MAX = 60;
const PROBE_EVERY_MS = 5;

export interface BenchServer {
  readonly url: string;
  readonly child: ChildProcess;
  /** Milliseconds from the start of the process to its first answer that the probe takes. */
  readonly readyMs: number;
  stop(): Promise<void>;
}

export interface Program {
  readonly command: readonly string[];
  readonly port: number;
  /** Asked until the program answers, or answers 2xx when `isReadiness`. */
  readonly probePath: string;
  readonly isReadiness?: boolean;
  readonly environment?: Readonly<Record<string, string>>;
  readonly cleanUp?: () => void;
}

export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  if (address === null || typeof address === 'string') throw new Error('A port was expected.');
  return address.port;
}

/** Starts a program on the server's core and waits until it answers. */
export async function startProgram(program: Program): Promise<BenchServer> {
  const { command, port, probePath, isReadiness = false, environment, cleanUp } = program;
  const startedAt = performance.now();
  const child = spawn('taskset', ['-c', SERVER_CORE, ...command], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const url = `http://127.0.0.1:${port}`;
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    cleanUp?.();
  };
  for (;;) {
    const isUp = await fetch(`${url}${probePath}`).then(
      (response) => response.ok || !isReadiness,
      () => false,
    );
    if (isUp) return { url, child, readyMs: performance.now() - startedAt, stop };
    const hasEnded = child.exitCode !== null || child.signalCode !== null;
    if (hasEnded || performance.now() - startedAt > START_SECONDS_MAX * 1_000) {
      await stop();
      throw new Error(`${command.join(' ')} did not start.`);
    }
    await delay(PROBE_EVERY_MS);
  }
}

export async function startBareServer(): Promise<BenchServer> {
  const port = await freePort();
  const script = path.join(import.meta.dirname, 'bare-server.ts');
  return await startProgram({ command: [process.execPath, script, String(port)], port, probePath: '/' });
}

export const ADMIN = { email: 'bench@example.com', password: 'a bench needs no good memory' };

/** The product as it ships: one process, SQLite with full synchronisation, logging on at `warn`. */
export async function startKeyreeve(more: Readonly<Record<string, string>> = {}): Promise<BenchServer> {
  const port = await freePort();
  const dataDir = mkdtempSync(path.join(tmpdir(), 'keyreeve-bench-'));
  const main = path.resolve(import.meta.dirname, '../packages/server/src/start.mjs');
  return await startProgram({
    // As `npm start` and the files in deploy/ start it.
    command: [process.execPath, '--max-semi-space-size=8', main],
    port,
    probePath: '/readyz',
    isReadiness: true,
    environment: {
      KEYREEVE_DATA_DIR: dataDir,
      KEYREEVE_PORT: String(port),
      KEYREEVE_ADMIN_EMAIL: ADMIN.email,
      KEYREEVE_ADMIN_PASSWORD: ADMIN.password,
      KEYREEVE_LOG_LEVEL: 'warn',
      ...more,
    },
    cleanUp: () => rmSync(dataDir, { recursive: true, force: true }),
  });
}
