import { type AppError, requestErrors } from '../../errors/index.ts';
import type { Caller } from '../../http/index.ts';
import { type Clock, HOUR_MS, MINUTE_MS } from '../../lib/clock.ts';
import { decodeCursor, type Page, toPage } from '../../lib/page.ts';
import { inTransaction, type Storage, type Tx } from '../../storage/index.ts';
import { addRefusalHour, addRefusals, type AuditFilter, type AuditRow, insertAudit, listAudit, type RefusalCount, type StoredAuditRow } from './audit.repo.ts';

/** What happened to what. `detail` never holds a secret, a token or a password. */
export interface AuditEvent {
  /** `area.verb` in the past tense: `key.created`. */
  readonly action: string;
  readonly target: { readonly kind: string; readonly id: string; readonly name?: string | null };
  readonly accountId?: string | null;
  readonly keyId?: string | null;
  readonly detail?: Readonly<Record<string, unknown>>;
}

export interface AuditService {
  /** Writes one row in the transaction of the change that it tells of. */
  record(tx: Tx, caller: Caller, event: AuditEvent): Promise<void>;
  /** A page of the log of the caller's workspace, newest first. */
  list(caller: Caller, filter: Omit<AuditFilter, 'workspaceId'>, page: { limit: number; cursor?: string | undefined }): Promise<Page<StoredAuditRow>>;
  /**
   * Counts a refusal in memory. Callers without a valid credential are counted per address and minute;
   * refusals of known callers also become one audit row each. `flush` writes both.
   */
  countRefusal(caller: Caller, error: AppError, route: string): void;
  /** Writes what was counted; also called once a second by the process. */
  flush(): Promise<void>;
}

const PENDING_ROWS_MAX = 1_000;
const PENDING_COUNTERS_MAX = 10_000;

function actorOf(caller: Caller): Pick<AuditRow, 'actor_kind' | 'actor_id' | 'actor_name' | 'actor_key_id'> {
  const { principal } = caller;
  if (principal.kind === 'anonymous') return { actor_kind: 'anonymous', actor_id: null, actor_name: null, actor_key_id: null };
  if (principal.kind === 'system') return { actor_kind: 'system', actor_id: null, actor_name: principal.name, actor_key_id: null };
  const keyId = principal.kind === 'session' ? null : principal.key.id;
  return { actor_kind: principal.kind, actor_id: principal.account.id, actor_name: principal.account.login, actor_key_id: keyId };
}

function toRow(caller: Caller, event: AuditEvent, at: number): AuditRow {
  return {
    ...actorOf(caller),
    workspace_id: caller.workspace.id,
    at,
    action: event.action,
    target_kind: event.target.kind,
    target_id: event.target.id,
    target_name: event.target.name ?? null,
    account_id: event.accountId ?? null,
    key_id: event.keyId ?? null,
    ip: caller.ip,
    user_agent: caller.userAgent,
    request_id: caller.requestId,
    detail: JSON.stringify(event.detail ?? {}),
  };
}

export function createAuditService(deps: { readonly storage: Storage; readonly clock: Clock }): AuditService {
  const { storage, clock } = deps;
  let pendingRows: AuditRow[] = [];
  let pendingCounters = new Map<string, RefusalCount>();

  const addCounter = (added: RefusalCount): void => {
    const name = `${added.workspaceId}|${added.minute}|${added.address}|${added.reason}`;
    const known = pendingCounters.get(name);
    if (known !== undefined) pendingCounters.set(name, { ...known, count: known.count + added.count });
    else if (pendingCounters.size < PENDING_COUNTERS_MAX) pendingCounters.set(name, added);
  };

  const countRefusal: AuditService['countRefusal'] = (caller, error, route) => {
    const at = clock.now();
    const minute = Math.floor(at / MINUTE_MS);
    addCounter({ workspaceId: caller.workspace.id, minute, address: caller.ip ?? 'unknown', reason: error.code, count: 1 });
    const isKnown = caller.principal.kind !== 'anonymous' && caller.principal.kind !== 'system';
    if (isKnown && pendingRows.length < PENDING_ROWS_MAX) {
      pendingRows.push(toRow(caller, { action: 'access.refused', target: { kind: 'route', id: route }, detail: { code: error.code } }, at));
    }
  };

  const flush: AuditService['flush'] = async () => {
    const rows = pendingRows;
    const counters = [...pendingCounters.values()];
    pendingRows = [];
    pendingCounters = new Map();
    if (rows.length === 0 && counters.length === 0) return;
    try {
      await inTransaction(storage, async (tx) => {
        for (const row of rows) await insertAudit(tx, row);
        for (const counter of counters) await addRefusals(tx, counter);
      });
    } catch (error) {
      // The database may be away for a while; what was counted waits for the next time.
      pendingRows = [...rows, ...pendingRows].slice(0, PENDING_ROWS_MAX);
      for (const counter of counters) addCounter(counter);
      throw error;
    }
    for (const counter of counters) {
      await addRefusalHour(storage.usage, { ...counter, hour: Math.floor((counter.minute * MINUTE_MS) / HOUR_MS) });
    }
  };

  return {
    record: (tx, caller, event) => insertAudit(tx, toRow(caller, event, clock.now())),
    list: async (caller, filter, page) => {
      const after = page.cursor === undefined ? null : decodeCursor(page.cursor, [0]);
      if (page.cursor !== undefined && after === null) throw requestErrors.invalid({ detail: 'cursor is not one that this list returned.', fields: [{ field: 'cursor', message: 'is not one that this list returned' }] });
      const rows = await listAudit(storage.read, { ...filter, workspaceId: caller.workspace.id }, after, page.limit + 1);
      return toPage(rows, page.limit, (row) => [row.seq]);
    },
    countRefusal,
    flush,
  };
}
