import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import {
  createTestDatabase,
  describeOn,
  openTestStorage,
  startHarness,
  type TestDatabase,
} from '@keyreeve/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemRandom } from '../lib/random.ts';
import type { Storage } from './database.ts';
import { type Keyring, MasterKeyError, openKeyring } from './keyring.ts';
import { migrateStorage } from './migrate.ts';

const MASTER_KEY = Buffer.alloc(32, 1);
const WRONG_KEY = Buffer.alloc(32, 2);
const PLACE = 'outbox/out_1';

let database: TestDatabase;
let storage: Storage;
beforeEach(async () => {
  database = await createTestDatabase();
  storage = openTestStorage(database);
  await migrateStorage(storage);
});
afterEach(async () => {
  await storage.close();
  await database.drop();
});

const depsWith = (masterKey: Uint8Array) => ({
  storage,
  clock: { now: () => 1_000 },
  random: systemRandom,
  masterKey,
});

function open(masterKey: Uint8Array = MASTER_KEY): Promise<Keyring> {
  return openKeyring(depsWith(masterKey));
}

describe('the keyring', () => {
  it('opens again with the same master key, with the same keys', async () => {
    const first = await open();
    const again = await open();
    for (const purpose of ['pepper', 'row', 'seal'] as const) {
      expect(again.current(purpose).id).toBe(first.current(purpose).id);
      expect(again.current(purpose).key.equals(first.current(purpose).key)).toBe(true);
    }
    expect(again.open(first.seal('a mail', PLACE), PLACE)).toBe('a mail');
  });

  it('refuses a wrong master key, and says what to restore', async () => {
    await open();
    await expect(open(WRONG_KEY)).rejects.toThrow(MasterKeyError);
    await expect(open(WRONG_KEY)).rejects.toThrow(
      /The master key is not the one that this database was made with\. Restore the right KEYREEVE_MASTER_KEY/,
    );
    await open();
  });

  it('refuses a data key that was moved to another id or another purpose', async () => {
    const keyring = await open();
    const { id } = keyring.current('row');
    await storage.write.updateTable('data_keys').set({ purpose: 'pepper' }).where('id', '=', id).execute();
    await expect(open()).rejects.toThrow(`The data key ${id} does not open with this master key.`);
    await storage.write
      .updateTable('data_keys')
      .set({ purpose: 'row', id: 'dk_other' })
      .where('id', '=', id)
      .execute();
    await expect(open()).rejects.toThrow('The data key dk_other does not open');
  });

  it('uses no key for two purposes', async () => {
    const keyring = await open();
    const keys = (['pepper', 'row', 'seal'] as const).map((purpose) =>
      keyring.current(purpose).key.export().toString('hex'),
    );
    expect(new Set(keys).size).toBe(3);
  });

  it('finds a key by its id, and nothing for an unknown one', async () => {
    const keyring = await open();
    expect(keyring.find(keyring.current('pepper').id)?.purpose).toBe('pepper');
    expect(keyring.find('dk_unknown')).toBeNull();
  });
});

describe('a sealed value', () => {
  it('opens in its place only', async () => {
    const keyring = await open();
    const sealed = keyring.seal('the secret key', PLACE);
    expect(sealed).not.toContain('secret');
    expect(keyring.open(sealed, PLACE)).toBe('the secret key');
    for (const place of ['outbox/out_2', 'outbox', '']) {
      expect(() => keyring.open(sealed, place)).toThrow('does not open: it was altered or moved');
    }
  });

  it('does not open when it was altered, or names another data key', async () => {
    const keyring = await open();
    const sealed = keyring.seal('the secret key', PLACE);
    const [id = '', text = ''] = sealed.split(':');
    const altered = [
      '',
      ':',
      id,
      `${id}:`,
      `dk_unknown:${text}`,
      `${keyring.current('pepper').id}:${text}`,
      `${id}:${text.slice(0, -2)}`,
      `${id}:${text.startsWith('A') ? 'B' : 'A'}${text.slice(1)}`,
    ];
    for (const value of altered) expect(() => keyring.open(value, PLACE)).toThrow('does not open');
  });

  it('keeps every character', async () => {
    const keyring = await open();
    for (const text of ['', 'a:b:c', 'あ\u{1F600}\n\0', 'x'.repeat(100_000)]) {
      expect(keyring.open(keyring.seal(text, PLACE), PLACE)).toBe(text);
    }
  });
});

describeOn('sqlite', 'an embedded installation', () => {
  it('keeps its master key in a file of its own, and not in the database', async () => {
    const harness = await startHarness({ environment: { KEYREEVE_MASTER_KEY: '' } });
    const { dataDir } = harness.database;
    const text = readFileSync(path.join(dataDir, 'master.key'), 'utf8').trim();
    for (const file of readdirSync(dataDir).filter((name) => name !== 'master.key' && name.includes('.db'))) {
      const bytes = readFileSync(path.join(dataDir, file));
      expect(bytes.includes(text) || bytes.includes(Buffer.from(text, 'base64'))).toBe(false);
    }
    await harness.close();
  });

  it('refuses to start beside an existing database whose key file is gone, and makes none', async () => {
    const harness = await startHarness({ environment: { KEYREEVE_MASTER_KEY: '' } });
    const keyFile = path.join(harness.database.dataDir, 'master.key');
    rmSync(keyFile);
    await expect(harness.restart()).rejects.toThrow(
      /There is a database in .*, but its master key is missing/,
    );
    expect(existsSync(keyFile)).toBe(false);
    await harness.database.drop();
  });
});
