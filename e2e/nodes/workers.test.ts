import { randomBytes } from 'node:crypto';
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run, show } from '../run.ts';
import { MAIN, openWorkplace, type ServerProcess, sleep, WITH_ADMIN } from '../server-process.ts';
import { type PostgresServer, startPostgres } from './postgres.ts';
import { openAgent, send } from './wire.ts';
import { connectToBoth, countStaleAnswers, findPid, mintSwitchedKey, startLoad } from './workers.ts';

const IS_FULL = process.env['NODES_FULL'] === '1';
const ROUNDS = IS_FULL ? 250 : 6;
const WAIT_MS = IS_FULL ? 1_800_000 : 60_000;
const REQUESTS_MIN = IS_FULL ? 100_000 : 500;
/** Without pauses the load takes the processor from the workers that start. */
const PAUSE_MS = IS_FULL ? 0 : 40;
/** The last requests come within it, also from a machine that does other things as well. */
const DRAIN_SECONDS = 4;
const WORKERS = { ...WITH_ADMIN, KEYREEVE_WORKERS: '2', KEYREEVE_LOG_LEVEL: 'info' };

const place = openWorkplace();
let postgres: PostgresServer | null = null;
afterAll(async () => {
  await place.close();
  await postgres?.close();
});

function count(server: ServerProcess, text: string): number {
  return server.output().split(text).length - 1;
}

async function waitUntil(isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + WAIT_MS;
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error(`Still not: ${isSo.toString()}`);
    await sleep(10);
  }
}

/** A rolling restart, until each worker has a successor. */
async function restart(server: ServerProcess): Promise<void> {
  const before = count(server, 'the workers are replaced');
  server.signal('SIGHUP');
  await waitUntil(() => count(server, 'the workers are replaced') > before);
}

/** All workers that have logged something. */
function listPids(server: ServerProcess): number[] {
  const named = [...server.output().matchAll(/"pid":(\d+),/g)].map(([, pid]) => Number(pid));
  return [...new Set(named)].filter((pid) => pid !== server.pid);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function readMetrics(server: ServerProcess): Promise<{ healthz: number; workers: string[] }> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  const counted = /^keyreeve_http_request_duration_seconds_count\{route="\/healthz".*\} (\d+)$/m.exec(text);
  return { healthz: Number(counted?.[1] ?? 0), workers: text.match(/^keyreeve_worker.*$/gm) ?? [] };
}

describe('several workers over SQLite', () => {
  let server: ServerProcess;
  const current = path.join(place.folder, 'current');
  const main = path.join(current, 'main.mjs');
  /** A folder of its own, and a link to it that is exchanged in one step. */
  const release = (name: string, code = `await import('${pathToFileURL(MAIN).href}');`) => {
    const folder = path.join(place.folder, name);
    mkdirSync(folder);
    writeFileSync(path.join(folder, 'main.mjs'), `console.log('${name}');\n${code}\n`);
    symlinkSync(folder, `${current}.next`);
    renameSync(`${current}.next`, current);
  };

  beforeAll(async () => {
    release('release one');
    server = await place.start({
      data: 'sqlite',
      env: { ...WORKERS, KEYREEVE_DRAIN_SECONDS: String(DRAIN_SECONDS) },
      main,
    });
  });

  it('begin with one announcement, and one of them runs the jobs', async () => {
    expect(count(server, 'Keyreeve listens on')).toBe(1);
    expect(count(server, 'The administrator is')).toBe(1);
    await waitUntil(() => count(server, 'this worker runs the jobs') > 0);
    expect(count(server, 'this worker runs the jobs')).toBe(1);
  });

  it('refuse at once what another of them has revoked', async () => {
    const key = await mintSwitchedKey(server);
    const [one, other] = await connectToBoth(server);
    expect(await countStaleAnswers(key, [one, other], ROUNDS)).toBe(0);
    expect(await countStaleAnswers(key, [other, one], ROUNDS)).toBe(0);
    for (const { agent } of [one, other]) agent.destroy();
  });

  it('tell of all of them in their metrics, whichever is asked', async () => {
    const before = await readMetrics(server);
    const [one, other] = await connectToBoth(server);
    for (const { agent } of [one, other])
      for (let asked = 0; asked < 5; asked += 1)
        await send(agent, server.url, { method: 'GET', path: '/healthz' });
    const after = await readMetrics(server);
    // Each connection has cost a question of its own.
    expect(after.healthz - before.healthz).toBeGreaterThanOrEqual(12);
    expect(after.workers).toContain('keyreeve_workers{state="serving"} 2');
    for (const { agent } of [one, other]) agent.destroy();
  });

  it('keep their places when a new release does not start', async () => {
    release('broken release', 'process.exit(3);');
    server.signal('SIGHUP');
    await waitUntil(() => count(server, 'a new worker did not start; the present ones go on') === 1);
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
    expect((await readMetrics(server)).workers).toContain('keyreeve_workers{state="serving"} 2');
  });

  it('are replaced under load by a newer release, and no request fails', async () => {
    const key = await mintSwitchedKey(server);
    const switched = await mintSwitchedKey(server);
    const idle = openAgent(1);
    const oldPid = await findPid(server, await send(idle, server.url, { method: 'GET', path: '/healthz' }));
    const counted = (await readMetrics(server)).healthz;
    release('release two');
    const load = startLoad(server.url, key.fullKey, PAUSE_MS);

    const over = new AbortController();
    let wrong = 0;
    let checks = 0;
    const check = (async () => {
      while (!over.signal.aborted) {
        // Connections of their own: each change is made at one worker and asked for at the other.
        const [by, at] = [openAgent(1), openAgent(1)];
        await switched.set(by, 'disable');
        if ((await switched.authorize(at)) !== 401) wrong += 1;
        await switched.set(by, 'enable');
        if ((await switched.authorize(at)) !== 204) wrong += 1;
        checks += 2;
        for (const agent of [by, at]) agent.destroy();
        await sleep(2 * PAUSE_MS);
      }
    })();
    await waitUntil(() => load.requests() > REQUESTS_MIN / 4);
    await restart(server);

    // Nothing came over it for the whole restart: the worker at its end waits as long as it has promised.
    const late = await send(idle, server.url, { method: 'GET', path: '/healthz' });
    expect(late).toMatchObject({ status: 200, headers: { connection: 'close' } });
    expect(await findPid(server, late)).toBe(oldPid);

    if (IS_FULL) await restart(server);
    await waitUntil(() => load.requests() > REQUESTS_MIN);
    over.abort();
    await Promise.all([check, load.stop()]);
    console.log(`${load.requests()} requests, ${checks} checks of a revocation`);
    expect(load.failures).toEqual([]);
    expect(wrong).toBe(0);
    expect(checks).toBeGreaterThan(4);

    expect(count(server, 'release two')).toBe(IS_FULL ? 4 : 2);
    const now = await readMetrics(server);
    expect(now.healthz).toBeGreaterThan(counted);
    expect(now.workers).toContain('keyreeve_worker_crashes_total 0');
  });

  if (IS_FULL) {
    it('are replaced twice under wrk, whose 100,000 requests are all answered', async () => {
      const key = await mintSwitchedKey(server);
      const load = ['--threads', '1', '--connections', '32', '--duration', '90s', '--latency'];
      const header = `Authorization: Bearer ${key.fullKey}`;
      const url = `${server.url}/v1/authorize`;
      const wrk = run('/usr/bin/wrk', [...load, '--header', header, url], { timeoutMs: 120_000 });
      await sleep(5_000);
      await restart(server);
      await sleep(10_000);
      await restart(server);
      const { output } = await wrk;
      show('wrk over two rolling restarts', { ...(await wrk), output });
      expect(output).not.toMatch(/Socket errors|Non-2xx/);
      expect(Number(/(\d+) requests in/.exec(output)?.[1])).toBeGreaterThan(100_000);
    });
  }

  it('go on when one of them crashes: it is replaced, and another runs the jobs', async () => {
    const [, holder = ''] =
      [...server.output().matchAll(/"pid":(\d+),[^\n]*this worker runs the jobs/g)].at(-1) ?? [];
    const before = count(server, 'this worker runs the jobs');
    const counted = (await readMetrics(server)).healthz;
    process.kill(Number(holder), 'SIGKILL');
    await waitUntil(() => count(server, 'this worker runs the jobs') > before);
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
    expect(count(server, 'a worker crashed; it is replaced')).toBe(1);
    let now = await readMetrics(server);
    while (!now.workers.includes('keyreeve_workers{state="serving"} 2')) now = await readMetrics(server);
    expect(now.workers).toContain('keyreeve_worker_crashes_total 1');
    expect(now.healthz).toBeGreaterThanOrEqual(counted);
  });

  if (IS_FULL) {
    it('explain once why they cannot start', async () => {
      const refused = await place.startRefused({ data: 'second', port: server.port, env: WORKERS });
      expect(refused.code).toBe(1);
      expect(refused.stderr.match(/The address is in use/g)).toHaveLength(1);
    });
  }

  it('end together, in order, and answer until load balancers have turned away', async () => {
    const key = await mintSwitchedKey(server);
    const agent = openAgent(1);
    expect(await key.authorize(agent)).toBe(204);
    const pids = listPids(server);
    const ended = server.stop();
    let ready = 200;
    while (ready === 200) ready = (await fetch(`${server.url}/readyz`)).status;
    expect(ready).toBe(503);
    const headers = { authorization: `Bearer ${key.fullKey}` };
    const question = { method: 'GET', path: '/v1/authorize', headers };
    for (const by of [agent, openAgent(1)]) {
      let answer = await send(by, server.url, question);
      // One worker has said that it ends; the other one may not have heard of it yet.
      while (answer.status === 204 && answer.headers['connection'] !== 'close')
        answer = await send(by, server.url, question);
      expect(answer).toMatchObject({ status: 204, headers: { connection: 'close' } });
    }
    expect(await ended).toBe(0);
    expect(pids.filter(isAlive)).toEqual([]);
  });
});

describe('several workers over PostgreSQL', () => {
  it('refuse at once what another of them has revoked', async () => {
    postgres = await startPostgres();
    const env = {
      ...WORKERS,
      KEYREEVE_DATABASE_URL: postgres.url,
      KEYREEVE_MASTER_KEY: randomBytes(32).toString('base64'),
    };
    const server = await place.start({ data: 'postgres', env });
    const key = await mintSwitchedKey(server);
    const [one, other] = await connectToBoth(server);
    expect(await countStaleAnswers(key, [one, other], ROUNDS)).toBe(0);
    expect(await countStaleAnswers(key, [other, one], ROUNDS)).toBe(0);

    // One that hangs is waited for until it relies on nothing that it has in memory.
    process.kill(other.pid, 'SIGSTOP');
    const startedAt = performance.now();
    await key.set(one.agent, 'disable');
    const seconds = (performance.now() - startedAt) / 1_000;
    process.kill(other.pid, 'SIGCONT');
    expect(await key.authorize(other.agent)).toBe(401);
    expect(seconds).toBeGreaterThan(1.9);
    expect(seconds).toBeLessThan(5);
    for (const { agent } of [one, other]) agent.destroy();

    // The primary is killed: nobody serves any longer in its place.
    const pids = listPids(server);
    expect(pids.filter(isAlive)).toHaveLength(2);
    await server.kill();
    await waitUntil(() => !pids.some(isAlive));
  });
});
