import { type Clock, HOUR_MS } from '../../lib/clock.ts';
import type { Storage } from '../../storage/index.ts';
import { addKeyHour, findLastUses, listKeyHours, saveLastUse } from './usage.repo.ts';

export interface LastUse {
  readonly at: number;
  readonly ip: string | null;
  readonly userAgent: string | null;
}

/** `key.valid`, or the reason of a refusal. */
export type UsageOutcome = string;

/**
 * Last use and hourly counters, gathered in memory and written in batches to the usage store. A verification
 * never waits for a write, and never wakes the caches that watch the durable file. A crash loses at most the
 * last second of counting, never a decision.
 */
export interface UsageRecorder {
  record(use: {
    workspaceId: string;
    keyId: string;
    outcome: UsageOutcome;
    ip: string | null;
    userAgent: string | null;
  }): void;
  /** Writes what was gathered; called once a second and at the end of the process. */
  flush(): Promise<void>;
  findLastUses(workspaceId: string, keyIds: readonly string[]): Promise<ReadonlyMap<string, LastUse>>;
  /** Counts by hour (hours since 1970) and outcome. */
  listHours(
    workspaceId: string,
    keyId: string,
    since: number,
  ): Promise<readonly { hour: number; outcome: string; count: number }[]>;
}

const BUFFER_KEYS_MAX = 100_000;
const ROWS_PER_TRANSACTION = 500;

interface Counter {
  readonly workspaceId: string;
  readonly keyId: string;
  readonly hour: number;
  readonly outcome: string;
  count: number;
}

export function createUsageRecorder(deps: {
  readonly storage: Storage;
  readonly clock: Clock;
}): UsageRecorder {
  const { storage, clock } = deps;
  let lastUses = new Map<string, LastUse & { workspaceId: string }>();
  let counters = new Map<string, Counter>();

  const flush: UsageRecorder['flush'] = async () => {
    const uses = [...lastUses];
    const counts = [...counters.values()];
    lastUses = new Map();
    counters = new Map();
    for (let from = 0; from < Math.max(uses.length, counts.length); from += ROWS_PER_TRANSACTION) {
      await storage.usage.transaction().execute(async (tx) => {
        for (const [keyId, use] of uses.slice(from, from + ROWS_PER_TRANSACTION)) {
          await saveLastUse(tx, {
            workspace_id: use.workspaceId,
            key_id: keyId,
            at: use.at,
            ip: use.ip,
            user_agent: use.userAgent,
          });
        }
        for (const counter of counts.slice(from, from + ROWS_PER_TRANSACTION)) await addKeyHour(tx, counter);
      });
    }
  };

  return {
    record: ({ workspaceId, keyId, outcome, ip, userAgent }) => {
      const at = clock.now();
      const hour = Math.floor(at / HOUR_MS);
      const name = `${keyId}|${hour}|${outcome}`;
      const counter = counters.get(name);
      if (counter !== undefined) counter.count += 1;
      else if (counters.size < BUFFER_KEYS_MAX)
        counters.set(name, { workspaceId, keyId, hour, outcome, count: 1 });
      if (outcome === 'valid' && (lastUses.has(keyId) || lastUses.size < BUFFER_KEYS_MAX))
        lastUses.set(keyId, { workspaceId, at, ip, userAgent });
    },
    flush,
    findLastUses: async (workspaceId, keyIds) => {
      const rows = await findLastUses(storage.usage, workspaceId, keyIds);
      const found = new Map<string, LastUse>(
        rows.map((row) => [row.key_id, { at: row.at, ip: row.ip, userAgent: row.user_agent }]),
      );
      // What is still in memory is newer than what is stored.
      for (const keyId of keyIds) {
        const pending = lastUses.get(keyId);
        if (pending !== undefined && pending.workspaceId === workspaceId)
          found.set(keyId, { at: pending.at, ip: pending.ip, userAgent: pending.userAgent });
      }
      return found;
    },
    listHours: (workspaceId, keyId, since) =>
      listKeyHours(storage.usage, workspaceId, keyId, Math.floor(since / HOUR_MS)),
  };
}
