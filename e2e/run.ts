import { spawn } from 'node:child_process';

/** A program that has ended. */
export interface Run {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Both, as a person at a terminal reads them. */
  readonly output: string;
  readonly durationMs: number;
}

export interface RunOptions {
  readonly cwd?: string;
  /** On top of a bare environment: nothing of ours, no proxy and no setting of a person leaks in. */
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  /**
   * For programs under mono: on a busy machine one in thirty has done its work and then waits for a thread that
   * sleeps. SIGQUIT, for which mono lists its threads, wakes it, and it ends with the exit code that it has.
   */
  readonly wakeAfterMs?: number;
}

const TIMEOUT_MS = 60_000;

const compileCache = process.env['NODE_COMPILE_CACHE'];

/**
 * Only the folders of the system: the programs of Debian, whatever else is installed. And where Node keeps what it
 * has compiled, in a run that has a place for it: that changes how long a start takes and nothing else.
 */
export const BARE_ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH: '/usr/bin:/bin',
  LANG: 'C.UTF-8',
  TZ: 'UTC',
  ...(compileCache === undefined ? {} : { NODE_COMPILE_CACHE: compileCache }),
};

/** Runs a program to its end. Its exit code is for the caller to judge; one that hangs is killed and throws. */
export async function run(file: string, args: readonly string[], options: RunOptions = {}): Promise<Run> {
  const { cwd, env = {}, timeoutMs = TIMEOUT_MS, wakeAfterMs } = options;
  return await new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      cwd,
      env: { ...BARE_ENVIRONMENT, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const text = { stdout: '', stderr: '', output: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (chunk: string) => {
        text[name] += chunk;
        text.output += chunk;
      });
    }
    let isLate = false;
    const startedAt = performance.now();
    const timer = setTimeout(() => {
      isLate = true;
      child.kill('SIGKILL');
    }, timeoutMs);
    const waking = wakeAfterMs === undefined ? null : setInterval(() => child.kill('SIGQUIT'), wakeAfterMs);
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(timer);
      if (waking !== null) clearInterval(waking);
      if (isLate)
        reject(new Error(`${file} ${args.join(' ')} did not end in ${timeoutMs} ms:\n${text.output}`));
      else resolve({ code, ...text, durationMs: Math.round(performance.now() - startedAt) });
    });
  });
}

/** The first lines of what a program says, as evidence in the log of the run. */
export function show(title: string, ended: Pick<Run, 'code' | 'output'> & Partial<Run>): void {
  const took = ended.durationMs === undefined ? '' : ` after ${ended.durationMs} ms`;
  const lines = ended.output
    .trim()
    .split('\n')
    .map((line) => `    ${line.slice(0, 240)}`);
  console.log(`${title}\n${lines.slice(0, 12).join('\n')}\n    exit ${ended.code}${took}`);
}
