import { execFile } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { type Harness, recordControl, recordFigure, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startPostgres } from '../nodes/postgres.ts';
import { CORPUS } from './fuzz-bodies.ts';
import { Dice } from './fuzz-dice.ts';
import { readApiDocument } from './fuzz-document.ts';
import { judgeText, listJsonOperations, sendCorpus } from './fuzz-json.ts';
import { type FuzzBench, findServerFaults, openBench, portOf, type RoundResult } from './fuzz-round.ts';
import { buildBroken, SABOTAGES } from './fuzz-sabotage.ts';

const ITEM = 35;
const isFull = process.env['PROOF_FULL'] === '1';
/** Given, a run is repeated; otherwise each tries something new. */
const SEED = Number(process.env['FUZZ_SEED'] ?? randomInt(1e9));
const SHORT_REQUESTS = 4_000;
const CONTROL_REQUESTS = 1_200;
/** Two processes, each of 20 rounds of 25,000 requests; a third one on PostgreSQL. */
const WORKERS = 2;
const ROUNDS = Number(process.env['FUZZ_ROUNDS'] ?? 20);
const ROUND_REQUESTS = 25_000;
/** Whatever fewer rounds somebody asks for. */
const FULL_REQUESTS = 1_000_000;
const POSTGRES_ROUNDS = 8;
const POSTGRES_ROUND_REQUESTS = 2_500;

const api = readApiDocument();
let harness: Harness;
let bench: FuzzBench;

beforeAll(async () => {
  // Answers about addresses that are throttled are told apart by what the proxy says.
  harness = await startHarness({ environment: { KEYREEVE_TRUST_PROXY: '127.0.0.1' } });
  await harness.app.listen({ host: '127.0.0.1', port: 0 });
  bench = await openBench(harness);
});
afterAll(async () => {
  bench.close();
  await harness.close();
});

/** Rounds in a process of their own; databases lie in memory, where there is room for that. */
async function runWorker(args: readonly (number | string)[]): Promise<RoundResult[]> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [path.join(import.meta.dirname, 'fuzz-worker.ts'), ...args.map(String)],
    {
      maxBuffer: 256 * 1024 * 1024,
      env: { ...process.env, TMPDIR: existsSync('/dev/shm') ? '/dev/shm' : tmpdir() },
    },
  );
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as RoundResult);
}

async function runFull(): Promise<RoundResult[]> {
  const postgres = await startPostgres();
  // The rounds are about answers, not about what a crash leaves.
  await postgres.query('alter system set fsync = off');
  await postgres.query('select pg_reload_conf()');
  try {
    const shares = Array.from({ length: WORKERS }, (_, index) =>
      runWorker([SEED + index * ROUNDS, ROUNDS, ROUND_REQUESTS]),
    );
    const onPostgres = runWorker([SEED, POSTGRES_ROUNDS, POSTGRES_ROUND_REQUESTS, postgres.url]);
    return (await Promise.all([...shares, onPostgres])).flat();
  } finally {
    await postgres.close();
  }
}

/** Each kind of fault once, with the request that has shown it first. */
function listFaults(results: readonly RoundResult[]): string[] {
  const byKind = Map.groupBy(
    results.flatMap(({ faults }) => faults),
    ({ what }) => what,
  );
  return [...byKind].map(([what, faults]) => {
    const count = faults.reduce((sum, fault) => sum + fault.count, 0);
    return `${count} times ${what}\n  ${faults[0]?.shownBy}`;
  });
}

function countBy(results: readonly RoundResult[], isCounted: (status: number) => boolean): number {
  return results
    .flatMap(({ statuses }) => Object.entries(statuses))
    .filter(([name]) => isCounted(Number(name.split(' ')[1])))
    .reduce((sum, [, count]) => sum + count, 0);
}

describe('random requests to every operation of the published document', () => {
  it('are answered as the document says, and leave the server whole', async () => {
    const options = { api, operations: api.operations, port: portOf(harness.app), seed: SEED };
    const results = isFull
      ? await runFull()
      : [await bench.run({ ...options, requestCount: SHORT_REQUESTS })];
    const requests = results.reduce((sum, { requestCount }) => sum + requestCount, 0);
    const wanted = isFull ? FULL_REQUESTS : SHORT_REQUESTS;
    const faults = listFaults(results);
    const reached = new Set(
      results.flatMap(({ statuses }) => Object.keys(statuses)).map((name) => name.split(' ')[0]),
    );
    const [failed, served] = [
      countBy(results, (status) => status >= 500),
      countBy(results, (status) => status < 300),
    ];
    console.log(`seed ${SEED}: ${requests} requests to ${reached.size} operations, ${served} served`);
    const common = { seed: SEED };
    recordFigure(ITEM, {
      name: 'requests',
      reached: `${requests.toLocaleString('en')} (${served.toLocaleString('en')} served)`,
      wanted: `at least ${wanted.toLocaleString('en')}`,
      isHeld: requests >= wanted,
      ...common,
    });
    recordFigure(ITEM, {
      name: 'operations asked',
      reached: reached.size,
      wanted: String(api.operations.length),
      isHeld: reached.size === api.operations.length,
      ...common,
    });
    recordFigure(ITEM, {
      name: 'answers of 5xx',
      reached: failed,
      wanted: '0',
      isHeld: failed === 0,
      ...common,
    });
    recordFigure(ITEM, {
      name: 'kinds of answers against the document',
      reached: faults.length,
      wanted: '0',
      isHeld: faults.length === 0,
      ...common,
    });
    expect(faults.join('\n')).toBe('');
    expect(requests).toBeGreaterThanOrEqual(wanted);
    expect(reached.size).toBe(api.operations.length);
    expect(served).toBeGreaterThan(requests / 20);
  }, 7_200_000);

  it('would show what is broken on purpose', async () => {
    const broken = await buildBroken(harness);
    await broken.listen({ host: '127.0.0.1', port: 0 });
    const operations = api.operations.filter(({ id }) => SABOTAGES.some((one) => one.operationId === id));
    const options = { api, operations, port: portOf(broken), seed: SEED, requestCount: CONTROL_REQUESTS };
    const { faults } = await bench.run(options);
    await broken.close();
    const missed = SABOTAGES.filter(
      ({ operationId, finding }) =>
        !faults.some(({ what }) => what.startsWith(`${operationId}: `) && finding.test(what)),
    ).map(({ name }) => name);
    recordControl(ITEM, {
      name: 'a server with broken operations',
      shown: `${SABOTAGES.length - missed.length} of ${SABOTAGES.length} found`,
      hasFailed: missed.length === 0,
    });
    expect(missed).toEqual([]);
  });

  it('would show a lost key and rows that do not fit together', async () => {
    const file = new DatabaseSync(path.join(harness.database.dataDir, 'keyreeve.db'), {
      enableForeignKeyConstraints: false,
    });
    file.exec("update sessions set account_id = 'acc_gone'");
    file.close();
    const found = await findServerFaults(harness, `${bench.stage.keptKey.slice(0, -1)}_`);
    bench.restore();
    recordControl(ITEM, {
      name: 'a lost key and a row of nobody',
      shown: found.join('; ').slice(0, 200),
      hasFailed: found.length === 2,
    });
    expect(found).toEqual([
      expect.stringContaining('the kept key'),
      expect.stringContaining('belong to no row'),
    ]);
    expect(await findServerFaults(harness, bench.stage.keptKey)).toEqual([]);
  });
});

describe('the texts of the JSON corpus', () => {
  it('are refused with 400 where they are no JSON, and break nothing where nobody knows', async () => {
    const perText = isFull ? listJsonOperations(api).length : 2;
    let texts = 0;
    const { requestCount, faults } = await sendCorpus({
      api,
      stage: bench.stage,
      dice: new Dice(SEED),
      port: portOf(harness.app),
      perText,
      onText: () => {
        texts += 1;
        if (texts % 20 === 0) bench.restore();
      },
    });
    bench.restore();
    recordFigure(ITEM, {
      name: 'JSON texts judged wrongly',
      reached: `${faults.length} of ${requestCount.toLocaleString('en')}`,
      wanted: '0',
      isHeld: faults.length === 0,
      seed: SEED,
    });
    expect(CORPUS.length).toBeGreaterThan(300);
    expect(faults.join('\n')).toBe('');
  }, 600_000);

  it('show a parser that is lenient', async () => {
    const lenient = createServer((request, response) => {
      let text = '';
      request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      request.on('end', () => {
        try {
          JSON.parse(text.replace(/,\s*([\]}])/g, '$1'));
          response.writeHead(200).end();
        } catch {
          response.writeHead(400).end();
        }
      });
    });
    await new Promise<void>((resolve) => lenient.listen(0, '127.0.0.1', resolve));
    const { port } = lenient.address() as { port: number };
    const faults: string[] = [];
    for (const text of CORPUS.filter(({ bytes }) => bytes.length < 10_000)) {
      const { status } = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: text.bytes });
      const fault = judgeText(text, status);
      if (fault !== null) faults.push(fault);
    }
    lenient.closeAllConnections();
    lenient.close();
    recordControl(ITEM, {
      name: 'a parser that lets a last comma pass',
      shown: `${faults.length} texts judged wrongly`,
      hasFailed: faults.length > 0,
    });
    expect(faults.length).toBeGreaterThan(0);
  });
});
