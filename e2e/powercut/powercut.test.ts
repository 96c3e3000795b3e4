import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { CuttableDisk } from './power.ts';
import { callServer, type ServerProcess, startServer } from './server-process.ts';

const CUTS = Number(process.env['POWER_CUTS'] ?? '6');
const CONTROL_CUTS = 3;
const WRITERS = 4;
const NORMAL = path.join(import.meta.dirname, 'synchronous-normal.mjs');

interface Acknowledged {
  /** Full keys whose creation was answered with 201. */
  readonly created: string[];
  /** Full keys whose deletion was answered with 204. */
  readonly deleted: string[];
}

/** Creates keys, and deletes each third one, until the disk is cut; only answers that arrived count. */
async function write(
  server: ServerProcess,
  acknowledged: Acknowledged,
  isOver: () => boolean,
): Promise<void> {
  for (let made = 0; !isOver(); made += 1) {
    try {
      const answer = await callServer(server, 'POST', `/v1/accounts/${server.accountId}/keys`, {
        comment: `key ${made}`,
        access: 'account',
      });
      if (answer.status !== 201) throw new Error(await answer.text());
      const { apiKey, fullKey } = (await answer.json()) as { apiKey: string; fullKey: string };
      if (isOver()) return;
      if (made % 3 !== 2) {
        acknowledged.created.push(fullKey);
        continue;
      }
      // From the request to its answer the deletion may or may not be on disk; such a key counts for neither.
      const removed = await callServer(server, 'DELETE', `/v1/keys/${apiKey}`);
      if (removed.status === 204 && !isOver()) acknowledged.deleted.push(fullKey);
    } catch (error) {
      // The cut itself breaks the requests that are under way; before it, every answer must be right.
      if (!isOver()) throw error;
    }
  }
}

async function isTaken(server: ServerProcess, fullKey: string): Promise<boolean> {
  return (await fetch(`${server.url}/v1/keys/self`, { headers: { authorization: `Bearer ${fullKey}` } })).ok;
}

/** One cut: how many writes were acknowledged before it, and how many of them the disk does not know. */
async function cutOnce(nodeArguments: readonly string[]): Promise<{ acknowledged: number; lost: number }> {
  const disk = new CuttableDisk();
  let server: ServerProcess | null = null;
  let restored: ServerProcess | null = null;
  try {
    server = await startServer(path.join(disk.before, 'data'), nodeArguments);
    await callServer(server, 'PATCH', '/v1/settings', { maxKeysPerAccount: 10_000 }, { 'if-match': '*' });
    const acknowledged: Acknowledged = { created: [], deleted: [] };
    let isOver = false;
    const started = server;
    const writers = Array.from({ length: WRITERS }, () => write(started, acknowledged, () => isOver));
    await delay(300 + Math.floor((performance.now() * 7) % 700));
    // First nothing more counts, then the process stands still, then the disk is copied: each write that counts
    // was acknowledged before the cut.
    isOver = true;
    server.child.kill('SIGSTOP');
    disk.cut();
    await server.kill();
    await Promise.allSettled(writers);
    disk.restore();
    const count = acknowledged.created.length + acknowledged.deleted.length;
    try {
      restored = await startServer(path.join(disk.after, 'data'));
    } catch {
      // What the disk holds is not even a database that the server accepts: everything is lost.
      return { acknowledged: count, lost: count };
    }
    let lost = 0;
    for (const fullKey of acknowledged.created) if (!(await isTaken(restored, fullKey))) lost += 1;
    for (const fullKey of acknowledged.deleted) if (await isTaken(restored, fullKey)) lost += 1;
    return { acknowledged: count, lost };
  } finally {
    await server?.kill();
    await restored?.kill();
    disk.dispose();
  }
}

async function cutOften(
  count: number,
  nodeArguments: readonly string[] = [],
): Promise<{ acknowledged: number; lost: number }> {
  const sum = { acknowledged: 0, lost: 0 };
  for (let round = 0; round < count; round += 1) {
    const { acknowledged, lost } = await cutOnce(nodeArguments);
    sum.acknowledged += acknowledged;
    sum.lost += lost;
  }
  return sum;
}

describe('when the power goes', () => {
  it(`${CUTS} cuts lose none of the acknowledged writes: created keys work, deleted keys stay dead`, async () => {
    const { acknowledged, lost } = await cutOften(CUTS);
    process.stdout.write(`power cuts: ${CUTS}, acknowledged writes: ${acknowledged}, lost: ${lost}\n`);
    expect(acknowledged).toBeGreaterThan(CUTS);
    expect(lost).toBe(0);
  });

  it(`the control with synchronous=NORMAL loses some in ${CONTROL_CUTS} cuts, so the harness can see a loss`, async () => {
    const { lost } = await cutOften(CONTROL_CUTS, ['--import', NORMAL]);
    process.stdout.write(`control with synchronous=NORMAL: ${CONTROL_CUTS} cuts, lost: ${lost}\n`);
    expect(lost).toBeGreaterThan(0);
  });
});
