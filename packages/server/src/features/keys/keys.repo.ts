import { type RawBuilder, sql } from 'kysely';
import type { KeyAccess } from '../../http/index.ts';
import { asciiLower } from '../../lib/ascii.ts';
import { fromStoredLimits, toStoredLimits } from '../../lib/key-limits.ts';
import type { CursorValues } from '../../lib/page.ts';
import type { Permission } from '../../lib/permission.ts';
import {
  type ApiKeysTable,
  containsText,
  type Executor,
  isBehind,
  isUpTo,
  type Keyring,
  raiseRevocationEpoch,
  type Storage,
  startsWithText,
  type Tx,
} from '../../storage/index.ts';
import { HAS_ACTIVE_ACCOUNT } from './account-keys.repo.ts';
import type { ApiKey, KeyStatus } from './api-key.ts';
import { isRowIntact, rowMacOf } from './key-digest.ts';
import { keyErrors } from './keys.errors.ts';

export const COLUMNS = [
  'id',
  'workspace_id',
  'account_id',
  'owner_id',
  'comment',
  'access',
  'scopes',
  'lifetime_days',
  'created_at',
  'created_by',
  'renewed_at',
  'updated_at',
  'expires_at',
  'state',
  'disabled_reason',
  'disabled_at',
  'generation',
  'digest',
  'pepper_id',
  'old_generation',
  'old_digest',
  'old_pepper_id',
  'old_expires_at',
  'ip_ranges',
  'limits',
  'foreign_digest',
  'epoch',
  'version',
  'row_mac',
] as const;

type Row = Pick<ApiKeysTable, (typeof COLUMNS)[number]>;

export function toApiKey(row: Row): ApiKey {
  const old =
    row.old_generation === null
      ? null
      : {
          number: row.old_generation,
          digest: row.old_digest ?? '',
          pepperId: row.old_pepper_id ?? '',
          expiresAt: row.old_expires_at,
        };
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    accountId: row.account_id,
    ownerId: row.owner_id,
    comment: row.comment,
    access: row.access as KeyAccess,
    scopes: JSON.parse(row.scopes) as Permission[],
    lifetimeDays: row.lifetime_days,
    createdAt: row.created_at,
    createdBy: row.created_by,
    renewedAt: row.renewed_at,
    updatedAt: row.updated_at,
    isEnabled: row.state === 'active',
    disabledReason: row.disabled_reason,
    disabledAt: row.disabled_at,
    current: {
      number: row.generation,
      digest: row.digest,
      pepperId: row.pepper_id,
      expiresAt: row.expires_at,
    },
    old,
    ipRanges: JSON.parse(row.ip_ranges) as string[],
    limits: fromStoredLimits(row.limits),
    foreignDigest: row.foreign_digest,
    epoch: row.epoch,
    version: row.version,
  };
}

/** A row whose MAC is wrong was written by somebody without the master key. It is no key at all. */
function toCheckedKey(keyring: Keyring, row: Row): ApiKey {
  const key = toApiKey(row);
  if (!isRowIntact(keyring, key, row.row_mac))
    throw keyErrors.altered({ internal: `the row of key ${row.id} was altered outside Keyreeve` });
  return key;
}

/** An altered row would fail a whole list; it stays out, and reading it by id says why. */
function toIntactKeys(keyring: Keyring, rows: readonly Row[]): ApiKey[] {
  return rows
    .map((row) => ({ key: toApiKey(row), rowMac: row.row_mac }))
    .filter(({ key, rowMac }) => isRowIntact(keyring, key, rowMac))
    .map(({ key }) => key);
}

function toValues(keyring: Keyring, key: ApiKey) {
  return {
    comment: key.comment,
    comment_lower: asciiLower(key.comment),
    scopes: JSON.stringify(key.scopes),
    renewed_at: key.renewedAt,
    updated_at: key.updatedAt,
    expires_at: key.current.expiresAt,
    state: key.isEnabled ? 'active' : 'disabled',
    disabled_reason: key.disabledReason,
    disabled_at: key.disabledAt,
    generation: key.current.number,
    digest: key.current.digest,
    pepper_id: key.current.pepperId,
    old_generation: key.old?.number ?? null,
    old_digest: key.old?.digest ?? null,
    old_pepper_id: key.old?.pepperId ?? null,
    old_expires_at: key.old?.expiresAt ?? null,
    ip_ranges: JSON.stringify(key.ipRanges),
    limits: toStoredLimits(key.limits),
    epoch: key.epoch,
    version: key.version,
    row_mac: rowMacOf(keyring, key),
  };
}

/** The whole row of a key, as it is stored. */
export function toKeyRow(keyring: Keyring, key: ApiKey): ApiKeysTable {
  return {
    ...toValues(keyring, key),
    id: key.id,
    workspace_id: key.workspaceId,
    account_id: key.accountId,
    owner_id: key.ownerId,
    access: key.access,
    lifetime_days: key.lifetimeDays,
    created_at: key.createdAt,
    created_by: key.createdBy,
    foreign_digest: key.foreignDigest,
  };
}

export async function insertKey(exec: Executor, keyring: Keyring, key: ApiKey): Promise<void> {
  await exec.insertInto('api_keys').values(toKeyRow(keyring, key)).execute();
}

/** `isAnswerKept`: the change is in nothing that an answer about the key is made of. */
export async function updateKey(
  tx: Tx,
  keyring: Keyring,
  key: ApiKey,
  { isAnswerKept = false } = {},
): Promise<void> {
  await tx
    .updateTable('api_keys')
    .set(toValues(keyring, key))
    .where('workspace_id', '=', key.workspaceId)
    .where('id', '=', key.id)
    .execute();
  if (!isAnswerKept) await raiseRevocationEpoch(tx, key.workspaceId);
}

export async function deleteKey(tx: Tx, workspaceId: string, id: string): Promise<void> {
  await tx.deleteFrom('api_keys').where('workspace_id', '=', workspaceId).where('id', '=', id).execute();
  await raiseRevocationEpoch(tx, workspaceId);
}

function selectKey(exec: Executor, workspaceId: string, id: string) {
  return exec
    .selectFrom('api_keys')
    .select(COLUMNS)
    .where('id', '=', id)
    .where('workspace_id', '=', workspaceId);
}

async function findRow(exec: Executor, workspaceId: string, id: string): Promise<Row | undefined> {
  return await selectKey(exec, workspaceId, id).executeTakeFirst();
}

/** `findKey` without waiting, or null where the storage has to be waited for. */
export function prepareFindKey(
  storage: Storage,
  keyring: Keyring,
): ((workspaceId: string, id: string) => ApiKey | null) | null {
  const read = storage.prepareRead?.(selectKey(storage.read, '', '')) ?? null;
  if (read === null) return null;
  return (workspaceId, id) => {
    const row = read(id, workspaceId);
    return row === undefined ? null : toCheckedKey(keyring, row);
  };
}

/** @throws key.altered when the row's MAC is wrong */
export async function findKey(
  exec: Executor,
  keyring: Keyring,
  workspaceId: string,
  id: string,
): Promise<ApiKey | null> {
  const row = await findRow(exec, workspaceId, id);
  return row === undefined ? null : toCheckedKey(keyring, row);
}

/** For work that goes on with the next key: one whose row was altered is no key at all. */
export async function findIntactKey(
  exec: Executor,
  keyring: Keyring,
  workspaceId: string,
  id: string,
): Promise<ApiKey | null> {
  const row = await findRow(exec, workspaceId, id);
  return row === undefined ? null : (toIntactKeys(keyring, [row])[0] ?? null);
}

export async function findKeyByForeignDigest(
  exec: Executor,
  keyring: Keyring,
  workspaceId: string,
  digest: string,
): Promise<ApiKey | null> {
  const row = await exec
    .selectFrom('api_keys')
    .select(COLUMNS)
    .where('workspace_id', '=', workspaceId)
    .where('foreign_digest', '=', digest)
    .executeTakeFirst();
  return row === undefined ? null : toCheckedKey(keyring, row);
}

/** Keys that are on and not expired and act for one of these owners, by id; altered rows stay out, as in lists. */
export async function listLiveKeysOfOwners(
  exec: Executor,
  keyring: Keyring,
  filter: { readonly workspaceId: string; readonly ownerIds: readonly string[]; readonly now: number },
  after: string,
  limit: number,
): Promise<KeyStretch> {
  const rows = await exec
    .selectFrom('api_keys')
    .select(COLUMNS)
    .where('workspace_id', '=', filter.workspaceId)
    .where('owner_id', 'in', filter.ownerIds)
    .where('state', '=', 'active')
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', filter.now)]))
    .where('id', '>', after)
    .orderBy('id')
    .limit(limit)
    .execute();
  const last = rows.at(-1);
  return {
    keys: toIntactKeys(keyring, rows),
    rowCount: rows.length,
    end: last === undefined ? null : [last.id],
  };
}

export async function countLiveKeys(
  exec: Executor,
  workspaceId: string,
  accountId: string,
  now: number,
): Promise<number> {
  const row = await exec
    .selectFrom('api_keys')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('workspace_id', '=', workspaceId)
    .where('account_id', '=', accountId)
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', now)]))
    .executeTakeFirst();
  return row?.count ?? 0;
}

/** `working`: enabled and not expired. */
export type KeyStatusFilter = KeyStatus | 'working';

/** By creation the newest come first, by expiry the next to stop; those that never do are the last. */
export type KeySort = 'createdAt' | 'expiresAt';

const NEVER = 9_007_199_254_740_991;
// Letter by letter as in the index of the migration.
const STOPS_AT = sql<number>`coalesce(expires_at, ${sql.lit(NEVER)})`;

export interface KeyFilter {
  readonly workspaceId: string;
  /** Null: all; otherwise keys of these accounts only. */
  readonly accountIds: readonly string[] | null;
  readonly accountId?: string | undefined;
  readonly status?: KeyStatusFilter | undefined;
  readonly expiresBefore?: number | undefined;
  /** Keys that were given a longer life than so many days. */
  readonly lifetimeOverDays?: number | undefined;
  readonly hasActiveAccount?: boolean | undefined;
  readonly q?: string | undefined;
  readonly now: number;
  /** How far before expiry a key counts as expiring. */
  readonly noticeMs: number;
}

/**
 * On SQLite a plus keeps a condition from choosing the index. Where most keys fulfil it, the order of the list is the
 * better guide; and where a page begins later than the condition, the place where it begins is.
 */
function hasStatus(
  status: KeyStatusFilter,
  { now, noticeMs }: KeyFilter,
  sort: KeySort,
  isFirstPage: boolean,
): RawBuilder<boolean> {
  const noticeEnd = now + noticeMs;
  const aside = sql<number>`+${STOPS_AT}`;
  const later = sort === 'expiresAt' && isFirstPage ? STOPS_AT : aside;
  const soon = sort === 'createdAt' || isFirstPage ? STOPS_AT : aside;
  const conditions = {
    disabled: () => sql<boolean>`state = 'disabled'`,
    expired: () => sql<boolean>`(state = 'active' and ${STOPS_AT} <= ${now})`,
    expiring: () => sql<boolean>`(state = 'active' and ${soon} > ${now} and ${STOPS_AT} <= ${noticeEnd})`,
    active: () => sql<boolean>`(state = 'active' and ${later} > ${noticeEnd})`,
    working: () => sql<boolean>`(state = 'active' and ${later} > ${now})`,
  };
  return conditions[status]();
}

function matchesText(q: string): RawBuilder<boolean> {
  return sql<boolean>`(${containsText('comment_lower', q)} or ${startsWithText('id', q)})`;
}

/** A stretch of the list: its intact keys, and where it ends, whether or not the row there is one of them. */
export interface KeyStretch {
  readonly keys: readonly ApiKey[];
  readonly rowCount: number;
  readonly end: CursorValues | null;
}

/** True when no index finds the keys: the rows of a whole workspace have to be sifted for them. */
export function isSifted({ accountIds, accountId, q, lifetimeOverDays, status }: KeyFilter): boolean {
  const isRare = (q?.trim() ?? '') !== '' || lifetimeOverDays !== undefined || status === 'disabled';
  return isRare && accountIds === null && accountId === undefined;
}

function orderOf(sort: KeySort) {
  return sort === 'createdAt'
    ? { value: sql.ref<number>('created_at'), direction: 'desc' as const }
    : { value: STOPS_AT, direction: 'asc' as const };
}

/** Where the next `rows` keys of the workspace end, whether they fit or not; null when there are not as many. */
export async function findStretchEnd(
  exec: Executor,
  workspaceId: string,
  sort: KeySort,
  after: CursorValues | null,
  rows: number,
): Promise<CursorValues | null> {
  const { value, direction } = orderOf(sort);
  let query = exec.selectFrom('api_keys').where('workspace_id', '=', workspaceId);
  if (after !== null) query = query.where(isBehind(value, after, direction));
  const row = await query
    .select([value.as('value'), 'id'])
    .orderBy(value, direction)
    .orderBy('id', direction)
    .offset(rows - 1)
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? null : [row.value, row.id];
}

/** `after` holds the `end` of the stretch before, in the same order; `upTo` the last row that is looked at. */
export async function listKeys(
  exec: Executor,
  keyring: Keyring,
  filter: KeyFilter,
  sort: KeySort,
  { after, upTo, limit }: { after: CursorValues | null; upTo: CursorValues | null; limit: number },
): Promise<KeyStretch> {
  if (filter.accountIds?.length === 0) return { keys: [], rowCount: 0, end: null };
  const { accountIds, accountId, expiresBefore, lifetimeOverDays, status } = filter;
  const q = filter.q?.trim() ?? '';
  let query = exec.selectFrom('api_keys').select(COLUMNS).where('workspace_id', '=', filter.workspaceId);
  if (accountIds !== null) query = query.where('account_id', 'in', accountIds);
  if (accountId !== undefined) query = query.where('account_id', '=', accountId);
  if (expiresBefore !== undefined) query = query.where(STOPS_AT, '<', expiresBefore);
  if (lifetimeOverDays !== undefined) query = query.where('lifetime_days', '>', lifetimeOverDays);
  if (filter.hasActiveAccount === true) query = query.where(HAS_ACTIVE_ACCOUNT);
  if (status !== undefined) query = query.where(hasStatus(status, filter, sort, after === null));
  if (q !== '') query = query.where(matchesText(q));
  const { value, direction } = orderOf(sort);
  if (after !== null) query = query.where(isBehind(value, after, direction));
  if (upTo !== null) query = query.where(isUpTo(value, upTo, direction));
  const rows = await query.orderBy(value, direction).orderBy('id', direction).limit(limit).execute();
  const last = rows.at(-1);
  return {
    keys: toIntactKeys(keyring, rows),
    rowCount: rows.length,
    end: last === undefined ? null : placeOf(toApiKey(last), sort),
  };
}

/** Where a key stands in an order: the value that it is sorted by, then the id. */
export function placeOf(key: ApiKey, sort: KeySort): CursorValues {
  return [sort === 'createdAt' ? key.createdAt : (key.current.expiresAt ?? NEVER), key.id];
}
