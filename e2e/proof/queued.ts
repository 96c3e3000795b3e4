import { readFileSync } from 'node:fs';

/**
 * How many milliseconds the main thread of a process has been ready to run while other processes had all cores
 * (`/proc/<pid>/schedstat`). Tests run beside each other; what a start takes on a machine of its own is the time that
 * it took without this.
 */
export function readQueuedMs(pid: number): number {
  const [, queuedNs = '0'] = readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ');
  return Number(queuedNs) / 1_000_000;
}
