import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { recordControl, recordFigure } from '../../packages/testkit/src/proof.ts';
import { mintKey } from '../console.ts';
import { freePort } from '../server-process.ts';
import { startCarelessCounter } from './careless-counter.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { summarizeDelays } from './delays.ts';
import { attachStandby, killUnderLoad, toFailoverUrl } from './failover.ts';
import { findRevived, type Observation } from './hammer.ts';
import { askAll, type HangingAnswer, listQuestions } from './hang.ts';
import { askTogether, type Limits, readCountedAlone, useTogether } from './limits.ts';
import { type NotifyProxy, openNotifyProxy } from './notify-proxy.ts';
import { type Sample, sampleDuring } from './outage.ts';
import { startPgBouncer } from './pgbouncer.ts';
import { type PostgresServer, startPostgres } from './postgres.ts';
import { openProgramFolder } from './programs.ts';
import { type RedisServer, startRedis } from './redis.ts';
import { record, recordDelays } from './results.ts';
import { sampleRoundTrips } from './round-trips.ts';
import { dropSilently, type SilentDrop } from './silent-drop.ts';
import {
  createRevoker,
  expectInTime,
  findStaleWithoutEpochs,
  KINDS,
  LEASE_MS,
  proveInTime,
  type Revoker,
} from './situations.ts';
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
  ? { together: 56 * KINDS, cut: 22 * KINDS, paused: 20, crashed: 20, apart: 9 }
  : { together: KINDS, cut: KINDS, paused: 1, crashed: 1, apart: 1 };
const PAUSES_MS = isFull ? [2_500, 3_000, 5_000, 10_000] : [2_500];
const SOON = { timeout: 10_000, interval: 20 };
const DOWN_MS = 2_500;
const KNOWN_AFTER_MS = 500;
const TOGETHER = { requests: CALLERS, callers: CALLERS };
const HANG_MS_MAX = 5_000;
const HEAL_MS_MAX = 5_000;
const HANGS = isFull ? 5 : 1;
const QUOTA_ROUNDS = isFull ? 20 : 1;
/** Long enough that an asynchronous primary would acknowledge dozens of writes that the standby never gets. */
const FAILOVER = { loadMs: isFull ? 5_000 : 700, stallMs: 500 };
const WRITE_OUTAGE_MAX_MS = 15_000;
/**
 * A question for the epochs may take a second before it has failed, and is sent every quarter of one; the rest is for a
 * busy machine. The short form runs beside other suites, and takes what is promised.
 */
const NOTICED_MS = isFull ? 1_700 : LEASE_MS;

const agent = openAgent(8);
const folder = openProgramFolder();
let primary: PostgresServer;
let standbyPort: number;
let proxy: NotifyProxy;
let redis: RedisServer;
let poolerPort: number;
let cluster: Cluster;
let revoker: Revoker;
let living: string;
const closing: { close(): Promise<void> }[] = [];

/** One deployment for all that follows, whose nodes know of a standby before there is one. */
beforeAll(async () => {
  primary = await startPostgres(folder);
  standbyPort = await freePort();
  proxy = await openNotifyProxy(primary.port);
  const [pooler, shared] = await Promise.all([startPgBouncer(primary.port), startRedis()]);
  redis = shared;
  poolerPort = pooler.port;
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
    const { revocations, p99Ms, worstMs } = summarizeDelays(observations);
    recordFigure(15, {
      name: 'until a revocation counts at other nodes',
      reached: `p99 ${p99Ms} ms, at most ${worstMs} ms (${revocations} revocations, each seen at ${NODES - 1} other nodes)`,
      wanted: 'p99 at most 1,000 ms, never more than 2,000 ms',
      isHeld: p99Ms <= P99_MAX_MS && worstMs <= LEASE_MS,
    });
    expect(expectInTime('with NOTIFY', observations).p99Ms).toBeLessThanOrEqual(P99_MAX_MS);
    const ofPooled = observations.filter(({ node }) => node === POOLED_NODE);
    proveInTime('at the node behind PgBouncer', ofPooled);
  });

  it('counts within a second when no notification gets through', async () => {
    expect(proxy.listenerCount(), 'nodes that listen').toBe(NODES - 1);
    proxy.holdBack();
    try {
      let observations: Awaited<ReturnType<Revoker['revokeMany']>> = [];
      const roundTrips = await sampleRoundTrips(primary.url, async () => {
        observations = await revoker.revokeMany(COUNTS.cut);
      });
      expect(proveInTime('without NOTIFY', observations).p99Ms).toBeLessThanOrEqual(P99_MAX_MS);
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
    const ofPaused = observations.filter((_, at) => at % NODES === (Math.floor(at / NODES) + 1) % NODES);
    proveInTime('one node paused', observations, ofPaused);
    expect(ofPaused).toHaveLength(COUNTS.paused);
    expect(Math.max(...ofPaused.map(({ delayMs }) => delayMs)), 'answers "valid" after the pause').toBe(0);
  });

  it('counts within the lease at nodes that are cut off from the database, and nobody tells them so', async () => {
    let observations: Observation[] = [];
    for (let round = 0; round < COUNTS.apart; round += 1) {
      let drop: SilentDrop | null = null;
      const beforeRevocation = () => {
        drop = dropSilently([proxy.port]);
      };
      const afterAck = async () => {
        await delay(LEASE_MS + KNOWN_AFTER_MS);
        drop?.heal();
      };
      const situation = { revokingNode: POOLED_NODE, beforeRevocation, afterAck };
      observations = observations.concat(await revoker.revokeMany(1, () => situation));
    }
    proveInTime('nodes cut off from the database', observations);
  });

  it('counts when the database crashes right after it and starts again', async () => {
    const afterAck = async () => {
      await primary.crash();
      await primary.restart();
    };
    expectInTime('database restarted', await revoker.revokeMany(COUNTS.crashed, () => ({ afterAck })));
  });

  it('is seen not to count at other nodes when it moves no epoch', async () => {
    await untilAllAreReady();
    const stale = await findStaleWithoutEpochs(cluster, {
      database: primary,
      revoker,
      pausedNode: SERVING_NODE,
    });
    const isStale = stale.includes(POOLED_NODE);
    const isPausedStale = stale.includes(SERVING_NODE);
    const shown = `after the lease, nodes ${stale.join(' and ')} still took the key`;
    recordControl(15, { name: 'revocations that move no epoch', shown, hasFailed: isStale });
    recordControl(16, { name: 'revocations that move no epoch', shown, hasFailed: isStale && isPausedStale });
    expect(stale).toEqual([SERVING_NODE, POOLED_NODE]);
  });
});

async function untilAllAreReady(): Promise<void> {
  await vi.waitFor(async () => {
    const answers = await Promise.all(cluster.urls.map((url) => fetch(`${url}/readyz`)));
    expect(answers.map(({ status }) => status)).toEqual(cluster.urls.map(() => 200));
  }, SOON);
}

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
    if (node !== SERVING_NODE) expect(lastMs, 'with `refuse`').toBeLessThanOrEqual(NOTICED_MS);
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
  beforeAll(untilAllAreReady);

  it.each([
    ['one node', 1],
    ['three nodes', NODES],
  ])(
    `lets ${CALLERS} callers at once use a key with ${USES} uses exactly ${USES} times, on %s`,
    async (name, count) => {
      const limits: Limits = { quota: { uses: USES } };
      const all: Record<string, number>[] = [];
      for (let round = 0; round < QUOTA_ROUNDS; round += 1)
        all.push(await useTogether(cluster, limits, { ...TOGETHER, urls: cluster.urls.slice(0, count) }));
      const exact = { valid: USES, quota_exceeded: CALLERS - USES };
      const valid = [...new Set(all.map((counts) => counts['valid'] ?? 0))].join(' or ');
      recordFigure(18, {
        name: `uses of a key with ${USES} on ${name}`,
        reached: `${valid} of ${CALLERS} at once, ${all.length} times`,
        wanted: `${USES}`,
        isHeld: valid === String(USES),
      });
      expect(all).toEqual(all.map(() => exact));
    },
  );

  it('is seen to be exceeded by servers that look first and count later', async () => {
    const careless = await startCarelessCounter(primary.url, USES, NODES);
    const use = { ...TOGETHER, urls: careless.urls };
    const { valid = 0 } = await askTogether({ method: 'GET', path: '/' }, use);
    await careless.close();
    const shown = `${valid} uses instead of ${USES}`;
    recordControl(18, {
      name: 'a counter that looks first and counts later',
      shown,
      hasFailed: valid > USES,
    });
    expect(valid).toBeGreaterThan(USES);
  });

  it.each([
    ['one node', 1, '0 over'],
    ['three nodes', NODES, 'at most 1 % over'],
  ])(
    'counts the requests of a key together through Redis, or says how many were counted alone, on %s',
    async (name, count, wanted) => {
      const limits: Limits = { rate: { requests: USES, windowSeconds: 3_600 } };
      const before = await readCountedAlone(cluster.urls);
      const use = { ...TOGETHER, urls: cluster.urls.slice(0, count) };
      const { valid = 0, rate_limited: limited = 0, ...others } = await useTogether(cluster, limits, use);
      const alone = (await readCountedAlone(cluster.urls)) - before;
      const over = Math.max(0, valid - USES);
      // Beside other suites Redis is late at times. The node says so, and each such request may be one too many.
      const excused = isFull ? 0 : alone;
      const overMax = (count === 1 ? 0 : USES / 100) + excused;
      recordFigure(18, {
        name: `requests over the rate limit on ${name}`,
        reached: `${over} of ${USES} over, ${alone} counted alone, as said`,
        wanted: `${wanted} (short form: beside those that were counted alone)`,
        isHeld: over <= overMax,
      });
      expect(others).toEqual({});
      expect(valid + limited).toBe(CALLERS);
      expect(valid).toBeGreaterThanOrEqual(USES);
      expect(over).toBeLessThanOrEqual(overMax);
    },
  );

  it('is seen to be exceeded by nodes that count each for itself, while Redis stands still', async () => {
    const limits: Limits = { rate: { requests: USES, windowSeconds: 3_600 } };
    redis.signal('SIGSTOP');
    const use = { ...TOGETHER, urls: cluster.urls };
    const { valid = 0 } = await useTogether(cluster, limits, use).finally(() => redis.signal('SIGCONT'));
    const shown = `${valid} requests instead of ${USES}`;
    recordControl(18, { name: 'nodes that count each for itself', shown, hasFailed: valid > 1.01 * USES });
    expect(valid).toBeGreaterThan(1.01 * USES);
  });
});

describe('a database behind a line that drops everything without a word', () => {
  it('makes no request wait for longer than five seconds, and is used again within five', async () => {
    await untilAllAreReady();
    const { admin, urls } = cluster;
    const key = await mintKey(admin, admin.accountId, { comment: 'hangs', access: 'account' });
    const questions = listQuestions(cluster, key);
    await askAll(urls, questions.slice(0, 3));
    const answers: HangingAnswer[] = [];
    // The negative control: a program that asks the database without time limits.
    const patient = new pg.Pool({
      connectionString: primary.url.replace(`:${primary.port}/`, `:${proxy.port}/`),
    });
    patient.on('error', () => {}); // Its questions tell of it.
    await patient.query('select 1');
    const drop = dropSilently([proxy.port, poolerPort]);
    const answer = patient.query('select 1').then(() => 'an answer', String);
    const isPatientHanging = Promise.race([answer, delay(HANG_MS_MAX, null)]).then((said) => said === null);
    try {
      for (let round = 0; round < HANGS; round += 1) answers.push(...(await askAll(urls, questions)));
      recordControl(24, {
        name: 'a program without time limits',
        shown: `${(await isPatientHanging) ? 'no answer' : 'an answer'} after 5,000 ms`,
        hasFailed: await isPatientHanging,
      });
    } finally {
      drop.heal();
    }
    const isHeldUp = await isPatientHanging;
    const healedAtMs = performance.now();
    await untilAllAreReady();
    const writes = await Promise.all(
      urls.map((baseUrl, node) =>
        fetch(`${baseUrl}/v1/service-accounts`, {
          method: 'POST',
          headers: { cookie: admin.cookie, 'content-type': 'application/json' },
          body: JSON.stringify({ technicalName: `healed-${node}`, displayName: 'Healed' }),
        }),
      ),
    );
    const healMs = Math.round(performance.now() - healedAtMs);
    await patient.end();
    const slowest = answers.toSorted((a, b) => b.tookMs - a.tookMs)[0];
    const worstMs = Math.round(slowest?.tookMs ?? Number.NaN);
    const unanswered = answers.filter(({ status }) => status === 0);
    recordFigure(24, {
      name: 'the longest wait for an answer while the database hangs',
      reached: `${worstMs} ms (${slowest?.name}; ${answers.length} requests, ${unanswered.length} without an answer)`,
      wanted: 'at most 5,000 ms, all answered',
      isHeld: worstMs <= HANG_MS_MAX && unanswered.length === 0,
    });
    const areWritten = writes.every(({ status }) => status === 201);
    recordFigure(24, {
      name: 'until all is well again',
      reached: `${healMs} ms, with ${areWritten ? 'a' : 'no'} write at each node`,
      wanted: 'less than 5,000 ms',
      isHeld: healMs < HEAL_MS_MAX && areWritten,
    });
    expect(unanswered).toEqual([]);
    expect(answers.filter(({ tookMs }) => tookMs > HANG_MS_MAX)).toEqual([]);
    expect(writes.map(({ status }) => status)).toEqual([201, 201, 201]);
    expect(healMs).toBeLessThan(HEAL_MS_MAX);
    expect(isHeldUp).toBe(true);
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
