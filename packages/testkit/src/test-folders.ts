import { mkdtempSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const MEMORY = '/dev/shm';
/** What all databases of a run take at once, several times over: containers often have 64 MiB there. */
const ROOM_BYTES_MIN = 2 * 1024 ** 3;

/**
 * Where databases of tests lie: in memory, where there is the room. Nothing of them outlives its test, and each commit
 * would wait for the disk, which is half of what many tests do. What has to survive a crash or a power cut is tested
 * with whole servers, on a disk.
 */
function findRoot(): string {
  try {
    const { bavail, bsize } = statfsSync(MEMORY);
    return bavail * bsize >= ROOM_BYTES_MIN ? MEMORY : tmpdir();
  } catch {
    return tmpdir();
  }
}

const root = findRoot();

/** A new folder that only its owner may enter; whoever makes it removes it. */
export function makeTestFolder(purpose: string): string {
  return mkdtempSync(path.join(root, `keyreeve-${purpose}-`));
}
