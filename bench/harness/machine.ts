import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';

const ROOT = path.resolve(import.meta.dirname, '../..');
const GIB = 1_024 ** 3;

/** Where and with what something was measured. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly system: string;
  readonly node: string;
  readonly sqlite: string;
  readonly wrk: string;
}

export function describeMachine(): Machine {
  const [first] = cpus();
  return {
    processor: first?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGib: Math.round(totalmem() / GIB),
    system: `${readSystemName()}, Linux ${release()}`,
    node: process.versions.node,
    sqlite: readSqliteVersion(),
    wrk: readWrkVersion(),
  };
}

function readSystemName(): string {
  return /^PRETTY_NAME="(.*)"$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'unknown';
}

function readSqliteVersion(): string {
  const database = new DatabaseSync(':memory:');
  try {
    return String(database.prepare('select sqlite_version() as version').get()?.['version']);
  } finally {
    database.close();
  }
}

function readWrkVersion(): string {
  try {
    execFileSync('wrk', ['-v'], { encoding: 'utf8', stdio: 'pipe' });
    return 'unknown';
  } catch (error) {
    // It prints its version and ends with 1.
    const { stdout } = error as { stdout?: string };
    return /wrk (?:debian\/)?(\S+)/.exec(stdout ?? '')?.[1] ?? 'unknown';
  }
}

/** The short commit, with `+` when files differ from it. */
export function readCommit(): string {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
  const isChanged = git('status', '--porcelain', '--untracked-files=no') !== '';
  return `${git('rev-parse', '--short=10', 'HEAD')}${isChanged ? '+' : ''}`;
}

/** How busy the machine is, over the last minute: about 0 before a bench, or its figures are not worth much. */
export function readLoad(): number {
  return loadavg()[0] ?? Number.NaN;
}
