import { readFileSync } from 'node:fs';

// Linux counts a process's time in these, whatever its own clock is (USER_HZ).
const TICKS_A_SECOND = 100;
const USER_TICKS = 11;
const SYSTEM_TICKS = 12;
const MIB_IN_KIB = 1_024;

/** Seconds of processor time that a process has taken so far, with all its threads, also those that have ended. */
export function readCpuSeconds(pid: number): number {
  // The name of the program may hold blanks; what follows its closing bracket may not.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  return (Number(fields[USER_TICKS]) + Number(fields[SYSTEM_TICKS])) / TICKS_A_SECOND;
}

/** Memory of a process that is in RAM now, and the most that ever was, in MiB. */
export function readResidentMib(pid: number): { readonly now: number; readonly peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const read = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) / MIB_IN_KIB;
  return { now: read('VmRSS'), peak: read('VmHWM') };
}
