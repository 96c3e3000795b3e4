import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { sleep } from '../server-process.ts';

const ATTACH_TIMEOUT_MS = 10_000;

/** A tracer at a process that runs, with all of its threads. */
export interface Tracer {
  /** Lets go of the process, which goes on, and gives the lines of the trace. */
  stop(): Promise<string[]>;
}

/**
 * Attaches strace to a process; resolves when it sees every call.
 *
 * @param expressions such as `trace=fsync` or `inject=fsync:error=EIO:when=3`, one for each `-e`
 * @param paths only calls about these files, also through their descriptors
 */
export async function attachStrace(
  pid: number,
  expressions: readonly string[],
  paths: readonly string[] = [],
): Promise<Tracer> {
  const child = spawn(
    'strace',
    ['-f', '-y', '-ttt', '-q', '-s', '0', '-p', String(pid)].concat(
      expressions.flatMap((expression) => ['-e', expression]),
      paths.flatMap((path) => ['-P', path]),
    ),
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let text = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  const ended = once(child, 'close');
  await waitUntilTraced(pid, () => {
    if (child.exitCode !== null) throw new Error(`strace ended with ${child.exitCode}: ${text}`);
  });
  return {
    stop: async () => {
      child.kill('SIGINT');
      await ended;
      return text.split('\n').filter((line) => line !== '');
    },
  };
}

async function waitUntilTraced(pid: number, check: () => void): Promise<void> {
  const deadline = performance.now() + ATTACH_TIMEOUT_MS;
  for (;;) {
    check();
    const isTraced = readdirSync(`/proc/${pid}/task`).every(
      (thread) => !/^TracerPid:\t0$/m.test(readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8')),
    );
    if (isTraced) return;
    if (performance.now() > deadline) throw new Error(`strace did not attach to ${pid}.`);
    await sleep(10);
  }
}
