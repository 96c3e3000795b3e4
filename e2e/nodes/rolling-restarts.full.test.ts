import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mintKey } from '../console.ts';
import { type Balancer, loadDuring, startBalancer } from './balancer.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { startPgBouncer } from './pgbouncer.ts';
import { startPostgres } from './postgres.ts';
import { createRevoker, expectInTime, KINDS } from './situations.ts';
import { openAgent } from './wire.ts';

const NODES = 3;
const LOAD = { callers: 8, requestsMin: 50_000 };
const REVOCATIONS = 19 * KINDS;
const P99_MAX_MS = 1_000;

const closing: { close(): Promise<void> }[] = [];
let databaseUrl: string;
let poolerUrl: string;
let cluster: Cluster;
let balancer: Balancer;
let living: string;

beforeAll(async () => {
  const primary = await startPostgres();
  const pooler = await startPgBouncer(primary.port);
  databaseUrl = primary.url;
  poolerUrl = pooler.url;
  closing.push(pooler, primary);
  cluster = await startCluster({ env: { KEYREEVE_DATABASE_URL: databaseUrl }, nodeCount: NODES });
  closing.unshift(cluster);
  balancer = await startBalancer(cluster.urls);
  closing.unshift(balancer);
  const { admin } = cluster;
  living = (await mintKey(admin, admin.accountId, { comment: 'lives', access: 'account' })).fullKey;
});
afterAll(async () => {
  for (const one of closing) await one.close();
});

/** One node after the other, under load through the balancer, and what the callers saw of it. */
async function restartAll(env: Readonly<Record<string, string>>): Promise<void> {
  const report = await loadDuring(balancer.url, living, LOAD, async () => {
    for (let node = 0; node < NODES; node += 1) await cluster.restart(node, env);
  });
  console.log(`Rolling restart: ${report.requests} requests, failed ${JSON.stringify(report.failures)}`);
  expect(report.failures).toEqual({});
}

describe('three nodes behind a balancer', () => {
  it('are led to PgBouncer one after the other, and no request fails', async () => {
    await restartAll({ KEYREEVE_DATABASE_URL: poolerUrl });
  });

  it('refuse within a second what one of them has revoked, all behind PgBouncer', async () => {
    const agent = openAgent(8);
    const revoker = await createRevoker(cluster, agent);
    const figures = expectInTime('PgBouncer between', await revoker.revokeMany(REVOCATIONS));
    agent.destroy();
    expect(figures.p99Ms).toBeLessThanOrEqual(P99_MAX_MS);
  });

  it('are led back, and no request fails', async () => {
    await restartAll({ KEYREEVE_DATABASE_URL: databaseUrl });
  });
});
