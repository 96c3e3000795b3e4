import type { AppError } from '../../errors/index.ts';
import type { Caller } from '../../http/index.ts';
import { type Clock, DAY_MS, HOUR_MS, MINUTE_MS } from '../../lib/clock.ts';
import { toNetwork } from '../../lib/ip-list.ts';
import { nextTurn } from '../../lib/turns.ts';
import { inTransaction, inUsageTransaction, type Storage, type Tx } from '../../storage/index.ts';
import {
  type AuditRow,
  addRefusalHour,
  addRefusals,
  deleteRefusals,
  findOldestRefusal,
  type RefusalCount,
} from './audit.repo.ts';
import { type AuditEvent, toAuditRow } from './audit-row.ts';

const PENDING_ROWS_MAX = 1_000;
const PENDING_COUNTERS_MAX = 10_000;
// Small enough that writing one batch does not hold the event loop up.
const BATCH_ROWS = 200;
const KEEP_MS = 90 * DAY_MS;

export interface KnownAccount {
  readonly id: string;
  readonly kind: string;
  readonly login: string;
}

/** Refusals between two flushes, in bounded memory: an attacker chooses how many there are. */
export interface RefusalCounter {
  /**
   * For an error that ended a request behind the door: what a service refuses is a refusal as well. Callers whom nobody
   * knows, and what was counted where it was thrown, are left out.
   */
  countLate(caller: Caller, error: AppError, route: string): void;
  /** `account`: whom an unknown caller tried to be, when there is such an account. */
  count(caller: Caller, error: AppError, route: string, account?: KnownAccount | null): void;
  flush(): Promise<void>;
}

/** Sums by workspace, hour and reason: however many addresses knock, these are few rows. */
function sumByHour(
  counts: readonly RefusalCount[],
): { workspaceId: string; hour: number; reason: string; count: number }[] {
  const sums = new Map<string, { workspaceId: string; hour: number; reason: string; count: number }>();
  for (const { workspaceId, minute, reason, count } of counts) {
    const hour = Math.floor((minute * MINUTE_MS) / HOUR_MS);
    const name = `${workspaceId}|${hour}|${reason}`;
    sums.set(name, { workspaceId, hour, reason, count: (sums.get(name)?.count ?? 0) + count });
  }
  return [...sums.values()];
}

/** Counts refusals in memory; `flush` writes them in batches and keeps what the database does not take. */
export function createRefusalCounter({
  storage,
  clock,
  append,
}: {
  readonly storage: Storage;
  readonly clock: Clock;
  /** Puts a row into the log. */
  readonly append: (tx: Tx, row: AuditRow) => void;
}): RefusalCounter {
  const counted = new WeakSet<AppError>();
  let rows: AuditRow[] = [];
  let counts = new Map<string, RefusalCount>();

  const add = (added: RefusalCount): void => {
    const name = `${added.workspaceId}|${added.minute}|${added.address}|${added.reason}`;
    const known = counts.get(name);
    if (known !== undefined) counts.set(name, { ...known, count: known.count + added.count });
    else if (counts.size < PENDING_COUNTERS_MAX) counts.set(name, added);
  };

  const write = async (pendingRows: AuditRow[], pendingCounts: RefusalCount[]): Promise<void> => {
    while (pendingRows.length > 0 || pendingCounts.length > 0) {
      const rowBatch = pendingRows.slice(0, BATCH_ROWS);
      const countBatch = pendingCounts.slice(0, BATCH_ROWS);
      await inTransaction(storage, async (tx) => {
        for (const row of rowBatch) append(tx, row);
        await addRefusals(tx, countBatch);
      });
      pendingRows.splice(0, rowBatch.length);
      pendingCounts.splice(0, countBatch.length);
      await inUsageTransaction(storage, async (tx) => {
        for (const sum of sumByHour(countBatch)) await addRefusalHour(tx, sum);
      });
      await nextTurn();
    }
  };

  const count: RefusalCounter['count'] = (caller, error, route, account = null) => {
    counted.add(error);
    const at = clock.now();
    add({
      workspaceId: caller.workspace.id,
      minute: Math.floor(at / MINUTE_MS),
      address: toNetwork(caller.ip),
      reason: error.code,
      count: 1,
    });
    // Whoever comes too often chooses how many rows there would be: what he met is a limit, and lacks no right.
    const event = error.status === 429 ? null : toEvent(caller, error, route, account);
    if (event !== null && rows.length < PENDING_ROWS_MAX) rows.push(toAuditRow(caller, event, at));
  };

  return {
    count,
    countLate: (caller, error, route) => {
      const isRefusal = error.status === 401 || error.status === 403;
      if (isRefusal && isKnown(caller) && !counted.has(error)) count(caller, error, route);
    },
    flush: async () => {
      const pendingRows = rows;
      const pendingCounts = [...counts.values()];
      rows = [];
      counts = new Map();
      try {
        await write(pendingRows, pendingCounts);
      } catch (error) {
        // The database may be away for a while; what is not written waits for the next time.
        rows = [...pendingRows, ...rows].slice(0, PENDING_ROWS_MAX);
        for (const pendingCount of pendingCounts) add(pendingCount);
        throw error;
      }
    },
  };
}

function isKnown({ principal }: Caller): boolean {
  return principal.kind !== 'anonymous' && principal.kind !== 'system';
}

/** The row of a refusal, or null when nobody knows whom it is about: those are only counted. */
function toEvent(
  caller: Caller,
  error: AppError,
  route: string,
  account: KnownAccount | null,
): AuditEvent | null {
  if (isKnown(caller))
    return { action: 'access.refused', target: { kind: 'route', id: route }, detail: detailOf(error) };
  if (account === null) return null;
  const { id, kind, login: name } = account;
  return {
    action: 'session.refused',
    target: { kind, id, name },
    accountId: id,
    detail: { ...detailOf(error), route },
  };
}

function detailOf({ code, detail, extra }: AppError): Record<string, unknown> {
  const { action } = extra;
  return { code, message: detail, ...(typeof action === 'string' ? { action } : {}) };
}

/** Deletes the counters per address that are older than 90 days. */
export async function sweepRefusals(deps: {
  readonly storage: Storage;
  readonly clock: Clock;
}): Promise<void> {
  const before = Math.floor((deps.clock.now() - KEEP_MS) / MINUTE_MS);
  for (;;) {
    const oldest = await findOldestRefusal(deps.storage.read);
    if (oldest === null || oldest >= before) return;
    // Minute by minute: one large delete would keep other writers waiting.
    await inTransaction(deps.storage, (tx) => deleteRefusals(tx, oldest + 1));
    await nextTurn();
  }
}
