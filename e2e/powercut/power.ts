import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const IMAGE_BYTES = '64M';

function run(command: string, ...args: string[]): void {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

/**
 * A disk whose power can be cut: an ext4 file system in a file in memory, mounted so that nothing but a sync
 * writes to it. A copy of that file at any moment is what a real disk would hold after the cut.
 */
export class CuttableDisk {
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'keyreeve-power-'));
  readonly #image = path.join('/dev/shm', `${path.basename(this.#folder)}.img`);
  readonly #copy = `${this.#image}.cut`;
  readonly before = path.join(this.#folder, 'before');
  readonly after = path.join(this.#folder, 'after');

  constructor() {
    mkdirSync(this.before);
    mkdirSync(this.after);
    run('truncate', '-s', IMAGE_BYTES, this.#image);
    run('mkfs.ext4', '-q', '-F', '-E', 'lazy_itable_init=0,lazy_journal_init=0', this.#image);
    run('mount', '-o', 'loop,commit=300', this.#image, this.before);
  }

  /** What the disk holds right now, as after a cut. */
  cut(): void {
    copyFileSync(this.#image, this.#copy);
  }

  /** Power is back: the journal is replayed, and the disk is at `after`. */
  restore(): void {
    run('umount', '--lazy', this.before);
    run('mount', '-o', 'loop', this.#copy, this.after);
  }

  dispose(): void {
    for (const folder of [this.before, this.after]) {
      try {
        run('umount', '--lazy', folder);
      } catch {
        // It was not mounted: the round ended before that.
      }
    }
    for (const file of [this.#image, this.#copy, this.#folder])
      rmSync(file, { recursive: true, force: true });
  }
}
