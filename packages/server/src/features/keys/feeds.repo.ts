import { sql } from 'kysely';
import type { CursorValues } from '../../lib/page.ts';
import { type Executor, type FeedLinksTable, isBehind } from '../../storage/index.ts';

export type FeedScope = 'own' | 'workspace';

/** A link without its token, of which only the digest is kept. */
export interface FeedLink {
  readonly id: string;
  readonly workspaceId: string;
  readonly accountId: string;
  readonly scope: FeedScope;
  readonly createdAt: number;
  readonly lastUsedAt: number | null;
}

const COLUMNS = ['id', 'workspace_id', 'account_id', 'scope', 'created_at', 'last_used_at'] as const;

type Row = Pick<FeedLinksTable, (typeof COLUMNS)[number]>;

function toFeedLink(row: Row): FeedLink {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    accountId: row.account_id,
    scope: row.scope as FeedScope,
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at,
  };
}

export async function insertFeedLink(exec: Executor, link: FeedLink, tokenDigest: string): Promise<void> {
  await exec
    .insertInto('feed_links')
    .values({
      id: link.id,
      workspace_id: link.workspaceId,
      account_id: link.accountId,
      scope: link.scope,
      token_digest: tokenDigest,
      created_at: link.createdAt,
      last_used_at: link.lastUsedAt,
    })
    .execute();
}

/** Links of one account, the newest first. `after` is creation time and id of the last link of the page before. */
export async function listFeedLinks(
  exec: Executor,
  owner: { readonly workspaceId: string; readonly accountId: string },
  after: CursorValues | null,
  limit: number,
): Promise<FeedLink[]> {
  let query = exec
    .selectFrom('feed_links')
    .select(COLUMNS)
    .where('workspace_id', '=', owner.workspaceId)
    .where('account_id', '=', owner.accountId);
  if (after !== null) query = query.where(isBehind(sql.ref('created_at'), after, 'desc'));
  const rows = await query.orderBy('created_at', 'desc').orderBy('id', 'desc').limit(limit).execute();
  return rows.map(toFeedLink);
}

export async function findFeedLinkByDigest(
  exec: Executor,
  workspaceId: string,
  tokenDigest: string,
): Promise<FeedLink | null> {
  const row = await exec
    .selectFrom('feed_links')
    .select(COLUMNS)
    .where('workspace_id', '=', workspaceId)
    .where('token_digest', '=', tokenDigest)
    .executeTakeFirst();
  return row === undefined ? null : toFeedLink(row);
}

/** Notes a use, unless one was noted after `noSoonerThan`. */
export async function saveFeedUse(
  exec: Executor,
  link: FeedLink,
  at: number,
  noSoonerThan: number,
): Promise<void> {
  await exec
    .updateTable('feed_links')
    .set({ last_used_at: at })
    .where('workspace_id', '=', link.workspaceId)
    .where('id', '=', link.id)
    .where((eb) => eb.or([eb('last_used_at', 'is', null), eb('last_used_at', '<=', noSoonerThan)]))
    .execute();
}

/** The link that is gone now, or null where there was none. `accountId` null: whosever it is. */
export async function deleteFeedLink(
  exec: Executor,
  owner: { readonly workspaceId: string; readonly accountId: string | null },
  id: string,
): Promise<FeedLink | null> {
  let query = exec
    .deleteFrom('feed_links')
    .where('workspace_id', '=', owner.workspaceId)
    .where('id', '=', id);
  if (owner.accountId !== null) query = query.where('account_id', '=', owner.accountId);
  const row = await query.returning(COLUMNS).executeTakeFirst();
  return row === undefined ? null : toFeedLink(row);
}

export async function deleteFeedLinksOfAccount(
  exec: Executor,
  workspaceId: string,
  accountId: string,
): Promise<void> {
  await exec
    .deleteFrom('feed_links')
    .where('workspace_id', '=', workspaceId)
    .where('account_id', '=', accountId)
    .execute();
}
