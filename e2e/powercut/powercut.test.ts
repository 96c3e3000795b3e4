import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { recordControl, recordFigure } from '../../packages/testkit/src/proof.ts';
import { inspectDatabase, verifyAuditLog } from '../proof/inspect-database.ts';
import { findLost, openLedger, writeKeys } from '../proof/ledger.ts';
import { CuttableDisk } from './power.ts';
import { callServer, type ServerProcess, startServer } from './server-process.ts';

const CUTS = Number(process.env['POWER_CUTS'] ?? '3');
const CONTROL_CUTS_MAX = 3;
const WRITERS = 4;
/** A busy machine acknowledges nothing for a second: then a cut can take nothing. */
const CHANGES_MIN = 8;
const LOG_VERIFIED_EVERY = 4;
const NORMAL = path.join(import.meta.dirname, 'synchronous-normal.mjs');

interface Cut {
  readonly acknowledged: number;
  /** How many of them the disk does not know. */
  readonly lost: number;
  /** What is damaged or half. */
  readonly faults: readonly string[];
}

/** @param verifiesLog whether the audit log is verified afterwards, which takes a process of its own */
async function cutOnce(nodeArguments: readonly string[], verifiesLog: boolean): Promise<Cut> {
  const disk = new CuttableDisk();
  let server: ServerProcess | null = null;
  let restored: ServerProcess | null = null;
  try {
    server = await startServer(path.join(disk.before, 'data'), nodeArguments);
    await callServer(server, 'PATCH', '/v1/settings', { maxKeysPerAccount: 10_000 }, { 'if-match': '*' });
    const ledger = openLedger();
    let isOver = false;
    const onRefused = (status: number, text: string) => {
      // The cut itself breaks the requests that are under way; before it, every answer must be right.
      if (!isOver) throw new Error(`Before the cut a change was answered with ${status}: ${text}`);
    };
    const options = { isOver: () => isOver, countsLast: false, onRefused };
    const desk = server;
    const writers = Array.from({ length: WRITERS }, () => writeKeys(desk, ledger, options));
    await delay(300 + Math.floor((performance.now() * 7) % 700));
    while (ledger.changes < CHANGES_MIN && server.child.exitCode === null) await delay(5);
    // First nothing more counts, then the process stands still, then the disk is copied: each write that counts
    // was acknowledged before the cut.
    isOver = true;
    server.child.kill('SIGSTOP');
    disk.cut();
    await server.kill();
    await Promise.all(writers);
    disk.restore();
    const acknowledged = ledger.changes;
    try {
      restored = await startServer(path.join(disk.after, 'data'));
    } catch {
      // What the disk holds is not even a database that the server accepts: everything is lost.
      return { acknowledged, lost: acknowledged, faults: [] };
    }
    const lost = await findLost(restored.url, ledger);
    const dataDir = path.join(disk.after, 'data');
    const faults = [...inspectDatabase(dataDir), ...(verifiesLog ? await verifyAuditLog(dataDir) : [])];
    return { acknowledged, lost: lost.length, faults };
  } finally {
    await server?.kill();
    await restored?.kill();
    disk.dispose();
  }
}

async function cutOften(count: number): Promise<Cut> {
  const sum = { acknowledged: 0, lost: 0, faults: [] as string[] };
  for (let round = 0; round < count; round += 1) {
    const { acknowledged, lost, faults } = await cutOnce([], round % LOG_VERIFIED_EVERY === 0);
    sum.acknowledged += acknowledged;
    sum.lost += lost;
    sum.faults.push(...faults);
  }
  return sum;
}

/** @returns what so many cuts have taken at most: none comes after the first loss */
async function cutUntilLost(
  cutsMax: number,
  nodeArguments: readonly string[],
): Promise<{ cuts: number; acknowledged: number; lost: number }> {
  const sum = { cuts: 0, acknowledged: 0, lost: 0 };
  while (sum.lost === 0 && sum.cuts < cutsMax) {
    const { acknowledged, lost } = await cutOnce(nodeArguments, false);
    sum.cuts += 1;
    sum.acknowledged += acknowledged;
    sum.lost += lost;
  }
  return sum;
}

describe('when the power goes', () => {
  it(`${CUTS} cuts lose none of the acknowledged writes: created keys work, deleted keys stay dead`, async () => {
    const { acknowledged, lost, faults } = await cutOften(CUTS);
    process.stdout.write(`power cuts: ${CUTS}, acknowledged writes: ${acknowledged}, lost: ${lost}\n`);
    recordFigure(2, {
      name: 'acknowledged writes lost',
      reached: `${lost} of ${acknowledged} in ${CUTS} cuts`,
      wanted: '0 in 200 cuts (short form: 3)',
      isHeld: lost === 0 && acknowledged > CUTS,
    });
    recordFigure(2, {
      name: 'torn changes and damaged pages',
      reached: `${faults.length} in ${CUTS} inspections`,
      wanted: '0',
      isHeld: faults.length === 0,
    });
    expect(faults).toEqual([]);
    expect(acknowledged).toBeGreaterThan(CUTS);
    expect(lost).toBe(0);
  });

  it(`the control with synchronous=NORMAL loses some in ${CONTROL_CUTS_MAX} cuts, so the harness can see a loss`, async () => {
    const { cuts, acknowledged, lost } = await cutUntilLost(CONTROL_CUTS_MAX, ['--import', NORMAL]);
    process.stdout.write(`control with synchronous=NORMAL: ${cuts} cuts, lost: ${lost}\n`);
    recordControl(2, {
      name: 'a server with synchronous=NORMAL',
      shown: `lost ${lost} of ${acknowledged} in ${cuts} cuts`,
      hasFailed: lost > 0,
    });
    expect(lost).toBeGreaterThan(0);
  });
});
