import type { AppError } from '../../errors/index.ts';
import type { Caller } from '../../http/index.ts';
import { type Clock, toIso } from '../../lib/clock.ts';
import { maskSecrets } from '../../lib/text.ts';
import { inTransaction, type Storage, type Tx } from '../../storage/index.ts';
import { insertAudit } from './audit.repo.ts';
import { toCsvFile } from './audit-export.ts';
import { type AuditQuery, type AuditReader, createAuditReader } from './audit-reader.ts';
import { type AuditEvent, toAuditRow } from './audit-row.ts';
import { createRefusalCounter, type RefusalCounter, sweepRefusals } from './refusal-counter.ts';

export interface AuditExport {
  /** When it was asked for. */
  readonly at: number;
  /** The file, piece by piece; reads on only when it is asked for more. */
  readonly pieces: AsyncIterable<string>;
}

export interface AuditService extends Pick<AuditReader, 'list'> {
  /** Writes one row in the transaction of the change that it tells of. */
  record(tx: Tx, caller: Caller, event: AuditEvent): Promise<void>;
  /** The newest 100,000 rows as CSV. Writes down that they were taken, before the first of them goes out. */
  exportCsv(caller: Caller, query: AuditQuery): Promise<AuditExport>;
  /**
   * Counts a refusal in memory. Callers without a valid credential are counted per address and minute; refusals of
   * known callers, and of tries to sign in to a known account, also become one audit row each. `flush` writes both.
   */
  countRefusal: RefusalCounter['count'];
  /** Writes what was counted; also called once a second by the process. */
  flush(): Promise<void>;
  /** Deletes counters of refusals that are older than 90 days; rows of the log stay. */
  sweep(): Promise<void>;
}

const EXPORT_ROWS_MAX = 100_000;

export function createAuditService(deps: { readonly storage: Storage; readonly clock: Clock }): AuditService {
  const { storage, clock } = deps;
  const refusals = createRefusalCounter(deps);
  const reader = createAuditReader(storage);
  const record: AuditService['record'] = (tx, caller, event) =>
    insertAudit(tx, toAuditRow(caller, event, clock.now()));
  return {
    record,
    list: (caller, query, page) => reader.list(caller, query, page),
    exportCsv: async (caller, query) => {
      await inTransaction(storage, (tx) =>
        record(tx, caller, {
          action: 'audit.exported',
          target: { kind: 'audit', id: caller.workspace.id },
          detail: {
            ...query,
            q: query.q && maskSecrets(query.q),
            since: toIsoOf(query.since),
            until: toIsoOf(query.until),
          },
        }),
      );
      return { at: clock.now(), pieces: toCsvFile(reader.readAll(caller, query, EXPORT_ROWS_MAX)) };
    },
    countRefusal: (caller, error: AppError, route, account) => refusals.count(caller, error, route, account),
    flush: () => refusals.flush(),
    sweep: () => sweepRefusals(deps),
  };
}

function toIsoOf(at: number | undefined): string | undefined {
  return at === undefined ? undefined : toIso(at);
}
