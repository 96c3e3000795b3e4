import { toIso } from '../../../lib/clock.ts';
import { nextTurn } from '../../../lib/turns.ts';
import type { AuditCheckpointsTable, Executor } from '../../../storage/index.ts';
import * as repo from './chain.repo.ts';
import { type AuditKeys, presentPublicKey } from './chain-keys.ts';
import { HASHED_COLUMNS } from './chain-row.ts';

/**
 * The export that can be verified without a server, a JSON document a line (docs/operations/audit.md):
 *
 *     {"keyreeveAudit":1,"workspaceId":…,"exportedAt":…,"publicKeys":[{"keyId":…,"algorithm":"Ed25519","publicKey":…}]}
 *     {"row":{"number":1,"seq":…,…,"previousHash":"","hash":…}}
 *     {"checkpoint":{"number":…,…,"signature":…}}       behind the row that it signs; the last one signs the last row
 *     {"end":{"rows":…}}
 */
export const FILE_VERSION = 1;
/** Few enough that they do not hold up the event loop. */
const BATCH_ROWS = 400;

/** The names of the columns in a file. */
export const FILE_NAMES = [...HASHED_COLUMNS, 'hash'].map(
  (column) => [column, column.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())] as const,
);
const NUMBERS: readonly string[] = ['number', 'seq', 'form', 'at'];

/** Of one row: as it was hashed, and not the MAC, which only the server can check. */
function toRowLine(row: repo.FoundAuditRow): string {
  const fields = FILE_NAMES.map(([column, name]) => {
    const value = row[column as keyof repo.FoundAuditRow];
    return [name, NUMBERS.includes(column) && value !== null ? Number(value) : value];
  });
  const own: unknown = Object.fromEntries(fields);
  return `${JSON.stringify({ row: own })}\n`;
}

function toCheckpointLine(row: AuditCheckpointsTable): string {
  const { number, previous, seq, hash, at, key_id: keyId, signature } = row;
  return `${JSON.stringify({ checkpoint: { number, previous, seq, hash, at, keyId, signature } })}\n`;
}

/** @param upTo the checkpoint that signs the last row of the file */
export async function* toChainFile(
  exec: Executor,
  keys: AuditKeys,
  { upTo, exportedAt }: { readonly upTo: AuditCheckpointsTable; readonly exportedAt: number },
): AsyncGenerator<string> {
  const workspaceId = upTo.workspace_id;
  const publicKeys = keys.map(presentPublicKey);
  const head = { keyreeveAudit: FILE_VERSION, workspaceId, exportedAt: toIso(exportedAt), publicKeys };
  yield `${JSON.stringify(head)}\n`;
  let rows = 0;
  for (let after: string | null = null; after === null || Number(after) < upTo.seq; ) {
    const page = await repo.readFoundRows(exec, { after, limit: BATCH_ROWS, workspaceId });
    if (page.last === null) break;
    after = page.last;
    await nextTurn();
    const wanted = page.rows.filter(({ seq }) => Number(seq) <= upTo.seq);
    const [first, last] = [wanted[0], wanted.at(-1)];
    if (first === undefined || last === undefined) continue;
    const range = { from: Number(first.number), to: Number(last.number), limit: BATCH_ROWS };
    const checkpoints = await repo.listCheckpoints(exec, workspaceId, range);
    let text = '';
    for (const row of wanted) {
      text += toRowLine(row);
      const number = Number(row.number);
      while (checkpoints[0] !== undefined && checkpoints[0].number <= number)
        text += toCheckpointLine(checkpoints.shift() as AuditCheckpointsTable);
    }
    yield text;
    rows += wanted.length;
  }
  yield `${JSON.stringify({ end: { rows } })}\n`;
}
