import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { buildNupkg } from '../../packages/testkit/src/nupkg-builder.ts';
import { recordControl, recordFigure } from '../../packages/testkit/src/proof.ts';
import { signIn } from '../console.ts';
import { openWorkplace, WITH_ADMIN } from '../server-process.ts';
import { callDesk, type Desk } from './ledger.ts';
import { sabotagedBy } from './sabotage.ts';
import { attachStrace } from './strace.ts';

const IS_LONG = process.env['PROOF_FULL'] === '1';
const CHANGES = IS_LONG ? 400 : 40;
const PUSHES = IS_LONG ? 40 : 4;

const place = openWorkplace();
afterAll(() => place.close());

/** From the request to its answer, in milliseconds since 1970, as the tracer reckons too. */
interface Window {
  readonly from: number;
  readonly to: number;
}

interface Sync extends Window {
  readonly file: string;
}

/** `[pid 1234] 1700000000.123456 fsync(21</data/keyreeve.db-wal>) = 0`: those that succeeded. */
function readSyncs(lines: readonly string[]): Sync[] {
  const syncs: Sync[] = [];
  const unfinished = new Map<string, { from: number; file: string }>();
  for (const line of lines) {
    const [, thread = '', seconds, rest = ''] = /^(?:\[pid +(\d+)\] )?([\d.]+) (.*)$/.exec(line) ?? [];
    const at = Number(seconds) * 1_000;
    const file = /^f(?:data)?sync\(\d+<(.*)>/.exec(rest)?.[1];
    if (file !== undefined && rest.includes('<unfinished')) unfinished.set(thread, { from: at, file });
    else if (file !== undefined && rest.endsWith(' = 0')) syncs.push({ from: at, to: at, file });
    const begun = unfinished.get(thread);
    if (begun === undefined || !/^<\.\.\. f(?:data)?sync resumed>.* = 0$/.test(rest)) continue;
    syncs.push({ ...begun, to: at });
    unfinished.delete(thread);
  }
  return syncs;
}

async function within(windows: Window[], work: () => Promise<Response>, wanted: number): Promise<string> {
  const from = Date.now();
  const answer = await work();
  const text = await answer.text();
  // The clock of JavaScript shows whole milliseconds, rounded down.
  windows.push({ from, to: Date.now() + 1 });
  expect(answer.status, text).toBe(wanted);
  return text;
}

/** How many windows have no sync of such a file in them, begun and ended there. */
function countWithout(
  windows: readonly Window[],
  syncs: readonly Sync[],
  isWanted: (file: string) => boolean,
) {
  const wanted = syncs.filter(({ file }) => isWanted(file));
  return windows.filter(({ from, to }) => !wanted.some((sync) => sync.from >= from && sync.to <= to)).length;
}

interface Measured {
  readonly changes: number;
  readonly pushes: number;
  readonly logSyncs: number;
  readonly changesWithoutSync: number;
  readonly pushesWithoutSync: number;
}

/** One change after the other, each with the syncs that came between its request and its answer. */
async function measure(data: string, extra: Readonly<Record<string, string>> = {}): Promise<Measured> {
  const server = await place.start({ data, env: { ...WITH_ADMIN, KEYREEVE_LOG_LEVEL: 'error', ...extra } });
  const { cookie, accountId } = await signIn(server.url);
  const desk: Desk = { url: server.url, cookie, accountId };
  const changes: Window[] = [];
  const pushes: Window[] = [];
  const create = () =>
    callDesk(desk, 'POST', `/v1/accounts/${accountId}/keys`, { comment: 'synced', access: 'account' });
  const { fullKey } = JSON.parse(await within([], create, 201)) as { fullKey: string };
  const tracer = await attachStrace(server.pid, ['trace=fsync,fdatasync']);
  for (let made = 0; made < CHANGES; made += 2) {
    const { apiKey } = JSON.parse(await within(changes, create, 201)) as { apiKey: string };
    await within(changes, () => callDesk(desk, 'DELETE', `/v1/keys/${apiKey}`), 204);
  }
  for (let made = 0; made < PUSHES; made += 1) {
    const body = Buffer.from(buildNupkg({ id: 'Acme.Synced', version: `1.0.${made}` }));
    const push = () =>
      fetch(`${server.url}/api/v2/package`, { method: 'PUT', headers: { 'x-nuget-apikey': fullKey }, body });
    await within(pushes, push, 201);
  }
  const syncs = readSyncs(await tracer.stop());
  await server.kill();
  const log = path.join(server.dataDir, 'keyreeve.db-wal');
  const isLog = (file: string) => file === log;
  const ofPushes = [
    isLog,
    (file: string) => file.startsWith(path.join(server.dataDir, 'blobs/staging/')),
    (file: string) => file === path.join(server.dataDir, 'blobs'),
  ];
  return {
    changes: changes.length,
    pushes: pushes.length,
    logSyncs: syncs.filter(({ file, from }) => isLog(file) && from <= (changes.at(-1)?.to ?? 0)).length,
    changesWithoutSync: countWithout(changes, syncs, isLog),
    pushesWithoutSync: Math.max(...ofPushes.map((isWanted) => countWithout(pushes, syncs, isWanted))),
  };
}

describe('an answer that says something is stored', () => {
  it('comes after the disk was told to keep it, each time', async () => {
    const { changes, pushes, logSyncs, changesWithoutSync, pushesWithoutSync } = await measure('synced');
    recordFigure(3, {
      name: 'syncs of the log for each acknowledged change',
      reached: `${(logSyncs / changes).toFixed(2)} (${logSyncs} for ${changes})`,
      wanted: 'at least 1.0',
      isHeld: logSyncs >= changes,
    });
    recordFigure(3, {
      name: 'acknowledged without a sync between request and answer',
      reached: `${changesWithoutSync} of ${changes} changes, ${pushesWithoutSync} of ${pushes} packages`,
      wanted: '0',
      isHeld: changesWithoutSync + pushesWithoutSync === 0,
    });
    expect(logSyncs).toBeGreaterThanOrEqual(changes);
    expect({ changesWithoutSync, pushesWithoutSync }).toEqual({
      changesWithoutSync: 0,
      pushesWithoutSync: 0,
    });
  });

  it('comes before that in the control with synchronous=NORMAL', async () => {
    const measured = await measure('normal', sabotagedBy('../powercut/synchronous-normal.mjs'));
    const { changes, logSyncs, changesWithoutSync } = measured;
    recordControl(3, {
      name: 'a server with synchronous=NORMAL',
      shown: `${(logSyncs / changes).toFixed(2)} syncs a change; ${changesWithoutSync} of ${changes} without one`,
      hasFailed: logSyncs < changes && changesWithoutSync > 0,
    });
    expect(logSyncs).toBeLessThan(changes);
    expect(changesWithoutSync).toBeGreaterThan(0);
  });
});
