import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, expect, it } from 'vitest';
import { recordControl, recordFigure } from '../../packages/testkit/src/proof.ts';
import { mintKey, signIn } from '../console.ts';
import { startLoad } from '../nodes/workers.ts';
import { openWorkplace, sleep, WITH_ADMIN } from '../server-process.ts';
import { readQueuedMs } from './queued.ts';
import { listSlowClients, openSlowClients } from './slow-clients.ts';

const ITEM = 22;
const IS_FULL = process.env['PROOF_FULL'] === '1';
const CONNECTIONS_EACH = IS_FULL ? 100 : 6;
const HELD_MS_MAX = 10_000;
const PAUSE_MS = IS_FULL ? 5 : 50;
const LARGE_PATH = '/openapi.json';

const place = openWorkplace();
afterAll(() => place.close());

/** What Node.js does for a server that sets no limits. */
async function startWithoutLimits() {
  const large = 'x'.repeat(500_000);
  const server = createServer(
    { headersTimeout: 0, requestTimeout: 0, keepAliveTimeout: 0 },
    (request, response) => {
      if (request.method === 'GET') response.end(large);
      else request.resume().on('end', () => response.end());
    },
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

/** Until so much time has passed for a process, without that in which others had all cores. */
async function sleepUnqueued(pid: number, ms: number): Promise<void> {
  const queuedBefore = readQueuedMs(pid);
  const startedAt = performance.now();
  for (let leftMs = ms; leftMs > 0; ) {
    await sleep(Math.ceil(leftMs));
    leftMs = ms + readQueuedMs(pid) - queuedBefore - (performance.now() - startedAt);
  }
}

const sum = (counts: Record<string, number>) => Object.values(counts).reduce((all, one) => all + one, 0);

it('slow clients lose their connections within ten seconds, and hold up no verification', async () => {
  const server = await place.start({ env: { ...WITH_ADMIN, KEYREEVE_LOG_LEVEL: 'error' } });
  const admin = await signIn(server.url);
  const { fullKey } = await mintKey(admin, admin.accountId, { comment: 'lives', access: 'account' });
  const bare = await startWithoutLimits();
  const clients = listSlowClients(LARGE_PATH);
  const load = startLoad(server.url, fullKey, PAUSE_MS);
  const attacks = await Promise.all(
    [server.port, bare.port].map((port) => openSlowClients(port, clients, CONNECTIONS_EACH)),
  );
  await sleepUnqueued(server.pid, HELD_MS_MAX);
  const [held = {}, heldByBare = {}] = attacks.map((attack) => attack.countHeld());
  await load.stop();
  for (const attack of attacks) attack.close();
  bare.server.closeAllConnections();
  bare.server.close();

  const all = clients.length * CONNECTIONS_EACH;
  recordFigure(ITEM, {
    name: 'sockets of slow clients after 10 s',
    reached: `${sum(held)} of ${all}${sum(held) === 0 ? '' : `: ${JSON.stringify(held)}`}, waits for a processor taken off`,
    wanted: '0',
    isHeld: sum(held) === 0,
  });
  recordFigure(ITEM, {
    name: 'parallel verifications that failed',
    reached: `${load.failures.length} of ${load.requests()}`,
    wanted: '0',
    isHeld: load.failures.length === 0,
  });
  recordControl(ITEM, {
    name: 'a server without time limits',
    shown: `held ${sum(heldByBare)} of ${all} after 10 s`,
    hasFailed: sum(heldByBare) === all,
  });
  expect(held).toEqual({});
  expect(load.failures).toEqual([]);
  expect(load.requests()).toBeGreaterThan(100);
  expect(sum(heldByBare)).toBe(all);
});
