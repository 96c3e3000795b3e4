import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as sqlite from 'node:sqlite';
import { Kysely, sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CommitOutcomeUnknown, isUnavailable } from './faults.ts';
import { createSqliteDialect, openSqlite } from './sqlite-adapter.ts';

/** The real library, which a test can make deaf to one setting or pretend to be older, as odd builds are. */
const planted = { ignoredPragma: '', version: '', failsToSync: false };
const genuine = Object.getOwnPropertyDescriptors(sqlite.DatabaseSync.prototype);
const exec = genuine.exec.value as (this: sqlite.DatabaseSync, text: string) => void;
const prepare = genuine.prepare.value as (this: sqlite.DatabaseSync, text: string) => sqlite.StatementSync;

function execPlanted(this: sqlite.DatabaseSync, text: string): void {
  const { ignoredPragma } = planted;
  if (ignoredPragma === '' || !text.startsWith(`pragma ${ignoredPragma} =`)) exec.call(this, text);
  // Some defaults are what we want, in this build; a deaf one must start from something else.
  else if (['synchronous', 'foreign_keys'].includes(ignoredPragma))
    exec.call(this, `pragma ${ignoredPragma} = 0`);
}

/** A commit of which the disk does not say that it has it (SQLITE_IOERR_FSYNC). */
function failToSync(statement: sqlite.StatementSync): sqlite.StatementSync {
  vi.spyOn(statement, 'run').mockImplementation(() => {
    throw Object.assign(new Error('disk I/O error'), { code: 'ERR_SQLITE_ERROR', errcode: 1034 });
  });
  return statement;
}

function preparePlanted(this: sqlite.DatabaseSync, text: string): sqlite.StatementSync {
  if (planted.failsToSync && text === 'commit') return failToSync(prepare.call(this, text));
  const isPlanted = planted.version !== '' && text.includes('sqlite_version');
  return prepare.call(this, isPlanted ? `select '${planted.version}' as version` : text);
}

let folder = '';
beforeEach(() => {
  vi.spyOn(sqlite.DatabaseSync.prototype, 'exec').mockImplementation(execPlanted);
  vi.spyOn(sqlite.DatabaseSync.prototype, 'prepare').mockImplementation(preparePlanted);
  folder = mkdtempSync(path.join(tmpdir(), 'keyreeve-sqlite-'));
});
afterEach(() => {
  vi.restoreAllMocks();
  planted.ignoredPragma = '';
  planted.version = '';
  planted.failsToSync = false;
  rmSync(folder, { recursive: true });
});

const fileIn = () => path.join(folder, 'test.db');

function pragma(database: sqlite.DatabaseSync, name: string): unknown {
  return Object.values(database.prepare(`pragma ${name}`).get() ?? {})[0];
}

describe('openSqlite', () => {
  it('gives every connection the settings that keep acknowledged writes', () => {
    const writer = openSqlite({ file: fileIn(), readOnly: false });
    const reader = openSqlite({ file: fileIn(), readOnly: true });
    // Whoever writes tries again without holding up the process; readers wait only for a repair after a crash.
    expect([pragma(writer, 'busy_timeout'), pragma(reader, 'busy_timeout')]).toEqual([0, 500]);
    for (const database of [writer, reader]) {
      expect(pragma(database, 'journal_mode')).toBe('wal');
      expect(pragma(database, 'synchronous')).toBe(2);
      expect(pragma(database, 'foreign_keys')).toBe(1);
      expect(pragma(database, 'trusted_schema')).toBe(0);
      expect(pragma(database, 'secure_delete')).toBe(1);
      database.close();
    }
  });

  it.each([
    ['synchronous', 'FULL'],
    ['foreign_keys', 'ON'],
    ['trusted_schema', 'OFF'],
    ['temp_store', 'MEMORY'],
    ['secure_delete', 'ON'],
    ['journal_mode', 'wal'],
  ])('refuses to start when %s is silently ignored', (name, value) => {
    planted.ignoredPragma = name;
    expect(() => openSqlite({ file: fileIn(), readOnly: false })).toThrow(
      `SQLite did not accept ${name}=${value}`,
    );
  });

  it('refuses a file that cannot have a write-ahead log', () => {
    expect(() => openSqlite({ file: ':memory:', readOnly: false })).toThrow(
      'did not accept journal_mode=wal (it says memory)',
    );
  });

  it.each(['3.51.2', '3.50.9', '2.99.99', '3.51'])(
    'refuses SQLite %s, which can corrupt its log',
    (version) => {
      planted.version = version;
      expect(() => openSqlite({ file: fileIn(), readOnly: false })).toThrow(
        `SQLite ${version} can corrupt its log`,
      );
    },
  );

  it.each(['3.51.3', '3.52.0', '3.100.0', '4.0.0'])('accepts SQLite %s', (version) => {
    planted.version = version;
    openSqlite({ file: fileIn(), readOnly: false }).close();
  });

  it('cannot write through a connection for reading', () => {
    openSqlite({ file: fileIn(), readOnly: false }).close();
    const reader = openSqlite({ file: fileIn(), readOnly: true });
    expect(() => reader.exec('create table t (a)')).toThrow('readonly');
    reader.close();
  });
});

describe('the dialect', () => {
  it('takes the write lock when a transaction begins, not at its first write', async () => {
    const first = new Kysely<unknown>({
      dialect: createSqliteDialect(openSqlite({ file: fileIn(), readOnly: false })),
    });
    const second = openSqlite({ file: fileIn(), readOnly: false });
    await first.transaction().execute(() => {
      expect(() => second.exec('begin immediate')).toThrow('database is locked');
      return Promise.resolve();
    });
    second.exec('begin immediate; rollback');
    second.close();
    await first.destroy();
  });

  it('goes on working after more different statements than it keeps prepared', async () => {
    const db = new Kysely<unknown>({
      dialect: createSqliteDialect(openSqlite({ file: fileIn(), readOnly: false })),
    });
    for (let round = 0; round < 2; round += 1) {
      for (let index = 0; index < 600; index += 1) {
        const { rows } = await sql<{ value: number }>`select ${sql.lit(index)} as value`.execute(db);
        expect(rows).toEqual([{ value: index }]);
      }
    }
    await db.destroy();
  });

  it('rolls a changed schema back with its transaction', async () => {
    const db = new Kysely<unknown>({
      dialect: createSqliteDialect(openSqlite({ file: fileIn(), readOnly: false })),
    });
    const failed = db.transaction().execute(async (tx) => {
      await sql`create table t (a)`.execute(tx);
      throw new Error('in the middle');
    });
    await expect(failed).rejects.toThrow('in the middle');
    await expect(sql`select * from t`.execute(db)).rejects.toThrow('no such table');
    await db.destroy();
  });
});

describe('a transaction that the disk does not take', () => {
  type Notes = { notes: { text: string } };

  async function openNotes(): Promise<{ database: sqlite.DatabaseSync; db: Kysely<Notes> }> {
    const database = openSqlite({ file: fileIn(), readOnly: false });
    const db = new Kysely<Notes>({ dialect: createSqliteDialect(database) });
    await db.schema.createTable('notes').addColumn('text', 'text').execute();
    return { database, db };
  }

  const write = (db: Kysely<Notes>, text: string) =>
    db.transaction().execute((tx) => tx.insertInto('notes').values({ text }).execute());

  it('fails with what the disk said, not with the rollback that SQLite has made itself, and the next one goes on', async () => {
    const { database, db } = await openNotes();
    database.exec(`pragma max_page_count = ${Number(pragma(database, 'page_count'))}`);
    await expect(write(db, 'x'.repeat(100_000))).rejects.toSatisfy(isUnavailable);
    database.exec('pragma max_page_count = 1000');
    await write(db, 'there is room');
    expect(await db.selectFrom('notes').selectAll().execute()).toEqual([{ text: 'there is room' }]);
    await db.destroy();
  });

  it('leaves open whether it is stored when the disk does not say that it has it', async () => {
    const { db } = await openNotes();
    planted.failsToSync = true;
    await expect(write(db, 'perhaps')).rejects.toBeInstanceOf(CommitOutcomeUnknown);
    await db.destroy();
  });
});
