import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { describe, expect, inject } from 'vitest';
import { Secret } from '../../server/src/lib/secret.ts';
import { openStorage, type Storage } from '../../server/src/storage/index.ts';

/** A fresh database for one test file or one test. */
export interface TestDatabase {
  readonly engine: 'sqlite' | 'postgres';
  readonly dataDir: string;
  /** Null on SQLite. */
  readonly url: string | null;
  drop(): Promise<void>;
}

export function testEngine(): 'sqlite' | 'postgres' {
  return process.env['TEST_DATABASE'] === 'postgres' ? 'postgres' : 'sqlite';
}

export interface TestDatabaseOptions {
  /** On PostgreSQL the schema may be there already, as in a server that starts once more. */
  readonly isMigrated?: boolean;
}

/** Makes a database of the engine that this run is for (`TEST_DATABASE`); the server behind PostgreSQL is real. */
export async function createTestDatabase({
  isMigrated = false,
}: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'keyreeve-test-'));
  const removeFolder = () => rmSync(dataDir, { recursive: true, force: true });
  if (testEngine() === 'sqlite') {
    return { engine: 'sqlite', dataDir, url: null, drop: () => Promise.resolve(removeFolder()) };
  }
  const serverUrl = new URL(inject('postgresUrl'));
  const name = `test_${randomBytes(8).toString('hex')}`;
  const template = isMigrated ? inject('postgresTemplate') : 'template1';
  await runOnServer(serverUrl, `create database ${name} template ${template}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return {
    engine: 'postgres',
    dataDir,
    url: url.href,
    drop: async () => {
      await runOnServer(serverUrl, `drop database if exists ${name} with (force)`);
      removeFolder();
    },
  };
}

async function runOnServer(url: URL, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

/**
 * Opens a test database as a server does, without migrating it. Without a logger of the test's own, a fault that is only
 * logged fails the test.
 */
export function openTestStorage(
  { dataDir, url }: TestDatabase,
  logger: Parameters<typeof openStorage>[1] = { error: (details: object) => expect(details).toBeNull() },
): Storage {
  return openStorage(
    { dataDir, database: url === null ? { engine: 'sqlite' } : { engine: 'postgres', url: new Secret(url) } },
    logger,
  );
}

/** A group of tests about one engine only. On the other there is nothing to test, so nothing is skipped either. */
export function describeOn(engine: 'sqlite' | 'postgres', name: string, body: () => void): void {
  if (testEngine() === engine) describe(name, body);
}
