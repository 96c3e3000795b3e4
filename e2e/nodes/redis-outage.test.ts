import { monitorEventLoopDelay } from 'node:perf_hooks';
import process from 'node:process';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  askRedis,
  createRedisRateCounter,
} from '../../packages/server/src/features/limits/redis-rate-counter.ts';
import {
  createSharedRateCounter,
  type SharedRateCounter,
} from '../../packages/server/src/features/limits/shared-rate-counter.ts';
import { systemClock } from '../../packages/server/src/lib/clock.ts';
import { Secret } from '../../packages/server/src/lib/secret.ts';
import type { Program } from '../programs.ts';
import { freePort, sleep } from '../server-process.ts';
import { openProgramFolder, startUnprivileged } from './programs.ts';

const NODES = 3;
const HOUR_MS = 3_600_000;
// 100 ms for an answer; the rest is for a machine that does other things as well. Times in which all of this process
// stood still are taken off: nobody's timer goes on then.
const WAIT_MS_MAX = 250;
const NANOSECONDS_PER_MS = 1e6;
const TOGETHER_WITHIN_MS = 60_000;

const folder = openProgramFolder();
let port: number;
let redis: Program;
let nodes: readonly SharedRateCounter[] = [];

const redisUrl = (user: string) => new Secret(`redis://${user}:pass@127.0.0.1:${port}`);

async function startRedis(): Promise<Program> {
  // What docs/operations/limits.md asks for, and a user who may run the script, and nothing in it.
  const users = ['keyreeve on >pass ~keyreeve:rate:* +eval +set +incrby +pttl', 'weak on >pass ~* +eval'];
  const flags = [
    ...users.flatMap((user) => ['--user', ...user.split(' ')]),
    '--bind',
    '127.0.0.1',
    '--port',
    String(port),
    '--save',
    '',
    '--appendonly',
    'no',
  ];
  return await startUnprivileged('/usr/bin/redis-server', flags, { cwd: folder.path, port });
}

beforeAll(async () => {
  port = await freePort();
  redis = await startRedis();
  nodes = Array.from({ length: NODES }, () =>
    createSharedRateCounter({
      shared: createRedisRateCounter(redisUrl('keyreeve')),
      clock: systemClock,
      logger: { warn: () => {}, info: () => {} },
      name: 'redis',
    }),
  );
  await untilAllAre('up');
});
afterAll(async () => {
  for (const node of nodes) await node.close();
  await redis.end('SIGKILL');
  folder.remove();
});

async function untilAllAre(state: 'up' | 'down'): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    await Promise.all(nodes.map((node) => node.count('probe', 1_000)));
    if (nodes.every((node) => node.state().isUp === (state === 'up'))) return;
    await sleep(50);
  }
  throw new Error(`The counters are not all ${state}.`);
}

/** What the nodes, one after the other, have counted under a name, and the longest wait. */
async function countAtEach(name: string, times: number): Promise<{ counts: number[]; worstMs: number }> {
  const counts: number[] = [];
  let worstMs = 0;
  const stood = monitorEventLoopDelay({ resolution: 1 });
  stood.enable();
  for (let time = 0; time < times; time += 1) {
    for (const node of nodes) {
      const startedAt = performance.now();
      counts.push((await node.count(name, HOUR_MS)).count);
      worstMs = Math.max(worstMs, performance.now() - startedAt);
    }
  }
  stood.disable();
  return { counts, worstMs: worstMs - stood.max / NANOSECONDS_PER_MS };
}

/**
 * What the nodes have counted together. Redis that is late on a busy machine is said by the node, which then has counted
 * alone: that proves nothing about counting together, and is done again under another name.
 */
async function countTogether<Counted>(work: (name: string) => Promise<Counted>): Promise<Counted> {
  const deadline = performance.now() + TOGETHER_WITHIN_MS;
  const readAlone = () => nodes.reduce((sum, node) => sum + node.state().countedAlone, 0);
  for (let tries = 0; performance.now() < deadline; tries += 1) {
    await untilAllAre('up');
    const before = readAlone();
    const counted = await work(`together ${tries}`);
    if (readAlone() === before) return counted;
  }
  throw new Error('The counters never count together.');
}

describe('a user of Redis', () => {
  it('is found unfit when it may connect, but not count', async () => {
    await askRedis(redisUrl('keyreeve'));
    await expect(askRedis(redisUrl('weak'))).rejects.toThrow(/can't run this command/);
    await expect(askRedis(redisUrl('nobody'))).rejects.toThrow('WRONGPASS');
  });

  it('who is refused is named in the log, without his password', async () => {
    const counter = createRedisRateCounter(redisUrl('nobody'));
    await vi.waitFor(async () => {
      const fault: unknown = await counter.count('a', HOUR_MS).catch((error: unknown) => error);
      expect(inspect(fault, { depth: 9 })).toContain('WRONGPASS');
      expect(inspect(fault, { depth: 9 })).not.toContain('pass@');
    });
    await counter.close();
  });
});

describe('three nodes that count in Redis', () => {
  it('count together, each request once, and start one window', async () => {
    const counted = await countTogether(
      async (name) =>
        await Promise.all(
          Array.from(
            { length: 300 },
            async (_none, index) => await nodes[index % NODES]?.count(name, HOUR_MS),
          ),
        ),
    );
    expect(counted.map((one) => one?.count ?? 0).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 300 }, (_none, index) => index + 1),
    );
    for (const one of counted) expect(one?.resetMs).toBeLessThanOrEqual(HOUR_MS);
  });

  it('count each for itself, without an error or a wait, while Redis hangs, and together again after that', async () => {
    process.kill(redis.pid, 'SIGSTOP');
    const { counts, worstMs } = await countAtEach('hangs', 20);
    expect(worstMs).toBeLessThan(WAIT_MS_MAX);
    // Twenty at each of them: never more than the limit at each.
    expect(counts.slice(-NODES)).toEqual([20, 20, 20]);
    expect(nodes.map((node) => node.state().isUp)).toEqual([false, false, false]);
    process.kill(redis.pid, 'SIGCONT');
    const { counts: after } = await countTogether((name) => countAtEach(`after ${name}`, 2));
    expect(after).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('do the same when Redis ends, and when it comes back', async () => {
    await redis.end('SIGKILL');
    await untilAllAre('down');
    const { counts, worstMs } = await countAtEach('ended', 5);
    expect(worstMs).toBeLessThan(WAIT_MS_MAX);
    expect(counts.slice(-NODES)).toEqual([5, 5, 5]);
    redis = await startRedis();
    const { counts: after } = await countTogether((name) => countAtEach(`anew ${name}`, 2));
    expect(after).toEqual([1, 2, 3, 4, 5, 6]);
  });
});
