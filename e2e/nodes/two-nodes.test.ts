import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recordControl, recordFigure } from '../../packages/testkit/src/proof.ts';
import { mintKey } from '../console.ts';
import { createSeeded } from '../notices/seeded.ts';
import { findLost, openLedger, writeKeys } from '../proof/ledger.ts';
import { run } from '../run.ts';
import { sleep } from '../server-process.ts';
import { type CheckingBalancer, loadDuring, startSendingOnce } from './balancer.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { type PostgresServer, startPostgres } from './postgres.ts';

const IS_FULL = process.env['NODES_FULL'] === '1';
const NODES = 2;
const CRASHES = IS_FULL ? 100 : 3;
const CONTROL_CRASHES_MAX = 4;
const WRITERS = 4;
const CHANGES_MIN = 20;
const SEED = Number(process.env['PROOF_SEED'] ?? '20261127');
const LOAD = { callers: 8, requestsMin: 500, pauseMs: 20 };
/** Without pauses, so that some are under way at any moment. */
const DENSE_LOAD = { callers: 16, requestsMin: 500 };
const DENSE_LOAD_MS = 300;
/** More than the balancer takes to notice that a node is about to end. */
const DRAIN_SECONDS = '1';
const REQUESTS_FULL = 1_000_000;
const ASYNCHRONOUS = path.join(import.meta.dirname, 'asynchronous-commit.mjs');

const closing: { close(): Promise<void> }[] = [];
let database: PostgresServer;
let cluster: Cluster;
let living: string;

beforeAll(async () => {
  database = await startPostgres();
  closing.push(database);
  cluster = await startCluster({
    nodeCount: NODES,
    env: { KEYREEVE_DATABASE_URL: database.url, KEYREEVE_DRAIN_SECONDS: DRAIN_SECONDS },
  });
  closing.unshift(cluster);
  const { admin } = cluster;
  await admin.api.PATCH('/v1/settings', {
    params: { header: { 'If-Match': '*' } },
    body: { maxKeysPerAccount: 10_000 },
  });
  living = (await mintKey(admin, admin.accountId, { comment: 'lives', access: 'account' })).fullKey;
});
afterAll(async () => {
  for (const one of closing) await one.close();
});

async function waitUntilReady(): Promise<void> {
  const deadline = performance.now() + 20_000;
  const isReady = async (url: string) => (await fetch(`${url}/readyz`)).status === 200;
  for (const url of cluster.urls)
    while (!(await isReady(url))) {
      if (performance.now() > deadline) throw new Error(`${url} does not become ready.`);
      await sleep(20);
    }
}

/** One after the other, as docs/operations/workers.md says: the next when the balancer counts the last as ready. */
async function restartAll(balancer: CheckingBalancer): Promise<void> {
  for (let node = 0; node < NODES; node += 1) {
    await cluster.restart(node);
    await balancer.untilAllServe();
  }
}

/** Restarts under `wrk` until it has had its million of answers. @returns what failed, as it prints it */
async function restartUnderWrk(
  balancer: CheckingBalancer,
): Promise<{ requests: number; failures: string[] }> {
  const report = { requests: 0, failures: [] as string[] };
  while (report.requests < REQUESTS_FULL) {
    const flags = ['--threads', '1', '--connections', '16', '--duration', '30s', '--timeout', '10s'];
    const header = `Authorization: Bearer ${living}`;
    const wrk = run('/usr/bin/wrk', [...flags, '--header', header, `${balancer.url}/v1/authorize`], {
      timeoutMs: 90_000,
    });
    await restartAll(balancer);
    const { output } = await wrk;
    report.requests += Number(/(\d+) requests in/.exec(output)?.[1] ?? 0);
    report.failures.push(...(output.match(/(?:Socket errors|Non-2xx).*/g) ?? []));
  }
  return report;
}

describe('two nodes behind a balancer that sends each request once', () => {
  it('are restarted one after the other under load, and no request fails', async () => {
    const balancer = await startSendingOnce(cluster.urls);
    closing.unshift(balancer);
    await balancer.untilAllServe();
    const requestsMin = IS_FULL ? REQUESTS_FULL : LOAD.requestsMin;
    const { requests, failures } = IS_FULL
      ? await restartUnderWrk(balancer)
      : await loadDuring(balancer.url, living, LOAD, () => restartAll(balancer));
    const hasFailed = Object.keys(failures).length > 0;
    recordFigure(13, {
      name: 'requests that failed over rolling restarts',
      reached: hasFailed ? `of ${requests}: ${JSON.stringify(failures)}` : `0 of ${requests}`,
      wanted: `0 of 1,000,000 (short form: ${LOAD.requestsMin})`,
      isHeld: !hasFailed && requests >= requestsMin,
    });
    expect(Object.entries(failures)).toEqual([]);
  });

  it('are seen to fail requests when one is killed instead', async () => {
    const balancer = await startSendingOnce(cluster.urls);
    closing.unshift(balancer);
    await balancer.untilAllServe();
    const { requests, failures } = await loadDuring(balancer.url, living, DENSE_LOAD, async () => {
      await sleep(DENSE_LOAD_MS);
      await cluster.nodes[0]?.kill();
    });
    await cluster.crash(0);
    const failed = Object.values(failures).reduce((sum, one) => sum + one, 0);
    recordControl(13, {
      name: 'a node that is killed instead',
      shown: `${failed} of ${requests} requests failed`,
      hasFailed: failed > 0,
    });
    expect(failed).toBeGreaterThan(0);
  });
});

/** Writes at the nodes, ends the database after so many changes in the midst of others, and looks for all of them. */
async function crashOnce(
  changes: number,
  urls: readonly string[],
): Promise<{ acknowledged: number; lost: number }> {
  const { admin } = cluster;
  const ledger = openLedger();
  let isOver = false;
  // An answer that comes after the crash was a commit before it.
  const options = { isOver: () => isOver, countsLast: true, onRefused: () => sleep(5) };
  const writers = Array.from({ length: WRITERS }, (_, index) =>
    writeKeys({ url: urls[index % urls.length] ?? '', ...admin }, ledger, options),
  );
  while (ledger.changes < changes) await sleep(1);
  await database.crash();
  isOver = true;
  await Promise.all(writers);
  await database.restart();
  await waitUntilReady();
  const lost = await findLost(urls[0] ?? '', ledger);
  return { acknowledged: ledger.live.length + ledger.dead.length, lost: lost.length };
}

async function crashOften(count: number): Promise<{ acknowledged: number; lost: number }> {
  const random = createSeeded(SEED);
  const sum = { acknowledged: 0, lost: 0 };
  for (let round = 0; round < count; round += 1) {
    const { acknowledged, lost } = await crashOnce(CHANGES_MIN + random.below(CHANGES_MIN), cluster.urls);
    sum.acknowledged += acknowledged;
    sum.lost += lost;
  }
  return sum;
}

/** @returns what so many crashes have taken at most: none comes after the first loss */
async function crashUntilLost(
  crashesMax: number,
): Promise<{ crashes: number; acknowledged: number; lost: number }> {
  const sum = { crashes: 0, acknowledged: 0, lost: 0 };
  while (sum.lost === 0 && sum.crashes < crashesMax) {
    // It writes five times a second what nobody waits for; a busy disk keeps it from that.
    const [writer] = await database.query<{ pid: number }>(
      "select pid from pg_stat_activity where backend_type = 'walwriter'",
    );
    process.kill(writer?.pid ?? Number.NaN, 'SIGSTOP');
    const { acknowledged, lost } = await crashOnce(CHANGES_MIN, cluster.urls.slice(0, 1));
    sum.crashes += 1;
    sum.acknowledged += acknowledged;
    sum.lost += lost;
  }
  return sum;
}

describe('a database that ends in the midst of writes, without a goodbye', () => {
  it(`${CRASHES} times, loses nothing that was acknowledged`, async () => {
    const { acknowledged, lost } = await crashOften(CRASHES);
    recordFigure(4, {
      name: 'acknowledged writes lost when PostgreSQL crashes',
      reached: `${lost} of ${acknowledged} in ${CRASHES} crashes`,
      wanted: '0',
      isHeld: lost === 0,
      seed: SEED,
    });
    expect(lost).toBe(0);
  });

  it('is seen to lose some when its commits are asynchronous', async () => {
    await database.query('alter system set synchronous_commit = off');
    await database.query('select pg_reload_conf()');
    // Both: a durable commit of either would make durable what the other has told before.
    for (let node = 0; node < NODES; node += 1)
      await cluster.restart(node, { NODE_OPTIONS: `--import=${ASYNCHRONOUS}` });
    const { crashes, acknowledged, lost } = await crashUntilLost(CONTROL_CRASHES_MAX);
    recordControl(4, {
      name: 'synchronous_commit=off',
      shown: `lost ${lost} of ${acknowledged} in ${crashes} crashes`,
      hasFailed: lost > 0,
    });
    expect(lost).toBeGreaterThan(0);
  });
});
