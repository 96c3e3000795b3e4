import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSqlite } from '../storage/sqlite-adapter.ts';
import { renameToNew } from './backup.ts';

const MAIN = path.join(import.meta.dirname, '../start.mjs');
const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;
/** Root becomes somebody else for it, who must be able to read the program. */
const canBeOther = !isRoot || spawnSync('test', ['-r', MAIN], { uid: NOBODY, gid: NOBODY }).status === 0;

let folder: string;
let dataDir: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'keyreeve-places-'));
  chmodSync(folder, 0o755);
  dataDir = path.join(folder, 'data');
  mkdirSync(dataDir, { mode: 0o700 });
});
afterEach(() => {
  chmodSync(dataDir, 0o700);
  rmSync(folder, { recursive: true, force: true });
});

function keyreeve(words: readonly string[], user: { readonly uid?: number; readonly gid?: number } = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...words, '--json'], {
    cwd: folder,
    env: {
      PATH: process.env['PATH'],
      KEYREEVE_DATA_DIR: dataDir,
      KEYREEVE_MASTER_KEY: Buffer.alloc(32, 7).toString('base64'),
    },
    encoding: 'utf8',
    ...user,
  });
  return { status, stdout, stderr };
}

const faultIn = (stderr: string) => JSON.parse(stderr) as { readonly error: { readonly code: string } };

function makeDatabase(): void {
  for (const name of ['keyreeve.db', 'usage.db']) {
    const database = openSqlite({ file: path.join(dataDir, name), readOnly: false });
    database.exec('create table t (id integer primary key)');
    database.close();
    chmodSync(path.join(dataDir, name), 0o600);
  }
}

describe('a user who may not enter the data folder', () => {
  const commands = canBeOther ? ['backup', 'restore'] : [];
  it.each(commands)('is told so by %s, not that there is no database', (command) => {
    makeDatabase();
    const file = path.join(folder, 'given.backup');
    if (command === 'restore') writeFileSync(file, 'anything', { mode: 0o644 });
    if (!isRoot) chmodSync(dataDir, 0o000);
    const { status, stderr } = keyreeve([command, file], isRoot ? { uid: NOBODY, gid: NOBODY } : {});
    expect(status).toBe(1);
    expect(faultIn(stderr)).toMatchObject({
      error: { code: 'command.no_access', message: expect.stringContaining(dataDir) },
    });
  });
});

describe('the doctor', () => {
  it('tells files that it may not open from damaged ones', () => {
    if (!canBeOther) return;
    makeDatabase();
    const user = isRoot ? { uid: NOBODY, gid: NOBODY } : {};
    if (isRoot) chmodSync(dataDir, 0o755);
    else chmodSync(path.join(dataDir, 'keyreeve.db'), 0o000);
    const { faults } = JSON.parse(keyreeve(['doctor'], user).stdout) as { faults: { code: string }[] };
    expect(faults.map(({ code }) => code)).toContain('database.unreadable');
    expect(faults.map(({ code }) => code)).not.toContain('database.corrupt');
  });
});

describe('the files of locks', () => {
  it('are found by the doctor when they belong to another user, as a command of root leaves them', () => {
    if (!isRoot) return;
    makeDatabase();
    writeFileSync(path.join(dataDir, 'lock.db'), '', { mode: 0o644 });
    chownSync(path.join(dataDir, 'lock.db'), NOBODY, NOBODY);
    const { faults } = JSON.parse(keyreeve(['doctor']).stdout) as {
      faults: { code: string; message: string }[];
    };
    const ofLock = faults.filter(({ message }) => message.includes('lock.db'));
    expect(ofLock.map(({ code }) => code)).toEqual(['data.foreign_owner']);
  });
});

describe('a restore', () => {
  it('of a folder says that it is none', () => {
    expect(faultIn(keyreeve(['restore', folder]).stderr).error.code).toBe('restore.no_file');
  });

  it('by root into the folder of another user is refused, for the server could not use it', () => {
    // Nobody else can make files there that the server, as the user of the folder, could not open.
    if (!isRoot) return;
    chownSync(dataDir, NOBODY, NOBODY);
    writeFileSync(path.join(folder, 'given.backup'), 'anything');
    expect(faultIn(keyreeve(['restore', 'given.backup']).stderr)).toMatchObject({
      error: { code: 'restore.foreign_owner', remedy: expect.stringContaining('65534') },
    });
    expect(existsSync(path.join(dataDir, 'lock.db'))).toBe(false);
  });
});

describe('a backup', () => {
  const noLinks = async () => {
    throw Object.assign(new Error('no links here'), { code: 'EPERM' });
  };

  it('gets its name also where there are no links, and replaces nothing there either', async () => {
    const [part, file] = [path.join(folder, 'new.part'), path.join(folder, 'new.backup')];
    writeFileSync(part, 'whole');
    await renameToNew(part, file, noLinks);
    expect(readFileSync(file, 'utf8')).toBe('whole');
    writeFileSync(part, 'another');
    await expect(renameToNew(part, file, noLinks)).rejects.toMatchObject({ code: 'backup.exists' });
    expect(readFileSync(file, 'utf8')).toBe('whole');
  });

  it.each([[[]], [['--force']]])('into a folder or a device is refused at once (%s)', (words) => {
    makeDatabase();
    for (const place of [folder, '/dev/null'])
      expect(faultIn(keyreeve(['backup', place, ...words]).stderr).error.code).toBe('backup.not_a_file');
  });
});
