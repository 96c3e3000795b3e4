/**
 * Rounds of random requests in a process of their own, each on a server and a database of its own: `node
 * e2e/proof/fuzz-worker.ts <seed> <rounds> <requests of a round>`; with a fourth argument, the address of a PostgreSQL
 * server, on databases there. Each round is one line of JSON, with the seed that repeats it.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startHarness, type TestDatabase } from '@keyreeve/testkit';
import pg from 'pg';
import { readApiDocument } from './fuzz-document.ts';
import { openBench, portOf } from './fuzz-round.ts';

const [seed = 0, rounds = 0, requestCount = 0] = process.argv.slice(2, 5).map(Number);
const postgresUrl = process.argv[5];
const api = readApiDocument();

for (let round = 0; round < rounds; round += 1) {
  const database = postgresUrl === undefined ? {} : { database: await createDatabase(postgresUrl) };
  const harness = await startHarness({ ...database, environment: { KEYREEVE_TRUST_PROXY: '127.0.0.1' } });
  await harness.app.listen({ host: '127.0.0.1', port: 0 });
  const bench = await openBench(harness);
  const options = {
    api,
    operations: api.operations,
    port: portOf(harness.app),
    seed: seed + round,
    requestCount,
  };
  const result = await bench.run(options);
  process.stdout.write(`${JSON.stringify({ seed: seed + round, ...result })}\n`);
  bench.close();
  await harness.close();
}

async function createDatabase(url: string): Promise<TestDatabase> {
  const name = `fuzz_${randomBytes(8).toString('hex')}`;
  const dataDir = mkdtempSync(path.join(tmpdir(), 'keyreeve-test-'));
  const run = async (sql: string) => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query(sql);
    await client.end();
  };
  await run(`create database ${name}`);
  const own = new URL(url);
  own.pathname = `/${name}`;
  return {
    engine: 'postgres',
    dataDir,
    url: own.href,
    drop: async () => {
      await run(`drop database ${name} with (force)`);
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
