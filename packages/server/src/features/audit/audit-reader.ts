import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Caller, readCursor } from '../../http/index.ts';
import { type CursorValues, encodeCursor, type Page, toPage } from '../../lib/page.ts';
import type { Storage } from '../../storage/index.ts';
import { type AuditFilter, findStretchEnd, isSifted, listAudit, type StoredAuditRow } from './audit.repo.ts';

export type AuditQuery = Omit<AuditFilter, 'workspaceId'>;

export interface AuditReader {
  /** A page of the log of the caller's workspace, newest first. */
  list(
    caller: Caller,
    query: AuditQuery,
    page: { limit: number; cursor?: string | undefined },
  ): Promise<Page<StoredAuditRow>>;
  /** All of it, newest first, some rows at a time; reads on only when it is asked for more. */
  readAll(caller: Caller, query: AuditQuery, rowsMax: number): AsyncGenerator<readonly StoredAuditRow[]>;
}

// So many rows are sifted in one go: both engines answer a long scan without a pause in which others are served.
const STRETCH_ROWS = 1_000;
// Then the page ends, full or not, and its cursor says where to search on.
const SCAN_ROWS_MAX = 200_000;
const BATCH_ROWS = 100;

interface Gathered {
  readonly rows: readonly StoredAuditRow[];
  /** Where the search stopped before it was through; null when all rows were seen or the limit was reached. */
  readonly stoppedAt: CursorValues | null;
}

export function createAuditReader(storage: Storage): AuditReader {
  const gather = async (
    filter: AuditFilter,
    start: CursorValues | null,
    limit: number,
  ): Promise<Gathered> => {
    if (!isSifted(filter)) {
      const rows = await listAudit(storage.read, filter, start, { limit, stretch: limit });
      return { rows, stoppedAt: null };
    }
    const rows: StoredAuditRow[] = [];
    let after = start;
    for (let scanned = 0; scanned < SCAN_ROWS_MAX; scanned += STRETCH_ROWS) {
      const wanted = { limit: limit - rows.length, stretch: STRETCH_ROWS };
      const end = await findStretchEnd(storage.read, filter, after, STRETCH_ROWS);
      rows.push(...(await listAudit(storage.read, filter, after, wanted)));
      if (rows.length >= limit || end === null) return { rows, stoppedAt: null };
      after = end;
      await nextTurn();
    }
    return { rows, stoppedAt: after };
  };

  return {
    list: async (caller, query, { limit, cursor }) => {
      const after = readCursor(cursor, [0, 0]);
      const filter = { ...query, workspaceId: caller.workspace.id };
      const { rows, stoppedAt } = await gather(filter, after, limit + 1);
      const page = toPage(rows, limit, cursorOf);
      return stoppedAt === null || rows.length > limit
        ? page
        : { ...page, nextCursor: encodeCursor(stoppedAt) };
    },
    readAll: async function* readAll(caller, query, rowsMax) {
      const filter = { ...query, workspaceId: caller.workspace.id };
      let after: CursorValues | null = null;
      for (let left = rowsMax; left > 0; ) {
        const limit = Math.min(BATCH_ROWS, left);
        const { rows, stoppedAt }: Gathered = await gather(filter, after, limit);
        if (rows.length > 0) yield rows;
        const last = rows.at(-1);
        left -= rows.length;
        if (stoppedAt !== null) after = stoppedAt;
        else if (rows.length < limit || last === undefined) return;
        else after = cursorOf(last);
        await nextTurn();
      }
    },
  };
}

function cursorOf(row: StoredAuditRow): CursorValues {
  return [row.at, row.seq];
}
