import { type Caller, readCursor } from '../../http/index.ts';
import type { CursorValues, Page } from '../../lib/page.ts';
import { type ReadStretch, type Sifted, sift, toSiftedPage } from '../../lib/sift.ts';
import { nextTurn } from '../../lib/turns.ts';
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
  /**
   * All of it, newest first, some rows at a time; reads on only when it is asked for more. Where the search for the
   * next row takes long there are batches without any, so that whoever has gone away can end it.
   */
  readAll(caller: Caller, query: AuditQuery, rowsMax: number): AsyncGenerator<readonly StoredAuditRow[]>;
}

const STRETCH_ROWS = 1_000;
// Then the page ends, full or not, and its cursor says where to search on.
const STRETCHES_MAX = 200;
const BATCH_ROWS = 100;

export function createAuditReader(storage: Storage): AuditReader {
  const gather = async (
    filter: AuditFilter,
    start: CursorValues | null,
    limit: number,
  ): Promise<Sifted<StoredAuditRow>> => {
    if (!isSifted(filter))
      return { rows: await listAudit(storage.read, filter, start, null, limit), stoppedAt: null };
    const read: ReadStretch<StoredAuditRow> = async (after, wanted) => {
      const end = await findStretchEnd(storage.read, filter, after, STRETCH_ROWS);
      return { rows: await listAudit(storage.read, filter, after, end, wanted), end };
    };
    return await sift(read, start, { limit, stretchesMax: STRETCHES_MAX });
  };

  return {
    list: async (caller, query, { limit, cursor }) => {
      const after = readCursor(cursor, [0, 0]);
      const filter = { ...query, workspaceId: caller.workspace.id };
      return toSiftedPage(await gather(filter, after, limit + 1), limit, cursorOf);
    },
    readAll: async function* readAll(caller, query, rowsMax) {
      const filter = { ...query, workspaceId: caller.workspace.id };
      let after: CursorValues | null = null;
      for (let left = rowsMax; left > 0; ) {
        const limit = Math.min(BATCH_ROWS, left);
        const { rows, stoppedAt }: Sifted<StoredAuditRow> = await gather(filter, after, limit);
        yield rows;
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
