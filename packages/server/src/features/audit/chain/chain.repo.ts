import { hash } from 'node:crypto';
import { type RawBuilder, sql } from 'kysely';
import type {
  AuditCheckpointsTable,
  AuditHeadsTable,
  Executor,
  Storage,
  Tx,
} from '../../../storage/index.ts';
import type { AuditRow } from '../audit.repo.ts';
import { type ChainedRow, HASHED_COLUMNS, type Head } from './chain-row.ts';

/** SQLite takes 32,766 parameters a statement. */
const INSERT_ROWS_MAX = 1_000;
const KEYS_MAX = 100;
/** Of a row of the log. */
const INTEGERS: readonly string[] = ['number', 'seq', 'form', 'at'];

export interface StoredHead {
  readonly head: Head;
  readonly mac: string;
}

/** No log of ours gets so far; the drivers read no integer above 2^53. */
const PLACES_END = 2 ** 52;

/** Whether a server can have counted that far: whoever writes to the database can put any number there. */
export function isPlace(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < PLACES_END;
}

/** A row as it is stored, its integers as text: whatever somebody has written there can be read so. */
type Found<Columns> = {
  readonly [Column in keyof Columns]: string | (null extends Columns[Column] ? null : never);
};

function foundColumns(names: readonly string[], integers: readonly string[]): RawBuilder<unknown> {
  return sql.join(
    names.map((name) =>
      integers.includes(name) ? sql`cast(${sql.ref(name)} as text) as ${sql.ref(name)}` : sql.ref(name),
    ),
  );
}

const HEAD_INTEGERS = [
  'version',
  'number',
  'seq',
  'is_live',
  'broken_at',
  'checkpoint',
  'checkpoint_at',
] as const satisfies readonly (keyof AuditHeadsTable)[];
const HEAD_COLUMNS = foundColumns(['workspace_id', 'hash', 'mac', ...HEAD_INTEGERS], HEAD_INTEGERS);

type FoundHead = Found<AuditHeadsTable>;

function toStoredHead(row: FoundHead): StoredHead {
  const head: Head = {
    workspaceId: row.workspace_id,
    version: Number(row.version),
    number: Number(row.number),
    seq: Number(row.seq),
    hash: row.hash,
    isLive: row.is_live === '1',
    brokenAt: row.broken_at === null ? null : Number(row.broken_at),
    checkpoint: Number(row.checkpoint),
    checkpointAt: Number(row.checkpoint_at),
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
      : sql`max(coalesce((select seq from sqlite_sequence where name = 'audit' and seq < ${PLACES_END}), 0),
          coalesce((select max(a.seq) from audit a where a.seq < ${PLACES_END}), 0))`;
  const { rows } = await sql<
    (FoundHead | { readonly workspace_id: null }) & { places: number | readonly number[] | null }
  >`
    select ${HEAD_COLUMNS}, ${places} as places from (select 1) as one left join audit_heads h on h.workspace_id = ${workspaceId}
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
  return { stored: row.workspace_id === null ? null : toStoredHead(row), seqs };
}

export async function findHead(exec: Executor, workspaceId: string): Promise<Head | null> {
  const { rows } = await sql<FoundHead>`select ${HEAD_COLUMNS} from audit_heads h
    where h.workspace_id = ${workspaceId} order by h.version desc limit 1`.execute(exec);
  const [row] = rows;
  return row === undefined ? null : toStoredHead(row).head;
}

/** A page of the heads of all workspaces. */
export async function listHeads(exec: Executor, after: string, limit: number): Promise<StoredHead[]> {
  const { rows } =
    await sql<FoundHead>`select ${HEAD_COLUMNS} from audit_heads h where h.workspace_id > ${after}
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

function toColumns({ head, mac }: StoredHead): AuditHeadsTable {
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

/** For a head that stands where no server puts one: no other could stand behind it. */
export async function deleteHeads(tx: Tx, workspaceId: string): Promise<void> {
  await tx.deleteFrom('audit_heads').where('workspace_id', '=', workspaceId).execute();
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

/** More rows than processes whose clocks differ, or one whose clock is set back, write out of the order of their times. */
const LAST_ROWS = 1_000;

/** What is the last row of the chain of a workspace whose head cannot be believed: the last one among the newest. */
export async function findLastRow(
  exec: Executor,
  workspaceId: string,
): Promise<{ readonly number: number; readonly seq: number; readonly hash: string } | null> {
  const { rows } = await sql<{ number: string; seq: string; hash: string }>`
    select ${foundColumns(['number', 'seq', 'hash'], INTEGERS)} from (select a.number, a.seq, a.hash from audit a
      where a.workspace_id = ${workspaceId} order by a.at desc, a.seq desc limit ${LAST_ROWS}) as newest
    where newest.hash is not null order by newest.seq desc limit 1`.execute(exec);
  const [row] = rows;
  if (row === undefined) return null;
  const number = Number(row.number);
  return { number: isPlace(number) ? number : 0, seq: Number(row.seq), hash: row.hash };
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

const CHECKPOINT_INTEGERS = ['number', 'previous', 'seq', 'at'] as const;
const CHECKPOINT_COLUMNS = foundColumns(
  ['workspace_id', 'hash', 'key_id', 'signature', ...CHECKPOINT_INTEGERS],
  CHECKPOINT_INTEGERS,
);

async function findCheckpoints(
  exec: Executor,
  condition: RawBuilder<unknown>,
): Promise<AuditCheckpointsTable[]> {
  const { rows } = await sql<
    Found<AuditCheckpointsTable>
  >`select ${CHECKPOINT_COLUMNS} from audit_checkpoints c
    where ${condition}`.execute(exec);
  return rows.map(({ number, previous, seq, at, ...rest }) => ({
    ...rest,
    number: Number(number),
    previous: Number(previous),
    seq: Number(seq),
    at: Number(at),
  }));
}

/** The newest first. */
export async function listNewestCheckpoints(
  exec: Executor,
  workspaceId: string,
  limit: number,
): Promise<AuditCheckpointsTable[]> {
  return await findCheckpoints(
    exec,
    sql`c.workspace_id = ${workspaceId} order by c.number desc limit ${limit}`,
  );
}

/** Those from one number to another, both included, in their order. */
export async function listCheckpoints(
  exec: Executor,
  workspaceId: string,
  { from, to, limit }: { readonly from: number; readonly to: number; readonly limit: number },
): Promise<AuditCheckpointsTable[]> {
  return await findCheckpoints(
    exec,
    sql`c.workspace_id = ${workspaceId} and c.number between ${from} and ${to} order by c.number limit ${limit}`,
  );
}

/** @see Found */
export type FoundAuditRow = Readonly<Record<(typeof HASHED_COLUMNS)[number] | 'hash' | 'mac', string | null>>;

const FOUND_COLUMNS = foundColumns([...HASHED_COLUMNS, 'hash', 'mac'], INTEGERS);

export interface FoundPage {
  readonly rows: readonly FoundAuditRow[];
  /** The place of the last row that was looked at, as text like all of it; null behind the last one. */
  readonly last: string | null;
}

/**
 * Looks at `limit` rows behind a place, in the order of their places. Of those of other workspaces nothing is told: an
 * index of one workspace is in the order of times, and would be sorted as a whole for each page.
 *
 * @param after null for the first page: somebody may have put rows before the first place, too
 */
export async function readFoundRows(
  exec: Executor,
  { after, limit, workspaceId }: { after: string | null; limit: number; workspaceId?: string | undefined },
): Promise<FoundPage> {
  const behind = after === null ? sql`` : sql`where a.seq > cast(${after} as bigint)`;
  const told =
    workspaceId === undefined
      ? sql``
      : sql`where page.workspace_id = ${workspaceId} or page.seq = (select max(seq) from page)`;
  const { rows } =
    await sql<FoundAuditRow>`with page as (select * from audit a ${behind} order by a.seq limit ${limit})
    select ${FOUND_COLUMNS} from page ${told} order by page.seq`.execute(exec);
  return {
    rows: workspaceId === undefined ? rows : rows.filter((row) => row.workspace_id === workspaceId),
    last: rows.at(-1)?.seq ?? null,
  };
}

/** The rows in these places. */
export async function readRowsAt(exec: Executor, seqs: readonly number[]): Promise<FoundAuditRow[]> {
  if (seqs.length === 0) return [];
  const { rows } = await sql<FoundAuditRow>`select ${FOUND_COLUMNS} from audit
    where audit.seq in (${sql.join(seqs)})`.execute(exec);
  return rows;
}

/** The ids of all workspaces that are there, or have left anything of a log, a page at a time. */
export async function listWorkspaceIds(exec: Executor, after: string, limit: number): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`select id from (select id from workspaces union
    select workspace_id from audit_heads union select workspace_id from audit_checkpoints) as places
    where id > ${after} order by id limit ${limit}`.execute(exec);
  return rows.map(({ id }) => id);
}

/** The newest rows of all workspaces, in the order of their places. */
export async function readNewestRows(exec: Executor, limit: number): Promise<FoundAuditRow[]> {
  const { rows } = await sql<FoundAuditRow>`select ${FOUND_COLUMNS} from audit
    order by audit.seq desc limit ${limit}`.execute(exec);
  return rows.toReversed();
}
