import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Program, startProgram } from '../programs.ts';
import { BARE_ENVIRONMENT } from '../run.ts';

const RUN_TIMEOUT_MS = 20_000;

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
  const timer = setTimeout(() => child.kill('SIGKILL'), RUN_TIMEOUT_MS);
  await once(child, 'exit');
  clearTimeout(timer);
  if (child.exitCode !== 0) throw new Error(`${file} ended with ${child.exitCode}:\n${output}`);
}

/** Starts a program that stays in the foreground under the programs' user. */
export async function startUnprivileged(
  file: string,
  args: readonly string[],
  where: { readonly cwd: string; readonly port: number },
): Promise<Program> {
  return await startProgram(file, args, { ...where, user });
}
