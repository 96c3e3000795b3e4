import { readdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const LIBRARIES = '/usr/lib';

/** The clock of a process that a test moves while it runs (libfaketime): the time of day alone, not the monotonic one. */
export interface FakedClock {
  readonly environment: Readonly<Record<string, string>>;
  /** The time of the process, in milliseconds since 1970. */
  now(): number;
  /** From the next look at the clock on it is this time. */
  set(atMs: number): void;
}

export function createFakedClock(folder: string): FakedClock {
  const file = path.join(folder, 'clock');
  let aheadSeconds = 0;
  const write = () => {
    // Renamed into its place: the process may read at any moment.
    writeFileSync(`${file}.new`, `${aheadSeconds < 0 ? '' : '+'}${aheadSeconds}s\n`);
    renameSync(`${file}.new`, file);
  };
  write();
  return {
    environment: {
      LD_PRELOAD: findLibrary(),
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: '1',
      // With this one faked as well, every timer of the process would fire at once, or never.
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    },
    now: () => Date.now() + aheadSeconds * 1_000,
    set: (atMs) => {
      aheadSeconds = Math.round((atMs - Date.now()) / 1_000);
      write();
    },
  };
}

function findLibrary(): string {
  for (const folder of readdirSync(LIBRARIES)) {
    if (!folder.endsWith('-linux-gnu')) continue;
    const inside = path.join(LIBRARIES, folder, 'faketime');
    try {
      if (readdirSync(inside).includes('libfaketimeMT.so.1')) return path.join(inside, 'libfaketimeMT.so.1');
    } catch {
      // Another architecture, without it.
    }
  }
  throw new Error('libfaketime is not there: node tools/debian.mjs proof installs it.');
}
