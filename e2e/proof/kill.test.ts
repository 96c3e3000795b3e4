import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { recordControl, recordFigure } from '../../packages/testkit/src/proof.ts';
import { signIn } from '../console.ts';
import { createSeeded } from '../notices/seeded.ts';
import { BARE_ENVIRONMENT } from '../run.ts';
import { MAIN, openWorkplace, type ServerProcess, sleep, WITH_ADMIN } from '../server-process.ts';
import { inspectDatabase, verifyAuditLog } from './inspect-database.ts';
import { type Desk, findLost, type Ledger, openLedger, writeKeys } from './ledger.ts';
import { sabotagedBy } from './sabotage.ts';

const IS_LONG = process.env['PROOF_FULL'] === '1';
const KILLS = IS_LONG ? 200 : 4;
/** None comes after the first loss. */
const CONTROL_KILLS_MAX = 4;
const KILLS_PER_DATABASE = 20;
const WRITERS = 4;
const SEED = Number(process.env['PROOF_SEED'] ?? '20261127');

const place = openWorkplace();
afterAll(() => place.close());

interface Prepared {
  readonly name: string;
  readonly cookie: string;
  readonly accountId: string;
}

interface Outcome {
  kills: number;
  killsWhileStarting: number;
  acknowledged: number;
  lost: number;
  readonly faults: string[];
}

/** Four writers until the kill; every answer that arrived was sent before it, so each of them counts. */
async function writeUntilKilled(server: ServerProcess, desk: Desk, ledger: Ledger, afterMs: number) {
  let isOver = false;
  const onRefused = (status: number, text: string) => {
    if (!isOver) throw new Error(`Before the kill a change was answered with ${status}: ${text}`);
  };
  const options = { isOver: () => isOver, countsLast: true, onRefused };
  const writers = Array.from({ length: WRITERS }, () => writeKeys(desk, ledger, options));
  await sleep(afterMs);
  isOver = true;
  await server.kill();
  await Promise.all(writers);
}

const ENVIRONMENT = { ...WITH_ADMIN, KEYREEVE_LOG_LEVEL: 'error' };

/** A data folder with an administrator, who may have as many keys as the kills need. */
async function prepare(name: string): Promise<Prepared> {
  const server = await place.start({ data: name, env: ENVIRONMENT });
  const { cookie, accountId, api } = await signIn(server.url);
  const { response } = await api.GET('/v1/settings');
  await api.PATCH('/v1/settings', {
    headers: { 'If-Match': response.headers.get('etag') ?? '' },
    body: { maxKeysPerAccount: 10_000 },
  });
  // Not by a kill: what Node has compiled is written at the end, and makes later starts cheaper.
  await server.stop();
  return { name, cookie, accountId };
}

/**
 * Kills a server again and again on the same data, also while it starts, and asks each next one what it knows.
 *
 * @param extra environment of the first server alone, for a control
 */
async function killOften(
  prepared: Prepared,
  count: number,
  outcome: Outcome,
  extra: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { name, ...session } = prepared;
  const random = createSeeded(SEED + outcome.kills).next;
  let server = await place.start({ data: name, env: { ...ENVIRONMENT, ...extra } });
  const whole = openLedger();
  const lost = new Set<string>();
  const lookUp = async (ledger: Ledger) => {
    for (const fullKey of await findLost(server.url, ledger)) lost.add(fullKey);
  };
  for (let kill = 0; kill < count; kill += 1) {
    const ledger = openLedger();
    await writeUntilKilled(server, { ...session, url: server.url }, ledger, 50 + random() * 950);
    outcome.kills += 1;
    outcome.acknowledged += ledger.changes;
    if (kill % 4 === 3) {
      // One that dies before it is ready leaves the next one no more than it found.
      await killWhileStarting(name, random() * 600);
      outcome.killsWhileStarting += 1;
    }
    server = await place.start({ data: name, env: ENVIRONMENT });
    await lookUp(ledger);
    outcome.faults.push(...inspectDatabase(server.dataDir));
    whole.live.push(...ledger.live);
    whole.dead.push(...ledger.dead);
  }
  // And once more at the end: a later crash must not take what an earlier one had left.
  await lookUp(whole);
  outcome.faults.push(...(await verifyAuditLog(server.dataDir)));
  outcome.lost += lost.size;
  await server.kill();
}

async function killWhileStarting(data: string, afterMs: number): Promise<void> {
  const child = spawn(process.execPath, [MAIN], {
    cwd: place.folder,
    env: { ...BARE_ENVIRONMENT, KEYREEVE_DATA_DIR: path.join(place.folder, data), KEYREEVE_PORT: '0' },
    stdio: 'ignore',
  });
  const ended = once(child, 'exit');
  await sleep(afterMs);
  child.kill('SIGKILL');
  await ended;
}

function newOutcome(): Outcome {
  return { kills: 0, killsWhileStarting: 0, acknowledged: 0, lost: 0, faults: [] };
}

let prepared: Prepared;

describe('after kill -9 under four writers over HTTP', () => {
  it(`${KILLS} kills lose nothing that was acknowledged, and tear nothing`, async () => {
    const outcome = newOutcome();
    for (let round = 0; outcome.kills < KILLS; round += 1) {
      prepared = await prepare(`kills-${round}`);
      await killOften(prepared, Math.min(KILLS_PER_DATABASE, KILLS - outcome.kills), outcome);
    }
    const { kills, killsWhileStarting, acknowledged, lost, faults } = outcome;
    recordFigure(1, {
      name: 'acknowledged writes lost',
      reached: `${lost} of ${acknowledged} in ${kills} kills, and ${killsWhileStarting} more while starting`,
      wanted: '0 in 200 kills (short form: 4)',
      isHeld: lost === 0 && acknowledged > kills,
      seed: SEED,
    });
    recordFigure(1, {
      name: 'torn changes and damaged pages',
      reached: `${faults.length} in ${kills} inspections`,
      wanted: '0',
      isHeld: faults.length === 0,
    });
    expect(faults).toEqual([]);
    expect(lost).toBe(0);
    expect(acknowledged).toBeGreaterThan(kills);
  });

  it('the control, a server that answers before it commits, loses some', async () => {
    const outcome = newOutcome();
    while (outcome.lost === 0 && outcome.kills < CONTROL_KILLS_MAX)
      await killOften(prepared, 1, outcome, sabotagedBy('late-commit.mjs'));
    const { kills, acknowledged, lost } = outcome;
    recordControl(1, {
      name: 'a server that answers before it commits',
      shown: `lost ${lost} of ${acknowledged} in ${kills} kills`,
      hasFailed: lost > 0,
    });
    expect(lost).toBeGreaterThan(0);
  });
});
