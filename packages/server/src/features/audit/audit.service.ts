import { type AppError, requestErrors } from '../../errors/index.ts';
import type { Caller } from '../../http/index.ts';
import type { Clock } from '../../lib/clock.ts';
import { decodeCursor, type Page, toPage } from '../../lib/page.ts';
import type { Storage, Tx } from '../../storage/index.ts';
import { type AuditFilter, insertAudit, listAudit, type StoredAuditRow } from './audit.repo.ts';
import { type AuditEvent, toAuditRow } from './audit-row.ts';
import { createRefusalCounter, sweepRefusals } from './refusal-counter.ts';

export interface AuditService {
  /** Writes one row in the transaction of the change that it tells of. */
  record(tx: Tx, caller: Caller, event: AuditEvent): Promise<void>;
  /** A page of the log of the caller's workspace, newest first. */
  list(
    caller: Caller,
    filter: Omit<AuditFilter, 'workspaceId'>,
    page: { limit: number; cursor?: string | undefined },
  ): Promise<Page<StoredAuditRow>>;
  /**
   * Counts a refusal in memory. Callers without a valid credential are counted per address and minute;
   * refusals of known callers also become one audit row each. `flush` writes both.
   */
  countRefusal(caller: Caller, error: AppError, route: string): void;
  /** Writes what was counted; also called once a second by the process. */
  flush(): Promise<void>;
  /** Deletes counters of refusals that are older than 90 days; rows of the log stay. */
  sweep(): Promise<void>;
}

export function createAuditService(deps: { readonly storage: Storage; readonly clock: Clock }): AuditService {
  const { storage, clock } = deps;
  const refusals = createRefusalCounter(deps);
  return {
    record: (tx, caller, event) => insertAudit(tx, toAuditRow(caller, event, clock.now())),
    list: async (caller, filter, page) => {
      const after = page.cursor === undefined ? null : decodeCursor(page.cursor, [0]);
      if (page.cursor !== undefined && after === null)
        throw requestErrors.invalid({
          detail: 'cursor is not one that this list returned.',
          fields: [{ field: 'cursor', message: 'is not one that this list returned' }],
        });
      const rows = await listAudit(
        storage.read,
        { ...filter, workspaceId: caller.workspace.id },
        after,
        page.limit + 1,
      );
      return toPage(rows, page.limit, (row) => [row.seq]);
    },
    countRefusal: (caller, error, route) => refusals.count(caller, error, route),
    flush: () => refusals.flush(),
    sweep: () => sweepRefusals(deps),
  };
}
