import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import type { Program } from '../programs.ts';
import { freePort, sleep } from '../server-process.ts';
import { openProgramFolder, type ProgramFolder, runProgram, startUnprivileged } from './programs.ts';

const BINARIES = '/usr/lib/postgresql/15/bin';
const POLL_MS = 10;
const READY_TIMEOUT_MS = 20_000;

/** A PostgreSQL of Debian in a folder of its own; no service of the system is touched. */
export interface PostgresServer {
  readonly port: number;
  readonly dataDir: string;
  readonly url: string;
  /** As `pg_ctl stop -m immediate` does it. */
  crash(): Promise<void>;
  /** Starts it again after a crash: what was acknowledged is recovered from the log. */
  restart(): Promise<void>;
  /** SIGKILL to the server and every process of it, at once. */
  kill(): Promise<void>;
  /** A standby becomes the primary; resolves when it takes writes. */
  promote(): Promise<void>;
  query<Row extends pg.QueryResultRow>(sql: string): Promise<Row[]>;
  close(): Promise<void>;
}

const SETTINGS = [
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  'max_connections=120',
  // A standby that has lost its primary sleeps so long before it sees that it is promoted; 5 seconds otherwise.
  'wal_retrieve_retry_interval=100ms',
];

/** Starts an empty server with a database `keyreeve`. */
export async function startPostgres(folder?: ProgramFolder): Promise<PostgresServer> {
  const home = folder ?? openProgramFolder();
  const dataDir = home.makePrivate('primary');
  const init = ['--pgdata', dataDir, '--username=keyreeve', '--auth=trust', '--no-sync', '--locale=C'];
  await runProgram(`${BINARIES}/initdb`, [...init, '--encoding=UTF8'], dataDir);
  const server = await openPostgres(dataDir, folder === undefined ? home : null, await freePort());
  const client = new pg.Client({ connectionString: server.url.replace(/keyreeve$/, 'postgres') });
  await client.connect();
  await client.query('create database keyreeve');
  await client.end();
  return server;
}

/** A standby of the primary that follows it by streaming replication under the name `standby`. */
export async function startStandby(
  primary: PostgresServer,
  folder: ProgramFolder,
  port: number,
): Promise<PostgresServer> {
  const dataDir = folder.makePrivate('standby');
  const source = `host=127.0.0.1 port=${primary.port} user=keyreeve application_name=standby`;
  const copy = ['--pgdata', dataDir, '--dbname', source, '--wal-method=stream', '--checkpoint=fast'];
  await runProgram(`${BINARIES}/pg_basebackup`, [...copy, '--no-sync'], folder.path);
  appendFileSync(path.join(dataDir, 'postgresql.auto.conf'), `primary_conninfo = '${source}'\n`);
  writeFileSync(path.join(dataDir, 'standby.signal'), '');
  return await openPostgres(dataDir, null, port);
}

async function openPostgres(
  dataDir: string,
  ownFolder: ProgramFolder | null,
  port: number,
): Promise<PostgresServer> {
  const url = `postgres://keyreeve@127.0.0.1:${port}/keyreeve`;
  const start = async (): Promise<Program> => {
    const flags = [...SETTINGS, `port=${port}`].flatMap((one) => ['-c', one]);
    const started = await startUnprivileged(`${BINARIES}/postgres`, ['-D', dataDir, ...flags], {
      cwd: dataDir,
      port,
    });
    await waitUntilReady(url);
    return started;
  };
  let program = await start();
  const query = async <Row extends pg.QueryResultRow>(sql: string) => {
    const client = new pg.Client({ connectionString: url, query_timeout: 10_000 });
    client.on('error', () => {}); // Told by the query; a server that is killed afterwards is what the test wants.
    await client.connect();
    try {
      return (await client.query<Row>(sql)).rows;
    } finally {
      await client.end();
    }
  };
  return {
    port,
    dataDir,
    url,
    query,
    crash: () => program.end('SIGQUIT'),
    restart: async () => {
      program = await start();
    },
    kill: async () => {
      const memory = readSharedMemory(dataDir);
      for (const pid of [program.pid, ...readChildren(program.pid)]) killIfThere(pid);
      await program.end('SIGKILL');
      if (memory !== null) await runProgram('/usr/bin/ipcrm', ['--shmem-id', memory], '/');
    },
    promote: async () => {
      await runProgram(`${BINARIES}/pg_ctl`, ['promote', '--pgdata', dataDir, '--wait'], dataDir);
    },
    close: async () => {
      await program.end('SIGQUIT');
      ownFolder?.remove();
    },
  };
}

/** It takes connections before it answers: after a crash it reads its log first. */
async function waitUntilReady(url: string): Promise<void> {
  const deadline = performance.now() + READY_TIMEOUT_MS;
  for (;;) {
    const client = new pg.Client({ connectionString: url.replace(/keyreeve$/, 'postgres') });
    client.on('error', () => {}); // The promise of `connect` tells it.
    try {
      await client.connect();
      await client.end();
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await sleep(POLL_MS);
    }
  }
}

function readChildren(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // A child of the database that has ended in between: gone is what it should be.
  }
}

/** A killed server leaves a piece of shared memory, named on the seventh line of its pid file, until it is started again. */
function readSharedMemory(dataDir: string): string | null {
  const line = readFileSync(path.join(dataDir, 'postmaster.pid'), 'utf8').split('\n')[6];
  return line?.trim().split(/\s+/)[1] ?? null;
}
