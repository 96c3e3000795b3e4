import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { BROAD_WORD, RARE_WORD, seededId } from '../packages/server/src/demo/fill-gallery.ts';
import { setup } from '../packages/testkit/src/postgres-global-setup.ts';
import { measureLatency } from './latency.ts';
import { seedGallery } from './seed-gallery.ts';
import { startKeyreeve } from './servers.ts';

const SIZES = [1_000, 10_000];
const REQUESTS = Number(process.env['BENCH_REQUESTS'] ?? 800);
// As many as make the server's code fast, so that the figures are those of a server that has run for a while.
const WARM_UP = 300;
const LONG_EVERY = 100;

type Urls = Readonly<Record<string, (turn: number) => string>>;

/** What clients ask, about other packages each time. */
function makeUrls(base: string, packages: number): Urls {
  // A step that meets every package before it meets one again.
  const short = (turn: number) => seededId((turn * 7_919 + 1) % packages || 1);
  const long = (turn: number) => seededId((turn * LONG_EVERY) % packages);
  const v3 = (query: string) => () =>
    `${base}/v3/search?${query}&skip=0&take=20&prerelease=false&semVerLevel=2.0.0`;
  const v2 = (term: string) => () =>
    `${base}/api/v2/Search()?$filter=IsLatestVersion&$orderby=Id&searchTerm='${term}'&targetFramework=''&includePrerelease=false&$skip=0&$top=30&semVerLevel=2.0.0`;
  return {
    'V3 search, rare word': v3(`q=${RARE_WORD}`),
    'V3 search, broad word': v3(`q=${BROAD_WORD}`),
    'V3 search, id': (turn) => v3(`q=${short(turn)}`)(),
    'V3 search, empty': v3('q='),
    'V2 Search, rare word': v2(RARE_WORD),
    'V2 Search, broad word': v2(BROAD_WORD),
    'V2 Search, empty': v2(''),
    'FindPackagesById, 9 versions': (turn) =>
      `${base}/api/v2/FindPackagesById()?id='${short(turn)}'&semVerLevel=2.0.0`,
    'FindPackagesById, 109': (turn) =>
      `${base}/api/v2/FindPackagesById()?id='${long(turn)}'&semVerLevel=2.0.0`,
    'registration, 9 versions': (turn) =>
      `${base}/v3/registration-semver2/${short(turn).toLowerCase()}/index.json`,
    'registration, 109': (turn) => `${base}/v3/registration-semver2/${long(turn).toLowerCase()}/index.json`,
    'flat index, 109': (turn) => `${base}/v3/flat/${long(turn).toLowerCase()}/index.json`,
  };
}

interface Place {
  readonly environment: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

function openSqlite(): Place {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'keyreeve-bench-'));
  return {
    environment: { KEYREEVE_DATA_DIR: dataDir, KEYREEVE_MASTER_KEY: randomBytes(32).toString('base64') },
    close: () => Promise.resolve(rmSync(dataDir, { recursive: true, force: true })),
  };
}

async function openPostgres(serverUrl: string): Promise<Place> {
  const name = `bench_${randomBytes(6).toString('hex')}`;
  await runSql(serverUrl, `create database ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  const folder = openSqlite();
  return {
    environment: { ...folder.environment, KEYREEVE_DATABASE_URL: url.href },
    close: async () => {
      await runSql(serverUrl, `drop database ${name} with (force)`);
      await folder.close();
    },
  };
}

async function runSql(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

async function measurePlace(place: Place, packages: number): Promise<Map<string, string>> {
  const { environment } = place;
  await seedGallery(environment, packages);
  const url = environment['KEYREEVE_DATABASE_URL'];
  // What the database does by itself within a minute.
  if (url !== undefined) await runSql(url, 'vacuum analyze');
  const server = await startKeyreeve(environment);
  const cells = new Map<string, string>();
  try {
    for (const [name, address] of Object.entries(makeUrls(server.url, packages))) {
      if (process.argv[3] !== undefined && !name.includes(process.argv[3])) continue;
      await measureLatency(address, WARM_UP);
      const { p50, p95, max } = await measureLatency(address, REQUESTS);
      const cell = [p50, p95, max].map((ms) => ms.toFixed(1).padStart(6)).join(' ');
      process.stdout.write(`  ${name.padEnd(30)}${cell}\n`);
      cells.set(name, cell);
    }
  } finally {
    await server.stop();
  }
  return cells;
}

async function main(): Promise<void> {
  let serverUrl = '';
  const engines = (process.argv[2] ?? 'sqlite,postgres').split(',');
  const stopPostgres = engines.includes('postgres')
    ? await setup({
        provide: (name: string, value: string) => name === 'postgresUrl' && (serverUrl = value),
      } as never)
    : async () => undefined;
  try {
    const columns = new Map<string, Map<string, string>>();
    for (const engine of engines) {
      for (const packages of SIZES) {
        const place = engine === 'postgres' ? await openPostgres(serverUrl) : openSqlite();
        try {
          columns.set(`${engine} ${packages}`, await measurePlace(place, packages));
        } finally {
          await place.close();
        }
      }
    }
    print(columns);
  } finally {
    await stopPostgres();
  }
}

function print(columns: ReadonlyMap<string, ReadonlyMap<string, string>>): void {
  const names = [...(columns.values().next().value?.keys() ?? [])];
  const width = 22;
  const lines = [
    `${REQUESTS} requests each, 8 connections without pause, one server process on one core; load of the machine ${loadavg()[0]?.toFixed(1) ?? '?'}`,
    'milliseconds: p50, p95, max',
    '',
    `${''.padEnd(30)}${[...columns.keys()].map((name) => name.padStart(width)).join('')}`,
    ...names.map(
      (name) =>
        `${name.padEnd(30)}${[...columns.values()].map((cells) => (cells.get(name) ?? '').padStart(width)).join('')}`,
    ),
  ];
  process.stdout.write(`\n${lines.join('\n')}\n`);
}

await main();
