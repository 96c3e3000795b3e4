import { randomBase62 } from '../../lib/base62.ts';
import { type Clock, HOUR_MS } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import { createTurns } from '../../lib/turns.ts';
import type { Storage } from '../../storage/index.ts';
import {
  findFirstRefusals,
  findLastRefusals,
  findLastUses,
  listKeyHours,
  sumOutcomeSince,
} from './usage.repo.ts';
import {
  type KeyUse,
  type LastUse,
  type Refusal,
  USAGE_BOUNDS,
  type UsageBounds,
  UsageBuffer,
  type Use,
} from './usage-buffer.ts';
import { createUsageWriter } from './usage-flush.ts';

/**
 * Last use, refusals and hourly counters, gathered in memory and written in batches to the usage store. A
 * verification never waits for a write, and never wakes the caches that watch the durable file. A crash loses at
 * most the last second of counting, never a decision.
 */
export interface UsageRecorder {
  /** Only for keys whose secret was right: a wrong one says nothing about the key, and must leave no trace on it. */
  record(use: Use): void;
  /** A credential that is nobody's: counted for the workspace, and for no key. */
  recordUnknown(workspaceId: string, outcome: 'malformed' | 'not_found'): void;
  /**
   * Writes what was gathered; called once a second and at the end of the process. What could not be written is kept,
   * and added exactly once, also when it is unknown whether a try was stored.
   *
   * @throws whatever the store answered
   */
  flush(): Promise<void>;
  findLastUses(workspaceId: string, keyIds: readonly string[]): Promise<ReadonlyMap<string, LastUse>>;
  findLastRefusals(workspaceId: string, keyIds: readonly string[]): Promise<ReadonlyMap<string, Refusal>>;
  /** The first refusal of each key since it was last changed: when an attack or a break began. */
  findFirstRefusals(
    workspaceId: string,
    keys: readonly { readonly id: string; readonly updatedAt: number }[],
  ): Promise<ReadonlyMap<string, Refusal>>;
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
  /** Counts by hour (hours since 1970) and outcome, of all actions together, as far back as hours are kept. */
  listHours(
    workspaceId: string,
    keyId: string,
    since: number,
  ): Promise<readonly { hour: number; outcome: string; count: number }[]>;
}

const REFUSED_KEYS_MAX = 100_000;
// A key that is called every hour has 840 counters after 35 days: adding them up takes about a millisecond.
const SUMMED_KEYS = 4;
const ID_CHARACTERS = 20;

export function createUsageRecorder(deps: {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly random: Random;
  readonly bounds?: UsageBounds;
}): UsageRecorder {
  const { storage, clock, random, bounds = USAGE_BOUNDS } = deps;
  const buffer = new UsageBuffer(clock, bounds);
  const recorderId = randomBase62(random, ID_CHARACTERS);
  const writer = createUsageWriter({ storage, clock, buffer, recorderId });
  let refused = new Map<string, string>();

  /** What is not stored yet, the older first. */
  const inMemory = (workspaceId: string, keyId: string): readonly KeyUse[] =>
    [writer.get(keyId), buffer.get(keyId)].filter(
      (use): use is KeyUse => use !== undefined && use.workspaceId === workspaceId,
    );

  const lastRefusalsOf = async (workspaceId: string, keyIds: readonly string[]) => {
    const rows = await findLastRefusals(storage.usage, workspaceId, keyIds);
    const stored = new Map(rows.map((row) => [row.key_id, toRefusal(row)]));
    return withNewer(stored, keyIds, (keyId) => inMemory(workspaceId, keyId).map((use) => use.lastRefusal));
  };

  return {
    record: (use) => {
      buffer.add(use);
      if (use.outcome !== 'valid' && refused.size < REFUSED_KEYS_MAX) refused.set(use.keyId, use.workspaceId);
    },
    recordUnknown: (workspaceId, outcome) => buffer.addUnknown(workspaceId, outcome),
    flush: () => writer.flush(),
    findLastUses: async (workspaceId, keyIds) => {
      const rows = await findLastUses(storage.usage, workspaceId, keyIds);
      const stored = new Map<string, LastUse>(
        rows.map((row) => [row.key_id, { at: row.at, ip: row.ip, userAgent: row.user_agent }]),
      );
      return withNewer(stored, keyIds, (keyId) => inMemory(workspaceId, keyId).map((use) => use.lastUse));
    },
    findLastRefusals: lastRefusalsOf,
    findFirstRefusals: async (workspaceId, keys) => {
      const ids = keys.map((key) => key.id);
      const rows = await findFirstRefusals(storage.usage, workspaceId, ids);
      const stored = new Map(rows.map((row) => [row.key_id, toRefusal(row)]));
      const last = await lastRefusalsOf(workspaceId, ids);
      return findFirsts(keys, (id) => [
        stored.get(id),
        ...inMemory(workspaceId, id).map((use) => use.firstRefusal),
        last.get(id),
      ]);
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

/** What is stored, and what came after it. */
function withNewer<Event extends LastUse>(
  stored: ReadonlyMap<string, Event>,
  keyIds: readonly string[],
  newerOf: (keyId: string) => readonly (Event | null)[],
): ReadonlyMap<string, Event> {
  const found = new Map(stored);
  for (const keyId of keyIds) {
    for (const event of newerOf(keyId))
      if (event !== null && event.at >= (found.get(keyId)?.at ?? 0)) found.set(keyId, event);
  }
  return found;
}

/** The last refusal is a candidate too: the first may have been gathered in the very second of the change. */
function findFirsts(
  keys: readonly { readonly id: string; readonly updatedAt: number }[],
  candidatesOf: (id: string) => readonly (Refusal | null | undefined)[],
): ReadonlyMap<string, Refusal> {
  const found = new Map<string, Refusal>();
  for (const { id, updatedAt } of keys) {
    const [first] = candidatesOf(id)
      .filter((one): one is Refusal => one != null && one.at >= updatedAt)
      .toSorted((a, b) => a.at - b.at);
    if (first !== undefined) found.set(id, first);
  }
  return found;
}

function toRefusal(row: {
  readonly at: number;
  readonly ip: string | null;
  readonly user_agent: string | null;
  readonly reason: string;
  readonly action: string | null;
}): Refusal {
  return { at: row.at, ip: row.ip, userAgent: row.user_agent, reason: row.reason, action: row.action };
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
