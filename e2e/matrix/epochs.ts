import type { Snapshot } from './ledger.ts';

type Row = Readonly<Record<string, unknown>>;

interface Watched {
  readonly table: string;
  readonly id: string;
  /** Columns that no answer about a key is made of. */
  readonly free: readonly string[];
  /** A new row revokes something; elsewhere it only makes known what was unknown. */
  readonly isNewWatched?: boolean;
}

/** The rows that answers about keys are made of. */
const WATCHED: readonly Watched[] = [
  { table: 'api_keys', id: 'id', free: ['comment', 'comment_lower', 'updated_at', 'version', 'row_mac'] },
  { table: 'accounts', id: 'id', free: ['last_seen_at'] },
  { table: 'settings', id: 'workspace_id', free: [], isNewWatched: true },
  { table: 'ended_tokens', id: 'jti', free: [], isNewWatched: true },
];

function rowsOf(snapshot: Snapshot, table: string): readonly Row[] {
  const rows = snapshot.all.get(table);
  if (rows === undefined) throw new Error(`There is no table ${table}: the matrix would miss its changes.`);
  return rows;
}

function toText(row: Row, free: readonly string[]): string {
  return JSON.stringify(Object.entries(row).filter(([name]) => !free.includes(name)));
}

/** The workspaces of rows that are gone, or say something else. */
function listChanged(before: Snapshot, after: Snapshot, watched: Watched): string[] {
  const { table, id, free, isNewWatched = false } = watched;
  // The ledger hands on the same rows as long as a table is not touched.
  if (rowsOf(before, table) === rowsOf(after, table)) return [];
  const [old, now] = [before, after].map(
    (snapshot) => new Map(rowsOf(snapshot, table).map((row) => [row[id], row])),
  );
  const gone = [...(old ?? [])].filter(([key, row]) => {
    const present = now?.get(key);
    return present === undefined || toText(present, free) !== toText(row, free);
  });
  const added = isNewWatched ? [...(now ?? [])].filter(([key]) => old?.has(key) !== true) : [];
  return [...gone, ...added].map(([, row]) => String(row['workspace_id']));
}

/**
 * Changes of what answers about keys are made of, in a workspace whose revocation epoch stands still: whoever keeps
 * answers would go on with the old ones.
 */
export function findStandingEpochs(before: Snapshot, after: Snapshot): string[] {
  const epochOf = (snapshot: Snapshot, workspaceId: string): number =>
    rowsOf(snapshot, 'revocation_epochs')
      .filter((row) => row['workspace_id'] === workspaceId)
      .reduce((sum, row) => sum + Number(row['epoch']), 0);
  return WATCHED.filter((watched) =>
    listChanged(before, after, watched).some(
      (workspaceId) => epochOf(before, workspaceId) === epochOf(after, workspaceId),
    ),
  ).map(({ table }) => `${table} was changed and the revocation epoch stands still`);
}
