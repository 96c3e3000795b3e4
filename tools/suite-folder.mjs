import { accessSync, chmodSync, constants, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MEMORY = '/dev/shm';
const MEMORY_BYTES_MIN = 4 * 1024 ** 3;

/** A folder in memory with room enough; else the usual one on the disk. */
export function findMemory() {
  try {
    const { bavail, bsize } = statfsSync(MEMORY);
    accessSync(MEMORY, constants.W_OK);
    return bavail * bsize >= MEMORY_BYTES_MIN ? MEMORY : tmpdir();
  } catch {
    return tmpdir();
  }
}

/**
 * Gives `work` a folder for a while, and removes it with all that was left there.
 *
 * @template Result
 * @param {boolean} inMemory
 * @param {(folder: string, environment: Record<string, string>) => Promise<Result>} work
 * `environment` has what it writes for a while lie in the folder, if that is in memory.
 * @returns {Promise<Result>}
 */
export async function withSuiteFolder(inMemory, work) {
  const folder = mkdtempSync(join(inMemory ? findMemory() : tmpdir(), 'keyreeve-suite-'));
  // As open as any folder for temporary files: as root, PostgreSQL runs under a user of its own.
  chmodSync(folder, 0o1777);
  try {
    return await work(folder, inMemory ? { TMPDIR: folder } : {});
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
