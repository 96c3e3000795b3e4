import { hash } from 'node:crypto';
import { type RawBuilder, sql } from 'kysely';
import type {
  AuditCheckpointsTable,
  AuditHeadsTable,
  Executor,
  Storage,
  Tx,
} from '../../../storage/index.ts';
import { AUDIT_COLUMNS, type AuditRow, type StoredAuditRow } from '../audit.repo.ts';
import { type ChainedRow, HASHED_COLUMNS, type Head } from './chain-row.ts';

/** SQLite takes 32,766 parameters a statement. */
const INSERT_ROWS_MAX = 1_000;
const KEYS_MAX = 100;

export interface StoredHead {
  readonly head: Head;
  readonly mac: string;
}

type HeadColumns = AuditHeadsTable;

type FoundHead = HeadColumns | { readonly [Column in keyof HeadColumns]: null };

function hasHead(row: FoundHead): row is HeadColumns {
  return row.workspace_id !== null;
}

function toStoredHead(row: HeadColumns): StoredHead {
  const head: Head = {
    workspaceId: row.workspace_id,
    version: row.version,
    number: row.number,
    seq: row.seq,
    hash: row.hash,
    isLive: row.is_live === 1,
    brokenAt: row.broken_at,
    checkpoint: row.checkpoint,
    checkpointAt: row.checkpoint_at,
  };
  return { head, mac: row.mac };
}

/** Of our locks among the advisory ones of the database; the other half of the key is the workspace. */
const LOCK_CLASS = 1_096_111_177;

/**
 * Waits until no other transaction writes these logs; the lock ends with the transaction. SQLite has one writer. To be
 * taken last, or by work that does nothing else: whoever holds it must wait for nobody.
 */
export async function lockLogs(
  tx: Tx,
  engine: Storage['engine'],
  workspaceIds: readonly string[],
): Promise<void> {
  if (engine === 'sqlite') return;
  // Everybody in the same order, or two would wait for each other.
  const keys = workspaceIds.map((id) => hash('sha256', id, 'buffer').readInt32BE()).toSorted((a, b) => a - b);
  for (const key of new Set(keys)) await sql`select pg_advisory_xact_lock(${LOCK_CLASS}, ${key})`.execute(tx);
}

/**
 * The head of a workspace, and places for `count` rows, ascending and above all that were ever given.
 *
 * @param exec sees what was committed until the lock of the log was got
 */
export async function readHead(
  exec: Executor,
  engine: Storage['engine'],
  workspaceId: string,
  count: number,
): Promise<{ readonly stored: StoredHead | null; readonly seqs: readonly number[] }> {
  const places: RawBuilder<unknown> =
    engine === 'postgres'
      ? sql`(select json_agg(nextval(pg_get_serial_sequence('audit', 'seq'))) from generate_series(1, ${count}::int))`
      : sql`max(coalesce((select seq from sqlite_sequence where name = 'audit'), 0), coalesce((select max(seq) from audit), 0))`;
  const { rows } = await sql<FoundHead & { places: number | readonly number[] | null }>`
    select h.*, ${places} as places from (select 1) as one left join audit_heads h on h.workspace_id = ${workspaceId}
      and h.version = (select max(m.version) from audit_heads m where m.workspace_id = ${workspaceId})`.execute(
    exec,
  );
  const [row] = rows;
  if (row === undefined) throw new Error('A query of one row gave none.');
  const { places: found } = row;
  const seqs =
    typeof found === 'number'
      ? Array.from({ length: count }, (_, index) => found + 1 + index)
      : (found ?? []);
  return { stored: hasHead(row) ? toStoredHead(row) : null, seqs };
}

export async function findHead(exec: Executor, workspaceId: string): Promise<Head | null> {
  const row = await exec
    .selectFrom('audit_heads')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .orderBy('version', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? null : toStoredHead(row).head;
}

/** A page of the heads of all workspaces. */
export async function listHeads(exec: Executor, after: string, limit: number): Promise<StoredHead[]> {
  const { rows } = await sql<HeadColumns>`select h.* from audit_heads h where h.workspace_id > ${after}
    and h.version = (select max(m.version) from audit_heads m where m.workspace_id = h.workspace_id)
    order by h.workspace_id limit ${limit}`.execute(exec);
  return rows.map(toStoredHead);
}

/** Workspaces that have no head, a page at a time. */
export async function listHeadless(exec: Executor, limit: number): Promise<string[]> {
  const rows = await exec
    .selectFrom('workspaces as w')
    .leftJoin('audit_heads as h', 'h.workspace_id', 'w.id')
    .select('w.id')
    .where('h.workspace_id', 'is', null)
    .orderBy('w.id')
    .limit(limit)
    .execute();
  return rows.map(({ id }) => id);
}

function toColumns({ head, mac }: StoredHead): HeadColumns {
  return {
    workspace_id: head.workspaceId,
    version: head.version,
    number: head.number,
    seq: head.seq,
    hash: head.hash,
    is_live: head.isLive ? 1 : 0,
    broken_at: head.brokenAt,
    checkpoint: head.checkpoint,
    checkpoint_at: head.checkpointAt,
    mac,
  };
}

/**
 * Adds a head behind the one before it. A serializable transaction of PostgreSQL may change no row that somebody else
 * has changed since it began, so it only adds; the old ones are deleted afterwards (`deleteOldHeads`).
 */
export async function addHead(tx: Tx, engine: Storage['engine'], stored: StoredHead): Promise<void> {
  await tx.insertInto('audit_heads').values(toColumns(stored)).execute();
  const { workspaceId, version } = stored.head;
  if (engine === 'sqlite')
    await tx
      .deleteFrom('audit_heads')
      .where('workspace_id', '=', workspaceId)
      .where('version', '<', version)
      .execute();
}

/** Of all workspaces, or of these: whoever finds an old head could put it in the place of the present one. */
export async function deleteOldHeads(exec: Executor, workspaceIds: readonly string[] | null): Promise<void> {
  const ofThese = workspaceIds === null ? sql`` : sql`workspace_id in (${sql.join(workspaceIds)}) and`;
  await sql`delete from audit_heads where ${ofThese} version < (select max(m.version) from audit_heads m
    where m.workspace_id = audit_heads.workspace_id)`.execute(exec);
}

type NewRow = ChainedRow | (AuditRow & { readonly seq: number });

export async function insertRows(tx: Tx, rows: readonly NewRow[]): Promise<void> {
  for (let start = 0; start < rows.length; start += INSERT_ROWS_MAX)
    await tx
      .insertInto('audit')
      .values(rows.slice(start, start + INSERT_ROWS_MAX))
      .execute();
}

/** Rows and the head behind them; on PostgreSQL in one statement, since others wait. */
export async function appendRows(
  tx: Tx,
  engine: Storage['engine'],
  rows: readonly ChainedRow[],
  stored: StoredHead,
): Promise<void> {
  if (engine === 'sqlite' || rows.length > INSERT_ROWS_MAX) {
    await insertRows(tx, rows);
    await addHead(tx, engine, stored);
    return;
  }
  await tx
    .with('written', (db) => db.insertInto('audit').values([...rows]))
    .insertInto('audit_heads')
    .values(toColumns(stored))
    .execute();
}

/** What is the last row by time of a workspace whose head cannot be believed. */
export async function findLastRow(
  exec: Executor,
  workspaceId: string,
): Promise<{ number: number | null; seq: number; hash: string | null } | undefined> {
  return await exec
    .selectFrom('audit')
    .select(['number', 'seq', 'hash'])
    .where('workspace_id', '=', workspaceId)
    .orderBy('at', 'desc')
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst();
}

export async function findLastSeq(exec: Executor): Promise<number> {
  const row = await exec
    .selectFrom('audit')
    .select((eb) => eb.fn.max<number | null>('seq').as('seq'))
    .executeTakeFirst();
  return row?.seq ?? 0;
}

export async function findMeta(exec: Executor, name: string): Promise<string | null> {
  const row = await exec.selectFrom('meta').select('value').where('name', '=', name).executeTakeFirst();
  return row?.value ?? null;
}

export async function saveMeta(tx: Tx, name: string, value: string): Promise<void> {
  await tx
    .insertInto('meta')
    .values({ name, value })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ value }))
    .execute();
}

export async function insertAuditKey(
  tx: Tx,
  row: { id: string; sealed: string; created_at: number },
): Promise<void> {
  await tx.insertInto('audit_keys').values(row).execute();
}

/** The newest first. */
export async function listAuditKeys(exec: Executor): Promise<{ id: string; sealed: string }[]> {
  return await exec
    .selectFrom('audit_keys')
    .select(['id', 'sealed'])
    .orderBy('created_at', 'desc')
    .orderBy('id')
    .limit(KEYS_MAX)
    .execute();
}

export async function insertCheckpoint(tx: Tx, row: AuditCheckpointsTable): Promise<void> {
  await tx.insertInto('audit_checkpoints').values(row).execute();
}

const CHECKPOINT_COLUMNS = [
  'workspace_id',
  'number',
  'previous',
  'seq',
  'hash',
  'at',
  'key_id',
  'signature',
] as const;

/** The newest first. */
export async function listNewestCheckpoints(
  exec: Executor,
  workspaceId: string,
  limit: number,
): Promise<AuditCheckpointsTable[]> {
  return await exec
    .selectFrom('audit_checkpoints')
    .select(CHECKPOINT_COLUMNS)
    .where('workspace_id', '=', workspaceId)
    .orderBy('number', 'desc')
    .limit(limit)
    .execute();
}

/** Those from one number to another, both included, in their order. */
export async function listCheckpoints(
  exec: Executor,
  workspaceId: string,
  { from, to, limit }: { readonly from: number; readonly to: number; readonly limit: number },
): Promise<AuditCheckpointsTable[]> {
  return await exec
    .selectFrom('audit_checkpoints')
    .select(CHECKPOINT_COLUMNS)
    .where('workspace_id', '=', workspaceId)
    .where('number', '>=', from)
    .where('number', '<=', to)
    .orderBy('number')
    .limit(limit)
    .execute();
}

/** Rows that are in no chain, in their order. `upTo` is included. */
export async function listUnchained(
  exec: Executor,
  range: {
    readonly after: number;
    readonly upTo: number | null;
    readonly limit: number;
    readonly workspaceId?: string;
  },
): Promise<StoredAuditRow[]> {
  let query = exec
    .selectFrom('audit')
    .select(AUDIT_COLUMNS)
    .where('seq', '>', range.after)
    .where('hash', 'is', null);
  if (range.upTo !== null) query = query.where('seq', '<=', range.upTo);
  if (range.workspaceId !== undefined) query = query.where('workspace_id', '=', range.workspaceId);
  return await query.orderBy('seq').limit(range.limit).execute();
}

/** Puts rows that are stored into the chain, where they are. */
export async function chainStored(tx: Tx, rows: readonly ChainedRow[]): Promise<void> {
  // Both engines name the columns of VALUES so.
  const values = rows.map(
    (row) =>
      sql`(cast(${row.seq} as bigint), cast(${row.number} as bigint), cast(${row.form} as integer), ${row.previous_hash}, ${row.hash}, ${row.mac})`,
  );
  await sql`update audit set number = v.column2, form = v.column3, previous_hash = v.column4, hash = v.column5,
    mac = v.column6 from (values ${sql.join(values)}) as v where audit.seq = v.column1`.execute(tx);
}

/** Only rows that are in no chain; they are put into it in another place. */
export async function deleteUnchained(tx: Tx, seqs: readonly number[]): Promise<void> {
  if (seqs.length === 0) return;
  await tx.deleteFrom('audit').where('seq', 'in', seqs).where('hash', 'is', null).execute();
}

/** A row as it is stored, its integers as text: whatever somebody has written there can be read so. */
export type FoundAuditRow = Readonly<Record<(typeof HASHED_COLUMNS)[number] | 'hash' | 'mac', string | null>>;

const INTEGERS: readonly string[] = ['number', 'seq', 'form', 'at'];
const FOUND_COLUMNS = sql.join(
  [...HASHED_COLUMNS, 'hash', 'mac'].map((name) =>
    INTEGERS.includes(name) ? sql`cast(${sql.ref(name)} as text) as ${sql.ref(name)}` : sql.ref(name),
  ),
);

/** Rows behind a place, of one workspace or of all, in the order of their places. */
export async function readFoundRows(
  exec: Executor,
  { after, limit, workspaceId }: { after: number; limit: number; workspaceId?: string | undefined },
): Promise<FoundAuditRow[]> {
  const ofWorkspace = workspaceId === undefined ? sql`` : sql`and workspace_id = ${workspaceId}`;
  const { rows } = await sql<FoundAuditRow>`select ${FOUND_COLUMNS} from audit
    where audit.seq > ${after} ${ofWorkspace} order by audit.seq limit ${limit}`.execute(exec);
  return rows;
}

/** The ids of the workspaces, a page at a time. */
export async function listWorkspaceIds(exec: Executor, after: string, limit: number): Promise<string[]> {
  const rows = await exec
    .selectFrom('workspaces')
    .select('id')
    .where('id', '>', after)
    .orderBy('id')
    .limit(limit)
    .execute();
  return rows.map(({ id }) => id);
}

/** The newest rows of all workspaces, in the order of their places. */
export async function readNewestRows(exec: Executor, limit: number): Promise<FoundAuditRow[]> {
  const { rows } = await sql<FoundAuditRow>`select ${FOUND_COLUMNS} from audit
    order by audit.seq desc limit ${limit}`.execute(exec);
  return rows.toReversed();
}
