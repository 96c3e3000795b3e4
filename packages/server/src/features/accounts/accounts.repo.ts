import { sql } from 'kysely';
import type { AccountKind, AccountRole } from '../../http/index.ts';
import { fromStoredLimits, type KeyLimits, toStoredLimits } from '../../lib/key-limits.ts';
import type { Permission } from '../../lib/permission.ts';
import {
  type AccountsTable,
  type Executor,
  isOfWorkspace,
  raiseRevocationEpoch,
  type Tx,
} from '../../storage/index.ts';

/** An account as the rules see it. `passwordHash` never leaves the feature that checks it. */
export interface Account {
  readonly id: string;
  readonly workspaceId: string;
  readonly kind: AccountKind;
  readonly isActive: boolean;
  readonly disabledReason: string | null;
  readonly role: AccountRole | null;
  readonly email: string | null;
  readonly displayName: string;
  readonly firstName: string | null;
  readonly lastName: string | null;
  readonly technicalName: string | null;
  readonly description: string | null;
  readonly locale: string;
  /** An IANA name; null for that of the workspace. */
  readonly timeZone: string | null;
  /** Kinds of notices that it does not want. */
  readonly mutedNotices: readonly string[];
  readonly tags: readonly string[];
  readonly grants: readonly Permission[];
  readonly keyLimits: KeyLimits | null;
  readonly hasPassword: boolean;
  readonly passwordChangedAt: number | null;
  readonly epoch: number;
  readonly version: number;
  readonly lastSeenAt: number | null;
  readonly createdAt: number;
  readonly createdBy: string | null;
  readonly updatedAt: number;
}

export const ACCOUNT_COLUMNS = [
  'id',
  'workspace_id',
  'kind',
  'state',
  'disabled_reason',
  'role',
  'email',
  'display_name',
  'first_name',
  'last_name',
  'technical_name',
  'description',
  'locale',
  'time_zone',
  'muted_notices',
  'tags',
  'grants',
  'key_limits',
  'password_hash',
  'password_changed_at',
  'epoch',
  'version',
  'last_seen_at',
  'created_at',
  'created_by',
  'updated_at',
] as const;

type Row = Pick<AccountsTable, (typeof ACCOUNT_COLUMNS)[number]>;

/** Letter by letter as in the index of administrators, which a bound value would not find. Only users have a role. */
export const IS_ADMIN = sql<boolean>`role = 'admin'`;

export function toAccount(row: Row): Account {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    kind: row.kind as AccountKind,
    isActive: row.state === 'active',
    disabledReason: row.disabled_reason,
    role: row.role as AccountRole | null,
    email: row.email,
    displayName: row.display_name,
    firstName: row.first_name,
    lastName: row.last_name,
    technicalName: row.technical_name,
    description: row.description,
    locale: row.locale,
    timeZone: row.time_zone,
    mutedNotices: JSON.parse(row.muted_notices) as string[],
    tags: JSON.parse(row.tags) as string[],
    grants: JSON.parse(row.grants) as Permission[],
    keyLimits: fromStoredLimits(row.key_limits),
    hasPassword: row.password_hash !== null,
    passwordChangedAt: row.password_changed_at,
    epoch: row.epoch,
    version: row.version,
    lastSeenAt: row.last_seen_at,
    createdAt: row.created_at,
    createdBy: row.created_by,
    updatedAt: row.updated_at,
  };
}

/** E-mail in lower case for users, the technical name for service accounts; unique by kind in a workspace. */
export function loginOf(account: Account): string {
  return (account.kind === 'user' ? (account.email ?? '') : (account.technicalName ?? '')).toLowerCase();
}

function toValues(account: Account) {
  return {
    state: account.isActive ? 'active' : 'disabled',
    disabled_reason: account.disabledReason,
    role: account.role,
    email: account.email,
    email_lower: account.email?.toLowerCase() ?? null,
    display_name: account.displayName,
    first_name: account.firstName,
    last_name: account.lastName,
    login_lower: loginOf(account),
    technical_name: account.technicalName,
    description: account.description,
    locale: account.locale,
    time_zone: account.timeZone,
    muted_notices: JSON.stringify(account.mutedNotices),
    tags: JSON.stringify(account.tags),
    grants: JSON.stringify(account.grants),
    key_limits: toStoredLimits(account.keyLimits),
    epoch: account.epoch,
    version: account.version,
    updated_at: account.updatedAt,
  };
}

export async function insertAccount(
  exec: Executor,
  account: Account,
  passwordHash: string | null,
): Promise<void> {
  await exec
    .insertInto('accounts')
    .values({
      ...toValues(account),
      id: account.id,
      workspace_id: account.workspaceId,
      kind: account.kind,
      password_hash: passwordHash,
      password_changed_at: account.passwordChangedAt,
      last_seen_at: null,
      created_at: account.createdAt,
      created_by: account.createdBy,
    })
    .execute();
}

/** Whatever changes: answers about keys tell names and login of the account, and depend on much of the rest. */
export async function updateAccount(tx: Tx, account: Account): Promise<void> {
  await tx
    .updateTable('accounts')
    .set(toValues(account))
    .where('workspace_id', '=', account.workspaceId)
    .where('id', '=', account.id)
    .execute();
  await raiseRevocationEpoch(tx, account.workspaceId);
}

export async function deleteAccount(tx: Tx, workspaceId: string, id: string): Promise<void> {
  await tx
    .deleteFrom('account_managers')
    .where('workspace_id', '=', workspaceId)
    .where('service_account_id', '=', id)
    .execute();
  await tx
    .deleteFrom('account_managers')
    .where('workspace_id', '=', workspaceId)
    .where('user_id', '=', id)
    .execute();
  await tx.deleteFrom('accounts').where('workspace_id', '=', workspaceId).where('id', '=', id).execute();
  await raiseRevocationEpoch(tx, workspaceId);
}

function selectAccount(exec: Executor, workspaceId: string, id: string) {
  return exec
    .selectFrom('accounts')
    .select(ACCOUNT_COLUMNS)
    .where('workspace_id', '=', workspaceId)
    .where('id', '=', id);
}

export async function findAccount(exec: Executor, workspaceId: string, id: string): Promise<Account | null> {
  const row = await selectAccount(exec, workspaceId, id).executeTakeFirst();
  return row === undefined ? null : toAccount(row);
}

export async function findKeyLimits(
  exec: Executor,
  workspaceId: string,
  ids: readonly string[],
): Promise<Map<string, KeyLimits | null>> {
  if (ids.length === 0) return new Map();
  const rows = await exec
    .selectFrom('accounts')
    .select(['id', 'key_limits'])
    .where(isOfWorkspace(workspaceId))
    .where('id', 'in', ids)
    .execute();
  return new Map(rows.map((row) => [row.id, fromStoredLimits(row.key_limits)]));
}

export async function findAccounts(
  exec: Executor,
  workspaceId: string,
  ids: readonly string[],
): Promise<Account[]> {
  if (ids.length === 0) return [];
  const rows = await exec
    .selectFrom('accounts')
    .select(ACCOUNT_COLUMNS)
    .where(isOfWorkspace(workspaceId))
    .where('id', 'in', ids)
    .limit(1_000)
    .execute();
  return rows.map(toAccount);
}

export async function findAccountByLogin(
  exec: Executor,
  workspaceId: string,
  kind: AccountKind,
  login: string,
): Promise<Account | null> {
  const row = await exec
    .selectFrom('accounts')
    .select(ACCOUNT_COLUMNS)
    .where('workspace_id', '=', workspaceId)
    .where('kind', '=', kind)
    .where('login_lower', '=', login.toLowerCase())
    .executeTakeFirst();
  return row === undefined ? null : toAccount(row);
}

export async function findPasswordHash(
  exec: Executor,
  workspaceId: string,
  id: string,
): Promise<string | null> {
  const row = await exec
    .selectFrom('accounts')
    .select('password_hash')
    .where('workspace_id', '=', workspaceId)
    .where('id', '=', id)
    .executeTakeFirst();
  return row?.password_hash ?? null;
}

export async function savePasswordHash(
  tx: Tx,
  account: Account,
  passwordHash: string,
  now: number,
): Promise<void> {
  await tx
    .updateTable('accounts')
    .set((eb) => ({
      password_hash: passwordHash,
      password_changed_at: now,
      epoch: eb('epoch', '+', 1),
      version: eb('version', '+', 1),
      updated_at: now,
    }))
    .where('workspace_id', '=', account.workspaceId)
    .where('id', '=', account.id)
    .execute();
  await raiseRevocationEpoch(tx, account.workspaceId);
}

export async function saveLastSeen(
  exec: Executor,
  workspaceId: string,
  id: string,
  now: number,
): Promise<void> {
  await exec
    .updateTable('accounts')
    .set({ last_seen_at: now })
    .where('workspace_id', '=', workspaceId)
    .where('id', '=', id)
    .execute();
}

export async function countActiveAdmins(
  exec: Executor,
  workspaceId: string,
  exceptId: string | null,
): Promise<number> {
  let query = exec
    .selectFrom('accounts')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('workspace_id', '=', workspaceId)
    .where(IS_ADMIN)
    .where('state', '=', 'active');
  if (exceptId !== null) query = query.where('id', '!=', exceptId);
  const row = await query.executeTakeFirst();
  return row?.count ?? 0;
}

export async function listManagers(
  exec: Executor,
  workspaceId: string,
  serviceAccountIds: readonly string[],
): Promise<{ service_account_id: string; user_id: string }[]> {
  if (serviceAccountIds.length === 0) return [];
  return await exec
    .selectFrom('account_managers')
    .select(['service_account_id', 'user_id'])
    .where('workspace_id', '=', workspaceId)
    .where('service_account_id', 'in', serviceAccountIds)
    .orderBy('user_id')
    .limit(10_000)
    .execute();
}

export async function listManagedIds(exec: Executor, workspaceId: string, userId: string): Promise<string[]> {
  const rows = await exec
    .selectFrom('account_managers')
    .select('service_account_id')
    .where('workspace_id', '=', workspaceId)
    .where('user_id', '=', userId)
    .orderBy('service_account_id')
    .limit(10_000)
    .execute();
  return rows.map((row) => row.service_account_id);
}

export async function isManagedBy(
  exec: Executor,
  workspaceId: string,
  serviceAccountId: string,
  userId: string,
): Promise<boolean> {
  const row = await exec
    .selectFrom('account_managers')
    .select('user_id')
    .where('workspace_id', '=', workspaceId)
    .where('service_account_id', '=', serviceAccountId)
    .where('user_id', '=', userId)
    .executeTakeFirst();
  return row !== undefined;
}

export async function replaceManagers(
  exec: Executor,
  workspaceId: string,
  serviceAccountId: string,
  userIds: readonly string[],
): Promise<void> {
  await exec
    .deleteFrom('account_managers')
    .where('workspace_id', '=', workspaceId)
    .where('service_account_id', '=', serviceAccountId)
    .execute();
  for (const userId of userIds) {
    await exec
      .insertInto('account_managers')
      .values({ workspace_id: workspaceId, service_account_id: serviceAccountId, user_id: userId })
      .execute();
  }
}
