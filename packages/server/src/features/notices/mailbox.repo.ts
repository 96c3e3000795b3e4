import { sql } from 'kysely';
import type { CursorValues } from '../../lib/page.ts';
import { type Executor, isBehind, type OutboxTable } from '../../storage/index.ts';

export type MailRow = OutboxTable;
export type MailSummaryRow = Omit<OutboxTable, 'sealed_payload' | 'row_key'>;

const SUMMARY_COLUMNS = [
  'id',
  'workspace_id',
  'kind',
  'account_id',
  'to_name',
  'to_address',
  'locale',
  'time_zone',
  'about',
  'key_id',
  'message_id',
  'priority',
  'state',
  'attempts',
  'last_error',
  'next_attempt_at',
  'leased_until',
  'created_at',
  'done_at',
] as const;

export interface MailFilter {
  readonly workspaceId: string;
  /** Only mails to this account; null for those of everybody. */
  readonly accountId: string | null;
  /** Only mails in this state; null for those in any. */
  readonly state: string | null;
}

/** Newest first. `after` is creation time and id of the last row of the page before. */
export function mailsQuery(exec: Executor, filter: MailFilter, after: CursorValues | null, limit: number) {
  let query = exec
    .selectFrom('outbox')
    .select(SUMMARY_COLUMNS)
    .where('workspace_id', '=', filter.workspaceId);
  if (filter.accountId !== null) query = query.where('account_id', '=', filter.accountId);
  // An account has few mails and a state may have millions: the expression keeps the index of states out of it.
  const state = filter.accountId === null ? sql.ref<string>('state') : sql<string>`coalesce(state, '')`;
  if (filter.state !== null) query = query.where(state, '=', filter.state);
  if (after !== null) query = query.where(isBehind(sql.ref('created_at'), after, 'desc'));
  return query.orderBy('created_at', 'desc').orderBy('id', 'desc').limit(limit);
}

export async function listMails(
  exec: Executor,
  filter: MailFilter,
  after: CursorValues | null,
  limit: number,
): Promise<MailSummaryRow[]> {
  return await mailsQuery(exec, filter, after, limit).execute();
}

export async function findMail(
  exec: Executor,
  workspaceId: string,
  id: string,
): Promise<MailRow | undefined> {
  return await exec
    .selectFrom('outbox')
    .select([...SUMMARY_COLUMNS, 'row_key', 'sealed_payload'])
    .where('workspace_id', '=', workspaceId)
    .where('id', '=', id)
    .executeTakeFirst();
}
