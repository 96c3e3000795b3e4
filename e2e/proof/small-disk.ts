import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const FILLER = 'filler';
const CHUNKS_BYTES = [1_048_576, 65_536, 4_096, 512];

function run(command: string, ...args: string[]): void {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

function isFull(error: unknown): boolean {
  return error instanceof Error && Reflect.get(error, 'code') === 'ENOSPC';
}

/** A file system of a few megabytes and a few files, which a test fills and frees. */
export class SmallDisk {
  readonly folder: string;
  readonly #image: string | null;

  /** @param kind `tmpfs` is there in milliseconds; `ext4` is a file system as servers have it, in a file in memory. */
  constructor(kind: 'tmpfs' | 'ext4', mebibytes: number, files: number) {
    this.folder = mkdtempSync(path.join(tmpdir(), 'keyreeve-disk-'));
    this.#image = kind === 'ext4' ? `/dev/shm/${path.basename(this.folder)}.img` : null;
    if (this.#image === null) {
      run('mount', '-t', 'tmpfs', '-o', `size=${mebibytes}m,nr_inodes=${files}`, 'tmpfs', this.folder);
      return;
    }
    run('truncate', '-s', `${mebibytes}M`, this.#image);
    // Nothing is kept back for root, as whom tests may run.
    run('mkfs.ext4', '-q', '-F', '-m', '0', '-N', String(files), this.#image);
    run('mount', '-o', 'loop', this.#image, this.folder);
  }

  /** Leaves no byte. */
  fill(): void {
    const handle = openSync(path.join(this.folder, FILLER), 'w');
    try {
      for (const size of CHUNKS_BYTES) this.#writeUntilFull(handle, Buffer.alloc(size));
    } finally {
      closeSync(handle);
    }
  }

  #writeUntilFull(handle: number, chunk: Buffer): void {
    try {
      while (writeSync(handle, chunk) === chunk.length);
    } catch (error) {
      if (!isFull(error)) throw error;
    }
  }

  /** Leaves no room for one more file, but for bytes. */
  fillFiles(): void {
    const folder = path.join(this.folder, FILLER);
    mkdirSync(folder);
    try {
      for (let made = 0; ; made += 1) writeFileSync(path.join(folder, String(made)), '');
    } catch (error) {
      if (!isFull(error)) throw error;
    }
  }

  free(): void {
    rmSync(path.join(this.folder, FILLER), { recursive: true, force: true });
  }

  dispose(): void {
    run('umount', '--lazy', this.folder);
    for (const left of [this.folder, this.#image])
      if (left !== null) rmSync(left, { recursive: true, force: true });
  }
}
