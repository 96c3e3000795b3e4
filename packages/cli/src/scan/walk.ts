import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  statSync,
} from 'node:fs';
import path from 'node:path';

const GIT = Buffer.from('.git');
const READ_BYTES = 262_144;
const READ_BYTES_MIN = 4_096;
/** What the kernel shows there are no files, some of them endless. */
const KERNEL_FOLDERS = new Set(['/proc', '/sys', '/dev']);

/** The name of a file as people see it, and as the system has it: in bytes where it is not UTF-8. */
interface Named {
  readonly path: string;
  readonly exact: string | Buffer;
}

/** What the walk meets. */
export type Met =
  | ({ readonly kind: 'file' } & Named)
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
  const pending: Named[] = [{ path: root, exact: root }];
  const repositories: string[] = [];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    try {
      yield* visit(next, next.path === root, pending, repositories);
    } catch (error) {
      yield { kind: 'unreadable', path: next.path, reason: reasonOf(error) };
    }
  }
  for (const repository of repositories) yield { kind: 'repository', path: repository };
}

function join(folder: Named, name: Buffer): Named {
  const text = name.toString('utf8');
  const shown = path.join(folder.path, text);
  if (typeof folder.exact === 'string' && Buffer.from(text).equals(name))
    return { path: shown, exact: shown };
  return { path: shown, exact: Buffer.concat([Buffer.from(folder.exact), Buffer.from(path.sep), name]) };
}

function* visit(place: Named, isRoot: boolean, pending: Named[], repositories: string[]): Generator<Met> {
  const stats = isRoot ? statSync(place.exact) : lstatSync(place.exact);
  if (stats.isFile()) {
    yield { kind: 'file', ...place };
    return;
  }
  if (!stats.isDirectory() || KERNEL_FOLDERS.has(realpathSync.native(place.exact))) return;
  if (isGitFolder(place.path)) {
    repositories.push(place.path);
    return;
  }
  const inside: Named[] = [];
  for (const name of readdirSync(place.exact, 'buffer')) {
    if (name.equals(GIT)) repositories.push(place.path);
    else inside.push(join(place, name));
  }
  // The last one pushed comes first: this order shows files as `ls` does.
  pending.push(...inside.toSorted((one, other) => (one.path < other.path ? 1 : -1)));
}

/**
 * The bytes of a file, in parts.
 *
 * @throws the error of the system when it cannot be read
 */
export function* readParts(file: string | Buffer, isNamed: boolean): Generator<Buffer> {
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
