import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import path from 'node:path';
import { openSqlite } from '../sqlite-adapter.ts';

const FILES = ['usage.db', 'keyreeve.db'] as const;

/** A folder beside the place of the databases, in which they are made whole first. */
export interface SqliteSite {
  readonly folder: string;
  /** Checks both files, and puts them in their place: the main one last, which makes it a deployment. */
  moveIn(): Promise<void>;
  remove(): void;
}

const SUFFIXES = ['', '-wal', '-shm', '-journal'] as const;
const FOLDER = 'restore.part';

/** Counters without a database can only be the first half of a move that was cut short, if its folder is there too. */
function isMoveCutShort(dataDir: string): boolean {
  return existsSync(path.join(dataDir, FOLDER)) && !existsSync(path.join(dataDir, 'keyreeve.db'));
}

/**
 * The files of a database that is, or was, in this place. Where one of the files was taken away and its log was not,
 * SQLite would play that log into whatever database stands there next.
 */
export function listSqliteFiles(dataDir: string): string[] {
  const names = FILES.toReversed().flatMap((name) => SUFFIXES.map((suffix) => `${name}${suffix}`));
  return names
    .filter((name) => existsSync(path.join(dataDir, name)))
    .filter((name) => name !== 'usage.db' || !isMoveCutShort(dataDir));
}

/** Clears what an earlier, interrupted restore has left, and begins anew. */
export function openSqliteSite(dataDir: string): SqliteSite {
  const folder = path.join(dataDir, FOLDER);
  const remove = () => rmSync(folder, { recursive: true, force: true });
  if (isMoveCutShort(dataDir)) rmSync(path.join(dataDir, 'usage.db'), { force: true });
  remove();
  mkdirSync(folder, { mode: 0o700 });
  return {
    folder,
    remove,
    moveIn: async () => {
      for (const name of FILES) checkFile(path.join(folder, name));
      for (const name of FILES) await rename(path.join(folder, name), path.join(dataDir, name));
      if (process.platform !== 'win32') {
        const handle = await open(dataDir, 'r');
        await handle.sync();
        await handle.close();
      }
      remove();
    },
  };
}

/** @throws Error when SQLite finds a fault in the file that it has just written: then the disk is not to be trusted */
function checkFile(file: string): void {
  const database = openSqlite({ file, readOnly: false });
  try {
    // What is moved in is the file alone, so it is the file that is looked at, without its log.
    database.exec('pragma wal_checkpoint(truncate)');
    // Whether each page, row and index can be read, in little time. That each row is found in each index is what
    // `integrity_check` adds, which `doctor` makes: with a million keys it would be a fifth of the restore, over indexes
    // that the same library has written a moment ago.
    const [found] = database.prepare('pragma quick_check(1)').all();
    const said = found === undefined ? 'nothing' : String(Object.values(found)[0]);
    if (said !== 'ok' || database.prepare('pragma foreign_key_check').all().length > 0)
      throw new Error(`The restored ${path.basename(file)} is not sound (${said}). Check the disk.`);
  } finally {
    database.close();
  }
  if (existsSync(`${file}-wal`))
    throw new Error(`The log of the restored ${path.basename(file)} is still open.`);
}
