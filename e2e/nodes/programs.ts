import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { canConnect } from '../gateway-programs.ts';
import { BARE_ENVIRONMENT } from '../run.ts';
import { sleep } from '../server-process.ts';

const START_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 10_000;
const POLL_MS = 10;

/** Neither PostgreSQL nor PgBouncer runs as root: as root they get the user that Debian made for them. */
const user = process.getuid?.() === 0 ? readUser('postgres') : null;

function readUser(name: string): { readonly uid: number; readonly gid: number } {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith(`${name}:`));
  const [, , uid, gid] = line?.split(':') ?? [];
  if (uid === undefined || gid === undefined) throw new Error(`The system has no user "${name}".`);
  return { uid: Number(uid), gid: Number(gid) };
}

/** A folder that the programs' user can get to and write in, removed by `remove`. */
export interface ProgramFolder {
  readonly path: string;
  /** Makes a folder in it that only the programs' user may enter, as PostgreSQL demands of its data. */
  makePrivate(name: string): string;
  remove(): void;
}

export function openProgramFolder(): ProgramFolder {
  const folder = mkdtempSync(path.join(tmpdir(), 'keyreeve-nodes-'));
  chmodSync(folder, 0o755);
  return {
    path: folder,
    makePrivate: (name) => {
      const made = path.join(folder, name);
      mkdirSync(made, { mode: 0o700 });
      if (user !== null) chownSync(made, user.uid, user.gid);
      return made;
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Runs a program to its end under the programs' user. @throws Error with what it printed when it does not end with 0 */
export async function runProgram(file: string, args: readonly string[], cwd: string): Promise<void> {
  // Not `spawnSync`: callers go on meanwhile.
  const child = spawn(file, args, { cwd, env: BARE_ENVIRONMENT, stdio: ['ignore', 'pipe', 'pipe'], ...user });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
    });
  }
  const timer = setTimeout(() => child.kill('SIGKILL'), START_TIMEOUT_MS);
  await once(child, 'exit');
  clearTimeout(timer);
  if (child.exitCode !== 0) throw new Error(`${file} ended with ${child.exitCode}:\n${output}`);
}

export interface Program {
  readonly pid: number;
  readonly output: () => string;
  /** Sends the signal and resolves when the program has ended. */
  end(signal: NodeJS.Signals): Promise<void>;
}

/** Starts a program that stays in the foreground, and resolves when it takes connections at the port. */
export async function startProgram(
  file: string,
  args: readonly string[],
  { cwd, port }: { readonly cwd: string; readonly port: number },
): Promise<Program> {
  const child: ChildProcess = spawn(file, args, {
    cwd,
    env: BARE_ENVIRONMENT,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...user,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
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
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}
