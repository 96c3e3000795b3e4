import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../../lib/clock.ts';
import { createTurns } from '../../lib/turns.ts';
import { isRetryable, type Storage, type Tx } from '../../storage/index.ts';
import { listChangeTimes } from './usage.repo.ts';
import type { Gathered, KeyUse, LastUse, Tally, UsageBuffer } from './usage-buffer.ts';
import {
  addKeyHours,
  addWorkspaceHours,
  claimFlush,
  type FirstRefusalRow,
  type KeyHourRow,
  saveFirstRefusals,
  saveLastRefusals,
  saveLastUses,
  type WorkspaceHourRow,
} from './usage-write.repo.ts';

/** SQLite writes a whole transaction in one turn of the event loop; PostgreSQL is asked as seldom as possible. */
export const ROWS_PER_TRANSACTION = { sqlite: 64, postgres: 500 } as const;
/** Of keys that are sorted together. Twice as many would hold the event loop for some milliseconds. */
const SORTED_KEYS_MAX = 4_096;
const TRIES_MAX = 5;
const PAUSE_MS = 10;

/** One transaction of counters. Under its number it is stored once, however often it is tried. */
interface Batch {
  readonly sequence: number;
  readonly keys: readonly KeyUse[];
  readonly workspaces: readonly (readonly [string, readonly Tally[]])[];
}

export interface UsageWriter {
  /**
   * Writes what was gathered. What could not be written is kept and tried again by the next call, before anything
   * newer; meanwhile new uses gather in the buffer, within its bounds.
   *
   * @throws whatever the store answered, or that uses were lost for want of room
   */
  flush(): Promise<void>;
  /** What is on its way: not in the buffer any more, and perhaps not stored yet. */
  get(keyId: string): KeyUse | undefined;
}

export function createUsageWriter(deps: {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly buffer: UsageBuffer;
  /** Never that of another process, nor of an earlier run: its numbers would be taken for ours. */
  readonly recorderId: string;
}): UsageWriter {
  const { storage, clock, buffer, recorderId } = deps;
  let batches: Batch[] = [];
  let underWay: ReadonlyMap<string, KeyUse> = new Map();
  let sequence = 0;
  let lost = 0;

  const drain = async (): Promise<void> => {
    const turns = createTurns();
    for (let batch = batches[0]; batch !== undefined; batch = batches[0]) {
      await writeBatch(storage, recorderId, clock.now(), batch);
      batches.shift();
      await turns.step();
    }
    underWay = new Map();
  };

  const flush = async (): Promise<void> => {
    await drain();
    const gathered = buffer.take();
    underWay = gathered.keys;
    batches = await toBatches(gathered, ROWS_PER_TRANSACTION[storage.engine], () => (sequence += 1));
    lost += gathered.lost;
    await drain();
    if (lost === 0) return;
    const count = lost;
    lost = 0;
    throw new Error(`${count} uses were not counted: too much was gathered while the store did not answer.`);
  };

  let last: Promise<void> = Promise.resolve();
  return {
    // One after the other: a second call while one is at work would write the same batch beside it.
    flush: () => {
      const next = last.then(flush);
      last = next.catch(() => {});
      return next;
    },
    get: (keyId) => underWay.get(keyId),
  };
}

/**
 * Keys in their order, also from batch to batch: neighbours share the pages that are written, so this takes a third of
 * writing them as they came, and two processes that write the same rows would otherwise wait for each other.
 */
async function toBatches(
  { keys, workspaces }: Gathered,
  rowsMax: number,
  nextSequence: () => number,
): Promise<Batch[]> {
  const batches: Batch[] = [];
  let some: KeyUse[] = [];
  let rows = 0;
  const close = (of: Batch['workspaces'] = []): void => {
    if (some.length > 0 || of.length > 0)
      batches.push({ sequence: nextSequence(), keys: some, workspaces: of });
    some = [];
    rows = 0;
  };
  const turns = createTurns();
  const ids = [...keys.keys()];
  for (let from = 0; from < ids.length; from += SORTED_KEYS_MAX) {
    for (const id of ids.slice(from, from + SORTED_KEYS_MAX).toSorted()) {
      const use = keys.get(id);
      if (use === undefined) continue;
      some.push(use);
      rows += use.tallies.length;
      if (rows >= rowsMax) close();
    }
    close();
    await turns.step();
  }
  const others = [...workspaces];
  for (let from = 0; from < others.length; from += rowsMax) close(others.slice(from, from + rowsMax));
  return batches;
}

async function writeBatch(storage: Storage, recorderId: string, at: number, batch: Batch): Promise<void> {
  const { keys } = batch;
  for (let tries = 1; ; tries += 1) {
    try {
      const firsts = await toFirstRefusals(storage, keys);
      await storage.usage.transaction().execute(async (tx) => {
        // First of all: two tries of one batch, of which one was thought lost, meet at this row.
        if (await claimFlush(tx, { recorder_id: recorderId, sequence: batch.sequence, at }))
          await writeRows(tx, keys, batch.workspaces, firsts);
      });
      return;
    } catch (error) {
      if (!isRetryable(error) || tries >= TRIES_MAX) throw error;
      await delay(PAUSE_MS * tries);
    }
  }
}

async function writeRows(
  tx: Tx,
  keys: readonly KeyUse[],
  workspaces: Batch['workspaces'],
  firsts: readonly FirstRefusalRow[],
): Promise<void> {
  const uses = keys.flatMap((key) => (key.lastUse === null ? [] : [toRow(key, key.lastUse)]));
  const refusals = keys.flatMap((key) => {
    const { lastRefusal } = key;
    if (lastRefusal === null) return [];
    return [{ ...toRow(key, lastRefusal), reason: lastRefusal.reason, action: lastRefusal.action }];
  });
  await saveLastUses(tx, uses);
  await saveLastRefusals(tx, refusals);
  await saveFirstRefusals(tx, firsts);
  const hours: KeyHourRow[] = [];
  const sums = new Map<string, WorkspaceHourRow>();
  for (const { workspaceId, keyId, tallies } of keys) {
    for (const tally of tallies.length === 1 ? tallies : tallies.toSorted(compareTallies)) {
      const { hour, action, outcome, count } = tally;
      hours.push({ workspace_id: workspaceId, key_id: keyId, hour, action, outcome, count });
      addToWorkspace(sums, workspaceId, tally);
    }
  }
  for (const [workspaceId, tallies] of workspaces)
    for (const tally of tallies) addToWorkspace(sums, workspaceId, tally);
  await addKeyHours(tx, hours);
  await addWorkspaceHours(
    tx,
    [...sums].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, sum]) => sum),
  );
}

/** The first of each key since it was last changed: what was refused before the change says nothing of it now. */
async function toFirstRefusals(storage: Storage, keys: readonly KeyUse[]): Promise<FirstRefusalRow[]> {
  const refused = keys.filter((key) => key.firstRefusal !== null);
  const changes = await listChangeTimes(
    storage.read,
    refused.map((key) => key.keyId),
  );
  return refused.flatMap((key) => {
    const since = changes.get(key.keyId);
    const first = [key.firstRefusal, key.lastRefusal].find(
      (refusal) => refusal !== null && refusal.at >= (since ?? 0),
    );
    if (since === undefined || first === undefined || first === null) return [];
    return [{ ...toRow(key, first), since, reason: first.reason, action: first.action }];
  });
}

function toRow({ workspaceId, keyId }: KeyUse, { at, ip, userAgent }: LastUse) {
  return { workspace_id: workspaceId, key_id: keyId, at, ip, user_agent: userAgent };
}

/** All keys of a workspace together: its chart reads few rows. */
function addToWorkspace(
  sums: Map<string, WorkspaceHourRow>,
  workspaceId: string,
  { hour, outcome, count }: Tally,
): void {
  const name = `${workspaceId}|${hour}|${outcome}`;
  const sum = sums.get(name);
  if (sum === undefined) sums.set(name, { workspace_id: workspaceId, hour, outcome, count });
  else sum.count += count;
}

/** By the columns of the primary key. */
function compareTallies(a: Tally, b: Tally): number {
  if (a.hour !== b.hour) return a.hour - b.hour;
  if (a.action !== b.action) return a.action < b.action ? -1 : 1;
  return a.outcome < b.outcome ? -1 : 1;
}
