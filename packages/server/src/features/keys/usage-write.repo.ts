import { type Compilable, CompiledQuery } from 'kysely';
import type { Database, KeyLastUsesTable, Tx } from '../../storage/index.ts';

export type LastRefusalRow = Database['key_last_refusals'];
export type FirstRefusalRow = Database['key_first_refusals'];
export type KeyHourRow = Database['key_hours'];
export type KeyDayRow = Database['key_days'];
export type WorkspaceHourRow = Database['workspace_hours'];

// Few sizes of statements: each is compiled once, and kept.
const STATEMENT_ROWS = [64, 8, 1];

/**
 * Writes any number of rows by `build`, whose text is made once for each size: making and compiling a statement of 64
 * rows anew takes about as long as SQLite takes to write them.
 *
 * @param columns all columns of the rows; nothing else of `build` may be a value. Kysely leaves out a column without a
 *   value, and the text would be kept that way for all rows that come after it: `undefined` is written as null.
 */
function defineWrite<Row extends object>(
  columns: readonly (keyof Row & string)[],
  build: (tx: Tx, rows: readonly Row[]) => Compilable,
): (tx: Tx, rows: readonly Row[]) => Promise<void> {
  const texts = new WeakMap<object, Map<number, string>>();

  /** Of the engine of this transaction. Kysely names the columns in the order in which the rows have them. */
  const textOf = (tx: Tx, rows: readonly Row[]): string => {
    const { adapter } = tx.getExecutor();
    let known = texts.get(adapter);
    if (known === undefined) texts.set(adapter, (known = new Map<number, string>()));
    let text = known.get(rows.length);
    if (text === undefined) {
      const ordered = rows.map(
        (row) => Object.fromEntries(columns.map((name) => [name, row[name] ?? null])) as Row,
      );
      text = build(tx, ordered).compile().sql;
      known.set(rows.length, text);
    }
    return text;
  };

  return async (tx, rows) => {
    for (let from = 0; from < rows.length; ) {
      const left = rows.length - from;
      const some = rows.slice(from, from + (STATEMENT_ROWS.find((most) => most <= left) ?? 1));
      const values: unknown[] = [];
      for (const row of some) for (const name of columns) values.push(row[name] ?? null);
      await tx.executeQuery(CompiledQuery.raw(textOf(tx, some), values));
      from += some.length;
    }
  };
}

/**
 * True for the one try that may store a batch. A second one waits here for the first to commit, and gets false; after
 * a first one that failed it gets true.
 */
export async function claimFlush(tx: Tx, row: Database['usage_flushes']): Promise<boolean> {
  const { sequence, at } = row;
  const result = await tx
    .insertInto('usage_flushes')
    .values(row)
    .onConflict((conflict) =>
      conflict
        .column('recorder_id')
        .doUpdateSet({ sequence, at })
        .where('usage_flushes.sequence', '<', sequence),
    )
    .executeTakeFirst();
  return (result.numInsertedOrUpdatedRows ?? 0n) > 0n;
}

export const saveLastUses = defineWrite<KeyLastUsesTable>(
  ['workspace_id', 'key_id', 'at', 'ip', 'user_agent'],
  (tx, rows) =>
    tx
      .insertInto('key_last_uses')
      .values(rows)
      .onConflict((conflict) =>
        conflict
          .column('key_id')
          .doUpdateSet((eb) => ({
            at: eb.ref('excluded.at'),
            ip: eb.ref('excluded.ip'),
            user_agent: eb.ref('excluded.user_agent'),
          }))
          .whereRef('key_last_uses.at', '<=', 'excluded.at'),
      ),
);

export const saveLastRefusals = defineWrite<LastRefusalRow>(
  ['workspace_id', 'key_id', 'at', 'ip', 'user_agent', 'reason', 'action'],
  (tx, rows) =>
    tx
      .insertInto('key_last_refusals')
      .values(rows)
      .onConflict((conflict) =>
        conflict
          .column('key_id')
          .doUpdateSet((eb) => ({
            at: eb.ref('excluded.at'),
            ip: eb.ref('excluded.ip'),
            user_agent: eb.ref('excluded.user_agent'),
            reason: eb.ref('excluded.reason'),
            action: eb.ref('excluded.action'),
          }))
          .whereRef('key_last_refusals.at', '<=', 'excluded.at'),
      ),
);

/** Keeps the earliest of each key since its last change, `since`. */
export const saveFirstRefusals = defineWrite<FirstRefusalRow>(
  ['workspace_id', 'key_id', 'since', 'at', 'ip', 'user_agent', 'reason', 'action'],
  (tx, rows) =>
    tx
      .insertInto('key_first_refusals')
      .values(rows)
      .onConflict((conflict) =>
        conflict
          .column('key_id')
          .doUpdateSet((eb) => ({
            since: eb.ref('excluded.since'),
            at: eb.ref('excluded.at'),
            ip: eb.ref('excluded.ip'),
            user_agent: eb.ref('excluded.user_agent'),
            reason: eb.ref('excluded.reason'),
            action: eb.ref('excluded.action'),
          }))
          .where((eb) =>
            eb.or([
              eb('key_first_refusals.since', '<', eb.ref('excluded.since')),
              eb.and([
                eb('key_first_refusals.since', '=', eb.ref('excluded.since')),
                eb('key_first_refusals.at', '>', eb.ref('excluded.at')),
              ]),
            ]),
          ),
      ),
);

export const addKeyHours = defineWrite<KeyHourRow>(
  ['workspace_id', 'key_id', 'hour', 'action', 'outcome', 'count'],
  (tx, rows) =>
    tx
      .insertInto('key_hours')
      .values(rows)
      .onConflict((conflict) =>
        conflict
          .columns(['key_id', 'hour', 'action', 'outcome'])
          .doUpdateSet((eb) => ({ count: eb('key_hours.count', '+', eb.ref('excluded.count')) })),
      ),
);

export const addKeyDays = defineWrite<KeyDayRow>(
  ['workspace_id', 'key_id', 'day', 'action', 'outcome', 'count'],
  (tx, rows) =>
    tx
      .insertInto('key_days')
      .values(rows)
      .onConflict((conflict) =>
        conflict
          .columns(['key_id', 'day', 'action', 'outcome'])
          .doUpdateSet((eb) => ({ count: eb('key_days.count', '+', eb.ref('excluded.count')) })),
      ),
);

/** Adds to what the counters of a workspace come to in an hour. */
export const addWorkspaceHours = defineWrite<WorkspaceHourRow>(
  ['workspace_id', 'hour', 'outcome', 'count'],
  (tx, rows) =>
    tx
      .insertInto('workspace_hours')
      .values(rows)
      .onConflict((conflict) =>
        conflict
          .columns(['workspace_id', 'hour', 'outcome'])
          .doUpdateSet((eb) => ({ count: eb('workspace_hours.count', '+', eb.ref('excluded.count')) })),
      ),
);
