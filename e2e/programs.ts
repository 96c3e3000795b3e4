import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { BARE_ENVIRONMENT } from './run.ts';
import { sleep } from './server-process.ts';

const START_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 10_000;
const POLL_MS = 10;

/** A program of the system that stays in the foreground. */
export interface Program {
  readonly pid: number;
  readonly output: () => string;
  /** Sends the signal and resolves when the program has ended; one that does not end is killed. */
  end(signal: NodeJS.Signals): Promise<void>;
}

export interface ProgramOptions {
  /** Where it listens once it has started. */
  readonly port: number;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly user?: { readonly uid: number; readonly gid: number } | null;
  readonly stopTimeoutMs?: number;
}

/** Starts a program, and resolves when it takes connections at the port. */
export async function startProgram(
  file: string,
  args: readonly string[],
  { port, cwd, env = {}, user = null, stopTimeoutMs = STOP_TIMEOUT_MS }: ProgramOptions,
): Promise<Program> {
  const child = spawn(file, args, {
    cwd,
    env: { ...BARE_ENVIRONMENT, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...user,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
    });
  }
  const ended = once(child, 'exit');
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (!(await canConnect(port))) {
    if (child.exitCode !== null || performance.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`${file} does not listen at ${port} (exit ${child.exitCode}):\n${output}`);
    }
    await sleep(POLL_MS);
  }
  return {
    pid: child.pid ?? 0,
    output: () => output,
    end: async (signal) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill(signal);
      const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
      await ended;
      clearTimeout(timer);
    },
  };
}

async function canConnect(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
