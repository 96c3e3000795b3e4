import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  opendirSync,
  openSync,
  readSync,
  realpathSync,
  statSync,
} from 'node:fs';
import path from 'node:path';

const READ_BYTES = 262_144;
const READ_BYTES_MIN = 4_096;
/** What the kernel shows there are no files, some of them endless. */
const KERNEL_FOLDERS = new Set(['/proc', '/sys', '/dev']);

/** What the walk meets. */
export type Met =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'repository'; readonly path: string }
  | { readonly kind: 'unreadable'; readonly path: string; readonly reason: string };

/** `ENOENT` and the like: what the system said, without its wording. */
export function reasonOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unreadable';
}

function isGitFolder(folder: string): boolean {
  const isThere = (name: string) =>
    lstatSync(path.join(folder, name), { throwIfNoEntry: false }) !== undefined;
  return isThere('HEAD') && isThere('objects') && isThere('refs');
}

/**
 * Every file below a path, then every git repository. Nothing is left out because some file says so (`.gitignore`):
 * keys lie where nobody looks. What is inside a repository's own folder is compressed; its history is read through
 * git instead. Symbolic links are followed when they are named, never when they are met: what they point to is
 * either below the path anyway or not meant.
 */
export function* walk(root: string): Generator<Met> {
  const pending = [root];
  const repositories: string[] = [];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    try {
      yield* visit(next, next === root, pending, repositories);
    } catch (error) {
      yield { kind: 'unreadable', path: next, reason: reasonOf(error) };
    }
  }
  for (const repository of repositories) yield { kind: 'repository', path: repository };
}

function* visit(place: string, isRoot: boolean, pending: string[], repositories: string[]): Generator<Met> {
  const stats = isRoot ? statSync(place) : lstatSync(place);
  if (stats.isFile()) {
    yield { kind: 'file', path: place };
    return;
  }
  if (!stats.isDirectory() || KERNEL_FOLDERS.has(realpathSync(place))) return;
  if (isGitFolder(place)) {
    repositories.push(place);
    return;
  }
  const folder = opendirSync(place);
  const inside: string[] = [];
  try {
    for (let entry = folder.readSync(); entry !== null; entry = folder.readSync()) {
      if (entry.name === '.git') repositories.push(place);
      else inside.push(path.join(place, entry.name));
    }
  } finally {
    folder.closeSync();
  }
  // The last one pushed comes first: this order shows files as `ls` does.
  pending.push(...inside.toSorted().toReversed());
}

/**
 * The bytes of a file, in parts.
 *
 * @throws the error of the system when it cannot be read
 */
export function* readParts(file: string, isNamed: boolean): Generator<Buffer> {
  // Between the walk and this, a file may have become a link or a pipe: neither is followed or waited for.
  const noFollow = isNamed ? 0 : (constants.O_NOFOLLOW ?? 0);
  const descriptor = openSync(file, constants.O_RDONLY | noFollow | (constants.O_NONBLOCK ?? 0));
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) return;
    for (;;) {
      // One byte more than the file has, so that most files are read at once and seen to end.
      const part = Buffer.allocUnsafe(Math.min(READ_BYTES, Math.max(READ_BYTES_MIN, stats.size + 1)));
      const length = readSync(descriptor, part);
      if (length === 0) return;
      yield part.subarray(0, length);
    }
  } finally {
    closeSync(descriptor);
  }
}
