import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../lib/secret.ts';
import { MasterKeyError } from './keyring.ts';
import { isNewSqliteDatabase, loadMasterKey } from './master-key.ts';

let dataDir = '';
beforeEach(() => {
  dataDir = mkdtempSync(path.join(tmpdir(), 'keyreeve-master-'));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

function load(isNewDatabase: boolean, masterKey: Secret | null = null): Uint8Array {
  return loadMasterKey({ database: { engine: 'sqlite' }, dataDir, masterKey }, isNewDatabase);
}

describe('the master key', () => {
  it('is made together with a new database, for its owner alone, and found again', () => {
    const made = load(true);
    expect(made).toHaveLength(32);
    expect(statSync(path.join(dataDir, 'master.key')).mode & 0o777).toBe(0o600);
    expect(Buffer.from(load(false))).toEqual(Buffer.from(made));
    expect(Buffer.from(load(true))).toEqual(Buffer.from(made));
  });

  it('is never made beside an existing database: that would hide that the real one is lost', () => {
    expect(() => load(false)).toThrow(MasterKeyError);
    expect(() => load(false)).toThrow(/its master key is missing.*KEYREEVE_MASTER_KEY.*master\.key/);
    expect(() => statSync(path.join(dataDir, 'master.key'))).toThrow('ENOENT');
  });

  it('from the configuration comes before the file, and writes none', () => {
    const configured = Buffer.alloc(32, 9);
    expect(Buffer.from(load(true, new Secret(configured.toString('base64'))))).toEqual(configured);
    expect(() => readFileSync(path.join(dataDir, 'master.key'))).toThrow('ENOENT');
  });

  it.each(['', 'short', Buffer.alloc(31).toString('base64'), Buffer.alloc(64).toString('base64')])(
    'is refused when its file holds %j, without repeating it',
    (text) => {
      writeFileSync(path.join(dataDir, 'master.key'), text);
      expect(() => load(false)).toThrow(/must hold exactly 32 bytes/);
      if (text !== '') expect(() => load(false)).not.toThrow(text);
    },
  );

  it('tells a new database by its missing file', () => {
    expect(isNewSqliteDatabase(dataDir)).toBe(true);
    writeFileSync(path.join(dataDir, 'keyreeve.db'), '');
    expect(isNewSqliteDatabase(dataDir)).toBe(false);
  });
});
