import { sql } from 'kysely';
import type { CursorValues } from '../../lib/page.ts';
import { type Executor, isBehind, type SessionsTable } from '../../storage/index.ts';

/** A session as the rules see it. The digest of its cookie stays in the table. */
export interface Session {
  readonly id: string;
  readonly workspaceId: string;
  readonly accountId: string;
  readonly ip: string;
  readonly userAgent: string | null;
  readonly createdAt: number;
  readonly lastSeenAt: number;
}

/** What is older than this has ended: by its age, or because nobody has used it. */
export interface LiveSince {
  readonly createdAfter: number;
  readonly seenAfter: number;
}

const COLUMNS = [
  'id',
  'workspace_id',
  'account_id',
  'ip',
  'user_agent',
  'created_at',
  'last_seen_at',
] as const;

function toSession(row: Pick<SessionsTable, (typeof COLUMNS)[number]>): Session {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    accountId: row.account_id,
    ip: row.ip,
    userAgent: row.user_agent,
    createdAt: row.created_at,
    lastSeenAt: row.last_seen_at,
  };
}

export async function insertSession(exec: Executor, session: Session, tokenDigest: string): Promise<void> {
  await exec
    .insertInto('sessions')
    .values({
      token_digest: tokenDigest,
      id: session.id,
      workspace_id: session.workspaceId,
      account_id: session.accountId,
      ip: session.ip,
      user_agent: session.userAgent,
      created_at: session.createdAt,
      last_seen_at: session.lastSeenAt,
    })
    .execute();
}

export async function findSessionByDigest(
  exec: Executor,
  workspaceId: string,
  tokenDigest: string,
): Promise<Session | null> {
  const row = await exec
    .selectFrom('sessions')
    .select(COLUMNS)
    .where('token_digest', '=', tokenDigest)
    .where('workspace_id', '=', workspaceId)
    .executeTakeFirst();
  return row === undefined ? null : toSession(row);
}

export async function findSession(exec: Executor, workspaceId: string, id: string): Promise<Session | null> {
  const row = await exec
    .selectFrom('sessions')
    .select(COLUMNS)
    .where('id', '=', id)
    .where('workspace_id', '=', workspaceId)
    .executeTakeFirst();
  return row === undefined ? null : toSession(row);
}

/** Live sessions of an account, newest first; `after` holds creation and id of the last row of the page before. */
export async function listSessions(
  exec: Executor,
  account: { readonly workspaceId: string; readonly id: string },
  live: LiveSince,
  after: CursorValues | null,
  limit: number,
): Promise<Session[]> {
  let query = exec
    .selectFrom('sessions')
    .select(COLUMNS)
    .where('workspace_id', '=', account.workspaceId)
    .where('account_id', '=', account.id)
    .where('created_at', '>', live.createdAfter)
    .where('last_seen_at', '>', live.seenAfter);
  if (after !== null) query = query.where(isBehind(sql.ref('created_at'), after, 'desc'));
  const rows = await query.orderBy('created_at', 'desc').orderBy('id', 'desc').limit(limit).execute();
  return rows.map(toSession);
}

export async function deleteSession(exec: Executor, workspaceId: string, id: string): Promise<boolean> {
  const result = await exec
    .deleteFrom('sessions')
    .where('id', '=', id)
    .where('workspace_id', '=', workspaceId)
    .executeTakeFirst();
  return result.numDeletedRows === 1n;
}

/** Deletes the sessions of an account, but one; says how many there were. */
export async function deleteSessionsOfAccount(
  exec: Executor,
  workspaceId: string,
  accountId: string,
  exceptId: string | null,
): Promise<number> {
  let query = exec
    .deleteFrom('sessions')
    .where('workspace_id', '=', workspaceId)
    .where('account_id', '=', accountId);
  if (exceptId !== null) query = query.where('id', '!=', exceptId);
  return Number((await query.executeTakeFirst()).numDeletedRows);
}

/** The sessions of an account beyond its newest `keep`, ended or not. */
export async function listSurplusIds(
  exec: Executor,
  workspaceId: string,
  accountId: string,
  keep: number,
): Promise<string[]> {
  const rows = await exec
    .selectFrom('sessions')
    .select('id')
    .where('workspace_id', '=', workspaceId)
    .where('account_id', '=', accountId)
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(1_000)
    .offset(keep)
    .execute();
  return rows.map((row) => row.id);
}

export async function saveSessionSeen(exec: Executor, id: string, at: number): Promise<void> {
  await exec
    .updateTable('sessions')
    .set({ last_seen_at: at })
    .where('id', '=', id)
    .where('last_seen_at', '<', at)
    .execute();
}

/** Sessions of all workspaces that have ended by themselves, at most `limit` of them. */
export async function listEndedIds(exec: Executor, live: LiveSince, limit: number): Promise<string[]> {
  const rows = await exec
    .selectFrom('sessions')
    .select('id')
    .where((eb) =>
      eb.or([eb('created_at', '<=', live.createdAfter), eb('last_seen_at', '<=', live.seenAfter)]),
    )
    .limit(limit)
    .execute();
  return rows.map((row) => row.id);
}

export async function deleteSessions(exec: Executor, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await exec.deleteFrom('sessions').where('id', 'in', ids).execute();
}
