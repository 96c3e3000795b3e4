import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { mintKey } from '../console.ts';
import { freePort } from '../server-process.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { summarizeDelays } from './delays.ts';
import { attachStandby, killUnderLoad, toFailoverUrl } from './failover.ts';
import { findRevived } from './hammer.ts';
import { type Limits, readCountedAlone, useTogether } from './limits.ts';
import { type NotifyProxy, openNotifyProxy } from './notify-proxy.ts';
import { type Sample, sampleDuring } from './outage.ts';
import { startPgBouncer } from './pgbouncer.ts';
import { type PostgresServer, startPostgres } from './postgres.ts';
import { openProgramFolder } from './programs.ts';
import { startRedis } from './redis.ts';
import { record, recordDelays } from './results.ts';
import { sampleRoundTrips } from './round-trips.ts';
import { createRevoker, expectInTime, KINDS, LEASE_MS, type Revoker } from './situations.ts';
import { openAgent } from './wire.ts';

const P99_MAX_MS = 1_000;
const NODES = 3;
/** Goes on answering while the database is away, as long as its lease lasts. */
const SERVING_NODE = 1;
/** Reaches the database through PgBouncer; the others are told by NOTIFY. */
const POOLED_NODE = 2;
const CALLERS = 500;
const USES = 100;

const isFull = process.env['NODES_FULL'] === '1';
const COUNTS = isFull
  ? { together: 44 * KINDS, cut: 44 * KINDS, paused: 20, crashed: 20 }
  : { together: KINDS, cut: KINDS, paused: 1, crashed: 1 };
const PAUSES_MS = isFull ? [2_500, 3_000, 5_000, 10_000] : [2_500];
const SOON = { timeout: 10_000, interval: 20 };
const DOWN_MS = 2_500;
const KNOWN_AFTER_MS = 500;
const QUOTA_ROUNDS = isFull ? 20 : 1;
/** Long enough that an asynchronous primary would acknowledge dozens of writes that the standby never gets. */
const FAILOVER = { loadMs: isFull ? 5_000 : 700, stallMs: 500 };
const WRITE_OUTAGE_MAX_MS = 15_000;
/** A question for the epochs may take a second before it has failed, and is sent every quarter of one; the rest is for a busy machine. */
const NOTICED_MS = 1_700;

const agent = openAgent(8);
const folder = openProgramFolder();
let primary: PostgresServer;
let standbyPort: number;
let proxy: NotifyProxy;
let cluster: Cluster;
let revoker: Revoker;
let living: string;
const closing: { close(): Promise<void> }[] = [];

/** One deployment for all that follows, whose nodes know of a standby before there is one. */
beforeAll(async () => {
  primary = await startPostgres(folder);
  standbyPort = await freePort();
  proxy = await openNotifyProxy(primary.port);
  const [pooler, redis] = await Promise.all([startPgBouncer(primary.port), startRedis()]);
  closing.push(proxy, pooler, redis, primary);
  cluster = await startCluster({
    nodeCount: NODES,
    env: {
      KEYREEVE_DATABASE_URL: toFailoverUrl([proxy.port, standbyPort]),
      KEYREEVE_REDIS_URL: redis.url,
    },
    envOf: (index) => ({
      ...(index === SERVING_NODE && { KEYREEVE_DATABASE_OUTAGE: 'serve' }),
      ...(index === POOLED_NODE && { KEYREEVE_DATABASE_URL: toFailoverUrl([pooler.port, standbyPort]) }),
    }),
  });
  closing.unshift(cluster);
  const { admin } = cluster;
  revoker = await createRevoker(cluster, agent);
  living = (await mintKey(admin, admin.accountId, { comment: 'lives', access: 'account' })).fullKey;
});
afterAll(async () => {
  agent.destroy();
  for (const one of closing) await one.close();
  folder.remove();
});

describe('a revocation at one of three nodes, one of them behind PgBouncer, over one PostgreSQL', () => {
  it('counts at the others within a second', async () => {
    const observations = await revoker.revokeMany(COUNTS.together);
    expect(observations.every(({ validBefore }) => validBefore > 0)).toBe(true);
    expect(expectInTime('with NOTIFY', observations).p99Ms).toBeLessThanOrEqual(P99_MAX_MS);
    const ofPooled = observations.filter(({ node }) => node === POOLED_NODE);
    expectInTime('at the node behind PgBouncer', ofPooled);
  });

  it('counts within a second when no notification gets through', async () => {
    expect(proxy.listenerCount(), 'nodes that listen').toBe(NODES - 1);
    proxy.holdBack();
    try {
      let observations: Awaited<ReturnType<Revoker['revokeMany']>> = [];
      const roundTrips = await sampleRoundTrips(primary.url, async () => {
        observations = await revoker.revokeMany(COUNTS.cut);
      });
      expect(expectInTime('without NOTIFY', observations).p99Ms).toBeLessThanOrEqual(P99_MAX_MS);
      // Sessions and tokens are looked up each time: the simulation is about what is kept.
      const ofKept = observations.filter(({ kind }) => !/^(?:session|token)/.test(kind));
      recordDelays('kept keys without NOTIFY', summarizeDelays(ofKept));
      record(roundTrips);
    } finally {
      proxy.letThrough();
    }
  });

  it('counts in the first answer of a node that stood still for longer than the lease', async () => {
    const observations = await revoker.revokeMany(COUNTS.paused, (index) => {
      const pausedNode = (index + 1) % NODES;
      const beforeRevocation = () => cluster.nodes[pausedNode]?.signal('SIGSTOP');
      const afterAck = async () => {
        await delay(PAUSES_MS[index % PAUSES_MS.length]);
        cluster.nodes[pausedNode]?.signal('SIGCONT');
      };
      return { revokingNode: index % NODES, pausedNode, beforeRevocation, afterAck };
    });
    expectInTime('one node paused', observations);
    const ofPaused = observations.filter((_, at) => at % NODES === (Math.floor(at / NODES) + 1) % NODES);
    expect(ofPaused).toHaveLength(COUNTS.paused);
    expect(Math.max(...ofPaused.map(({ delayMs }) => delayMs)), 'answers "valid" after the pause').toBe(0);
  });

  it('counts when the database crashes right after it and starts again', async () => {
    const afterAck = async () => {
      await primary.crash();
      await primary.restart();
    };
    expectInTime('database restarted', await revoker.revokeMany(COUNTS.crashed, () => ({ afterAck })));
  });
});

describe('a database that is away', () => {
  it('is done without as long as the lease lasts, and not at all by nodes that refuse', async () => {
    let crashedAtMs = 0;
    let startedAtMs = 0;
    const samples = await sampleDuring(cluster.urls, living, async () => {
      // Every node has read the key again since the last revocation, and has it in memory.
      await delay(KNOWN_AFTER_MS);
      await primary.crash();
      crashedAtMs = performance.now();
      await delay(DOWN_MS);
      startedAtMs = performance.now();
      await primary.restart();
    });
    expectServedUnderLease(samples, crashedAtMs, startedAtMs);
  });
});

/** What nodes have answered about a good key between a crash and the start after it. */
function expectServedUnderLease(samples: readonly Sample[], crashedAtMs: number, startedAtMs: number): void {
  const during = samples.filter((one) => one.startedAtMs > crashedAtMs && one.startedAtMs < startedAtMs);
  expect(new Set(during.map(({ status }) => status)), 'a yes, or "not now"').toEqual(new Set([204, 503]));
  for (let node = 0; node < NODES; node += 1) {
    const served = during.filter((one) => one.node === node && one.status === 204);
    const lastMs = Math.max(0, ...served.map((one) => one.startedAtMs - crashedAtMs));
    const oldestMs = Math.max(0, ...served.map(({ ageMs }) => ageMs ?? 0));
    console.log(`Outage: node ${node} served for ${Math.round(lastMs)} ms, answers up to ${oldestMs} ms old`);
    expect(oldestMs, 'the oldest answer').toBeLessThanOrEqual(LEASE_MS);
    if (node !== SERVING_NODE) expect(lastMs, 'with `refuse`').toBeLessThan(NOTICED_MS);
    else {
      expect(lastMs, 'with `serve`').toBeLessThanOrEqual(LEASE_MS);
      // More than the quarter of a second after which a lease is renewed, and said in the answers.
      expect(lastMs, 'with `serve`').toBeGreaterThan(LEASE_MS / 2);
      expect(oldestMs, 'the oldest answer').toBeGreaterThan(LEASE_MS / 2);
    }
  }
}

describe('a limit that three nodes count', () => {
  // The database has just come back, and each node looks for it after a pause of its own.
  beforeAll(() =>
    vi.waitFor(async () => {
      const answers = await Promise.all(cluster.urls.map((url) => fetch(`${url}/readyz`)));
      expect(answers.map(({ status }) => status)).toEqual(cluster.urls.map(() => 200));
    }, SOON),
  );

  it.each([
    ['one node', 1],
    ['three nodes', NODES],
  ])(
    `lets ${CALLERS} callers at once use a key with ${USES} uses exactly ${USES} times, on %s`,
    async (_, count) => {
      const limits: Limits = { quota: { uses: USES } };
      for (let round = 0; round < QUOTA_ROUNDS; round += 1) {
        const counts = await useTogether(cluster, limits, {
          urls: cluster.urls.slice(0, count),
          requests: CALLERS,
          callers: CALLERS,
        });
        expect(counts).toEqual({ valid: USES, quota_exceeded: CALLERS - USES });
      }
    },
  );

  it('counts the requests of a key together through Redis, or says how many were counted alone', async () => {
    const limits: Limits = { rate: { requests: USES, windowSeconds: 3_600 } };
    const use = { urls: cluster.urls, requests: CALLERS, callers: CALLERS };
    const { valid = 0, rate_limited: limited = 0, ...others } = await useTogether(cluster, limits, use);
    const alone = await readCountedAlone(cluster.urls);
    console.log(`Through Redis: ${valid} of ${USES} let through, ${alone} counted alone`);
    expect(others).toEqual({});
    expect(valid + limited).toBe(CALLERS);
    expect(valid).toBeGreaterThanOrEqual(USES);
    expect(valid).toBeLessThanOrEqual(USES + alone);
  });
});

describe('three nodes over a primary with a synchronous standby', () => {
  it('lose nothing that was acknowledged, and do nothing twice, when the primary is killed', async () => {
    const standby = await attachStandby(primary, { folder, port: standbyPort, isSynchronous: true });
    closing.push(standby);
    const report = await killUnderLoad({ primary, standby, cluster, ...FAILOVER });
    const { writeOutagesMs, verifyOutagesMs, acknowledged, statuses } = report;
    console.log(
      `Failover: ${acknowledged} acknowledged, ${report.lost.length} lost; promoted after ${report.promotedMs} ms, writes refused for ${writeOutagesMs.join(', ')} ms, ` +
        `verifications for ${verifyOutagesMs.join(', ')} ms; answers ${JSON.stringify(statuses)}`,
    );
    expect(report).toMatchObject({ lost: [], doubled: [], staleAnswers: 0 });
    expect(acknowledged).toBeGreaterThan(50);
    expect(Math.max(...writeOutagesMs)).toBeLessThan(WRITE_OUTAGE_MAX_MS);
    // "Not now", or of a commit that broke off: "look whether it was stored". Never a fault without a name.
    const faults = Object.keys(statuses).filter((word) => / 5\d\d/.test(word));
    const known = ['503 request.unavailable', '500 request.outcome_unknown'];
    expect(faults.filter((word) => !known.some((one) => word.endsWith(one)))).toEqual([]);
  });

  it('have forgotten none of the revocations before', async () => {
    expect(await findRevived(cluster.urls, revoker.revoked)).toEqual([]);
  });
});
