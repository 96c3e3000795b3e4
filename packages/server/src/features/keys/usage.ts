import { type Clock, HOUR_MS } from '../../lib/clock.ts';
import { createTurns } from '../../lib/turns.ts';
import type { KeyLastUsesTable, Storage, Tx } from '../../storage/index.ts';
import {
  addKeyHour,
  addWorkspaceHour,
  findLastRefusals,
  findLastUses,
  listKeyHours,
  saveLastRefusal,
  saveLastUse,
  sumOutcomeSince,
} from './usage.repo.ts';

export interface LastUse {
  readonly at: number;
  readonly ip: string | null;
  readonly userAgent: string | null;
}

export type LastRefusal = LastUse & { readonly reason: UsageOutcome };

/** `valid`, or the reason of a refusal. */
export type UsageOutcome = string;

/**
 * Last use, last refusal and hourly counters, gathered in memory and written in batches to the usage store. A
 * verification never waits for a write, and never wakes the caches that watch the durable file. A crash loses at
 * most the last second of counting, never a decision.
 */
export interface UsageRecorder {
  /** Only for keys whose secret was right: a wrong one says nothing about the key, and must leave no trace on it. */
  record(use: {
    workspaceId: string;
    keyId: string;
    /** What was asked for: of the question, or of our own route. Null when a credential was only looked at. */
    action: string | null;
    outcome: UsageOutcome;
    ip: string | null;
    userAgent: string | null;
  }): void;
  /** A credential that is nobody's: counted for the workspace, and for no key. */
  recordUnknown(workspaceId: string, outcome: 'malformed' | 'not_found'): void;
  /** Writes what was gathered; called once a second and at the end of the process. */
  flush(): Promise<void>;
  findLastUses(workspaceId: string, keyIds: readonly string[]): Promise<ReadonlyMap<string, LastUse>>;
  findLastRefusals(workspaceId: string, keyIds: readonly string[]): Promise<ReadonlyMap<string, LastRefusal>>;
  /** Keys that were refused here, with the right secret, since the last call. */
  takeRefused(): readonly { readonly workspaceId: string; readonly keyId: string }[];
  /**
   * How often a key was refused though it was alive, in the worst of the hours from `since` (milliseconds) on, as far
   * as it is written.
   */
  countRefusals(workspaceId: string, keyId: string, since: number): Promise<number>;
  /** How often each key was refused as expired, from the hour of `since` (milliseconds) on. */
  countExpiredRefusals(
    workspaceId: string,
    keys: readonly { readonly keyId: string; readonly since: number }[],
  ): Promise<ReadonlyMap<string, number>>;
  /** Counts by hour (hours since 1970) and outcome. */
  listHours(
    workspaceId: string,
    keyId: string,
    since: number,
  ): Promise<readonly { hour: number; outcome: string; count: number }[]>;
}

const BUFFER_KEYS_MAX = 100_000;
const ROWS_PER_TRANSACTION = 500;
// A key that is called every hour has 2,160 counters after 90 days: adding them up takes about a millisecond.
const SUMMED_KEYS = 4;

interface Counter {
  readonly workspaceId: string;
  /** Null: of no key, only of the workspace. */
  readonly keyId: string | null;
  readonly hour: number;
  readonly outcome: string;
  count: number;
}

type OfWorkspace<Event> = Event & { readonly workspaceId: string };

/** The newest of its kind for each key, in bounded memory. */
class Latest<Event extends LastUse> {
  #events = new Map<string, OfWorkspace<Event>>();

  set(keyId: string, event: OfWorkspace<Event>): void {
    if (this.#events.has(keyId) || this.#events.size < BUFFER_KEYS_MAX) this.#events.set(keyId, event);
  }

  take(): [string, OfWorkspace<Event>][] {
    const taken = [...this.#events];
    this.#events = new Map();
    return taken;
  }

  /** What is still in memory is newer than what is stored. */
  addTo(found: Map<string, Event>, workspaceId: string, keyIds: readonly string[]): Map<string, Event> {
    for (const keyId of keyIds) {
      const pending = this.#events.get(keyId);
      if (pending !== undefined && pending.workspaceId === workspaceId) found.set(keyId, pending);
    }
    return found;
  }
}

export function createUsageRecorder(deps: {
  readonly storage: Storage;
  readonly clock: Clock;
}): UsageRecorder {
  const { storage, clock } = deps;
  const lastUses = new Latest<LastUse>();
  const lastRefusals = new Latest<LastRefusal>();
  let refused = new Map<string, string>();
  let counters = new Map<string, Counter>();

  const count = (workspaceId: string, keyId: string | null, outcome: string): void => {
    const hour = Math.floor(clock.now() / HOUR_MS);
    const name = `${keyId ?? workspaceId}|${hour}|${outcome}`;
    const counter = counters.get(name);
    if (counter !== undefined) counter.count += 1;
    else if (counters.size < BUFFER_KEYS_MAX)
      counters.set(name, { workspaceId, keyId, hour, outcome, count: 1 });
  };

  return {
    record: ({ workspaceId, keyId, outcome, ip, userAgent }) => {
      count(workspaceId, keyId, outcome);
      const event = { workspaceId, at: clock.now(), ip, userAgent };
      if (outcome === 'valid') lastUses.set(keyId, event);
      else {
        lastRefusals.set(keyId, { ...event, reason: outcome });
        if (refused.size < BUFFER_KEYS_MAX) refused.set(keyId, workspaceId);
      }
    },
    recordUnknown: (workspaceId, outcome) => count(workspaceId, null, outcome),
    flush: async () => {
      const uses = lastUses.take();
      const refusals = lastRefusals.take();
      const counts = [...counters];
      counters = new Map();
      await writeInBatches(storage, uses, refusals, counts);
    },
    findLastUses: async (workspaceId, keyIds) => {
      const rows = await findLastUses(storage.usage, workspaceId, keyIds);
      const found = new Map<string, LastUse>(
        rows.map((row) => [row.key_id, { at: row.at, ip: row.ip, userAgent: row.user_agent }]),
      );
      return lastUses.addTo(found, workspaceId, keyIds);
    },
    findLastRefusals: async (workspaceId, keyIds) => {
      const rows = await findLastRefusals(storage.usage, workspaceId, keyIds);
      const found = new Map<string, LastRefusal>(
        rows.map(({ key_id, at, ip, user_agent, reason }) => [
          key_id,
          { at, ip, userAgent: user_agent, reason },
        ]),
      );
      return lastRefusals.addTo(found, workspaceId, keyIds);
    },
    takeRefused: () => {
      const taken = [...refused].map(([keyId, workspaceId]) => ({ workspaceId, keyId }));
      refused = new Map();
      return taken;
    },
    countRefusals: (workspaceId, keyId, since) => countWorstHour(storage, workspaceId, keyId, since),
    countExpiredRefusals: (workspaceId, keys) => sumExpired(storage, workspaceId, keys),
    listHours: (workspaceId, keyId, since) =>
      listKeyHours(storage.usage, workspaceId, keyId, Math.floor(since / HOUR_MS)),
  };
}

async function writeInBatches(
  storage: Storage,
  uses: readonly [string, OfWorkspace<LastUse>][],
  refusals: readonly [string, OfWorkspace<LastRefusal>][],
  counts: readonly [string, Counter][],
): Promise<void> {
  const rows = Math.max(uses.length, refusals.length, counts.length);
  for (let from = 0; from < rows; from += ROWS_PER_TRANSACTION) {
    const to = from + ROWS_PER_TRANSACTION;
    await storage.usage.transaction().execute(async (tx) => {
      for (const [keyId, use] of inOrder(uses.slice(from, to))) await saveLastUse(tx, toRow(keyId, use));
      for (const [keyId, refusal] of inOrder(refusals.slice(from, to)))
        await saveLastRefusal(tx, { ...toRow(keyId, refusal), reason: refusal.reason });
      await addCounts(tx, inOrder(counts.slice(from, to)));
    });
  }
}

/** Outcomes that say nothing against whoever asked: let in, or refused because the key is meant to be off. */
const EXPECTED_OUTCOMES = ['valid', 'expired', 'disabled', 'account_disabled'];

async function countWorstHour(
  storage: Storage,
  workspaceId: string,
  keyId: string,
  since: number,
): Promise<number> {
  const sums = new Map<number, number>();
  const rows = await listKeyHours(storage.usage, workspaceId, keyId, Math.floor(since / HOUR_MS));
  for (const { hour, outcome, count } of rows)
    if (!EXPECTED_OUTCOMES.includes(outcome)) sums.set(hour, (sums.get(hour) ?? 0) + count);
  return Math.max(0, ...sums.values());
}

async function sumExpired(
  storage: Storage,
  workspaceId: string,
  keys: readonly { readonly keyId: string; readonly since: number }[],
): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  const turns = createTurns();
  for (let from = 0; from < keys.length; from += SUMMED_KEYS) {
    const some = keys
      .slice(from, from + SUMMED_KEYS)
      .map(({ keyId, since }) => ({ keyId, sinceHour: Math.floor(since / HOUR_MS) }));
    for (const row of await sumOutcomeSince(storage.usage, workspaceId, 'expired', some))
      counts.set(row.key_id, row.count);
    await turns.step();
  }
  return counts;
}

/** One order everywhere: two processes that write the same rows would otherwise wait for each other for ever. */
function inOrder<Value>(entries: readonly [string, Value][]): [string, Value][] {
  return entries.toSorted(([a], [b]) => (a < b ? -1 : 1));
}

function toRow(keyId: string, { workspaceId, at, ip, userAgent }: OfWorkspace<LastUse>): KeyLastUsesTable {
  return { workspace_id: workspaceId, key_id: keyId, at, ip, user_agent: userAgent };
}

/** Each counter to its key, and all of them to their workspace: the chart of a workspace reads few rows. */
async function addCounts(tx: Tx, counts: readonly [string, Counter][]): Promise<void> {
  const sums = new Map<string, Counter>();
  for (const [, counter] of counts) {
    const { workspaceId, keyId, hour, outcome, count } = counter;
    if (keyId !== null) await addKeyHour(tx, { workspaceId, keyId, hour, outcome, count });
    const name = `${workspaceId}|${hour}|${outcome}`;
    const sum = sums.get(name);
    if (sum === undefined) sums.set(name, { ...counter });
    else sum.count += count;
  }
  for (const [, sum] of inOrder([...sums])) await addWorkspaceHour(tx, sum);
}
