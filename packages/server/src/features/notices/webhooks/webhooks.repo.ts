import { sql } from 'kysely';
import type { CursorValues } from '../../../lib/page.ts';
import { type Executor, isBehind, type WebhooksTable } from '../../../storage/index.ts';

export type WebhookState = 'active' | 'disabled';
/** Who ended it: an administrator, the receiver (410), or the last of many tries. */
type DisabledReason = 'manual' | 'gone' | 'failures';

export interface Webhook {
  readonly id: string;
  readonly workspaceId: string;
  readonly url: string;
  readonly description: string;
  /** Empty for all. */
  readonly eventTypes: readonly string[];
  readonly state: WebhookState;
  readonly disabledReason: DisabledReason | null;
  readonly sealedSecret: string;
  readonly sealedOldSecret: string | null;
  readonly oldSecretUntil: number | null;
  readonly createdAt: number;
  /** Id of an account. */
  readonly createdBy: string | null;
  readonly updatedAt: number;
  readonly version: number;
}

const COLUMNS = [
  'id',
  'workspace_id',
  'url',
  'description',
  'event_types',
  'state',
  'disabled_reason',
  'sealed_secret',
  'sealed_old_secret',
  'old_secret_until',
  'created_at',
  'created_by',
  'updated_at',
  'version',
] as const;

function toWebhook(row: WebhooksTable): Webhook {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    url: row.url,
    description: row.description,
    eventTypes: JSON.parse(row.event_types) as string[],
    state: row.state as WebhookState,
    disabledReason: row.disabled_reason as DisabledReason | null,
    sealedSecret: row.sealed_secret,
    sealedOldSecret: row.sealed_old_secret,
    oldSecretUntil: row.old_secret_until,
    createdAt: row.created_at,
    createdBy: row.created_by,
    updatedAt: row.updated_at,
    version: row.version,
  };
}

function toRow(webhook: Webhook): WebhooksTable {
  return {
    id: webhook.id,
    workspace_id: webhook.workspaceId,
    url: webhook.url,
    description: webhook.description,
    event_types: JSON.stringify(webhook.eventTypes),
    state: webhook.state,
    disabled_reason: webhook.disabledReason,
    sealed_secret: webhook.sealedSecret,
    sealed_old_secret: webhook.sealedOldSecret,
    old_secret_until: webhook.oldSecretUntil,
    created_at: webhook.createdAt,
    created_by: webhook.createdBy,
    updated_at: webhook.updatedAt,
    version: webhook.version,
  };
}

export async function insertWebhook(exec: Executor, webhook: Webhook): Promise<void> {
  await exec.insertInto('webhooks').values(toRow(webhook)).execute();
}

export async function updateWebhook(exec: Executor, webhook: Webhook): Promise<void> {
  const { id, workspace_id, ...values } = toRow(webhook);
  await exec
    .updateTable('webhooks')
    .set(values)
    .where('workspace_id', '=', workspace_id)
    .where('id', '=', id)
    .execute();
}

export async function deleteWebhook(exec: Executor, workspaceId: string, id: string): Promise<void> {
  await exec.deleteFrom('webhooks').where('workspace_id', '=', workspaceId).where('id', '=', id).execute();
}

export async function findWebhook(
  exec: Executor,
  workspaceId: string,
  id: string,
): Promise<Webhook | undefined> {
  const row = await exec
    .selectFrom('webhooks')
    .select(COLUMNS)
    .where('workspace_id', '=', workspaceId)
    .where('id', '=', id)
    .executeTakeFirst();
  return row && toWebhook(row);
}

export async function countWebhooks(exec: Executor, workspaceId: string): Promise<number> {
  const { count } = await exec
    .selectFrom('webhooks')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('workspace_id', '=', workspaceId)
    .executeTakeFirstOrThrow();
  return count;
}

/** Oldest first. `after` is creation time and id of the last row of the page before. */
export async function listWebhooks(
  exec: Executor,
  workspaceId: string,
  after: CursorValues | null,
  limit: number,
): Promise<Webhook[]> {
  let query = exec.selectFrom('webhooks').select(COLUMNS).where('workspace_id', '=', workspaceId);
  if (after !== null) query = query.where(isBehind(sql.ref('created_at'), after, 'asc'));
  const rows = await query.orderBy('created_at').orderBy('id').limit(limit).execute();
  return rows.map(toWebhook);
}

/** The webhooks of some workspaces that take events now. */
export async function listActiveWebhooks(
  exec: Executor,
  workspaceIds: readonly string[],
  limit: number,
): Promise<Webhook[]> {
  const rows = await exec
    .selectFrom('webhooks')
    .select(COLUMNS)
    .where('workspace_id', 'in', workspaceIds)
    .where('state', '=', 'active')
    .orderBy('created_at')
    .orderBy('id')
    .limit(limit)
    .execute();
  return rows.map(toWebhook);
}

/** Forgets old secrets whose time is over. */
export async function dropEndedSecrets(exec: Executor, now: number): Promise<void> {
  await exec
    .updateTable('webhooks')
    .set({ sealed_old_secret: null, old_secret_until: null })
    .where('old_secret_until', '<=', now)
    .execute();
}
