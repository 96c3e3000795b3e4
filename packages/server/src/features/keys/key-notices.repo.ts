import { sql } from 'kysely';
import { DAY_MS } from '../../lib/clock.ts';
import { type Executor, isBehind, type Tx } from '../../storage/index.ts';
import type { KeyLife, ToldStep } from './expiry-steps.ts';

/** A key that works until a known instant, and what was told of it. */
export interface ExpiringRow extends KeyLife {
  readonly id: string;
  readonly told: ToldStep | null;
}

export interface ExpiryWindow {
  readonly workspaceId: string;
  /** Expiries behind this one … */
  readonly after: number;
  /** … and up to that one. */
  readonly upTo: number;
}

// As in the index, letter by letter.
const STOP = sql<number>`coalesce(api_keys.expires_at, 9007199254740991)`;

/** Enabled keys by their expiry. `from` is expiry and id of the last row of the page before. */
export async function listExpiring(
  exec: Executor,
  window: ExpiryWindow,
  from: { readonly expiresAt: number; readonly id: string },
  limit: number,
): Promise<ExpiringRow[]> {
  const rows = await exec
    .selectFrom('api_keys')
    .leftJoin('key_expiry_notices', 'key_expiry_notices.key_id', 'api_keys.id')
    .select([
      'api_keys.id',
      'api_keys.created_at',
      'api_keys.renewed_at',
      'key_expiry_notices.expires_at as told_of',
      'key_expiry_notices.told_ahead_ms',
    ])
    .select(STOP.as('stop'))
    .where('api_keys.workspace_id', '=', window.workspaceId)
    // With a plus, since each page has to be looked up where the last one ended, and not where the window begins.
    .where(sql<number>`+${STOP}`, '>', window.after)
    .where(STOP, '<=', window.upTo)
    .where(isBehind(STOP, [from.expiresAt, from.id], 'asc'))
    .where('api_keys.state', '=', 'active')
    .orderBy(STOP)
    .orderBy('api_keys.id')
    .limit(limit)
    .execute();
  return rows.map((row) => ({
    id: row.id,
    startedAt: row.renewed_at ?? row.created_at,
    expiresAt: row.stop,
    told:
      row.told_of === null || row.told_ahead_ms === null
        ? null
        : { expiresAt: row.told_of, aheadMs: row.told_ahead_ms },
  }));
}

/**
 * Remembers that a step of an expiry is told. False when it, or a later one, was told by somebody else meanwhile:
 * of two processes that look at the same time one gets true.
 */
export async function rememberTold(
  tx: Tx,
  row: { readonly keyId: string; readonly workspaceId: string } & ToldStep & { readonly toldAt: number },
): Promise<boolean> {
  const values = { expires_at: row.expiresAt, told_ahead_ms: row.aheadMs, told_at: row.toldAt };
  const result = await tx
    .insertInto('key_expiry_notices')
    .values({ key_id: row.keyId, workspace_id: row.workspaceId, ...values })
    .onConflict((conflict) =>
      conflict
        .column('key_id')
        .doUpdateSet(values)
        .where((eb) =>
          eb.or([
            eb('key_expiry_notices.expires_at', '!=', row.expiresAt),
            eb('key_expiry_notices.told_ahead_ms', '>', row.aheadMs),
          ]),
        ),
    )
    .executeTakeFirst();
  return (result.numInsertedOrUpdatedRows ?? 0n) > 0n;
}

/**
 * Remembers that the refusals of a key are told. False when they were told after `notSince` already, also by another
 * process a moment ago.
 */
export async function rememberRefusalTold(
  tx: Tx,
  row: {
    readonly keyId: string;
    readonly workspaceId: string;
    readonly toldAt: number;
    readonly notSince: number;
  },
): Promise<boolean> {
  const result = await tx
    .insertInto('key_refusal_notices')
    .values({ key_id: row.keyId, workspace_id: row.workspaceId, told_at: row.toldAt })
    .onConflict((conflict) =>
      conflict
        .column('key_id')
        .doUpdateSet({ told_at: row.toldAt })
        .where((eb) =>
          eb.or([
            eb('key_refusal_notices.told_at', '<=', row.notSince),
            // Of a clock that was wrong; those of two processes differ by less.
            eb('key_refusal_notices.told_at', '>', row.toldAt + DAY_MS),
          ]),
        ),
    )
    .executeTakeFirst();
  return (result.numInsertedOrUpdatedRows ?? 0n) > 0n;
}

/** Of keys that are gone. */
export async function forgetTold(tx: Tx, keyId: string): Promise<void> {
  await tx.deleteFrom('key_expiry_notices').where('key_id', '=', keyId).execute();
  await tx.deleteFrom('key_refusal_notices').where('key_id', '=', keyId).execute();
}
