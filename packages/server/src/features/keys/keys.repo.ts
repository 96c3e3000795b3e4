import type { KeyAccess } from '../../http/index.ts';
import { asciiLower } from '../../lib/ascii.ts';
import { type KeyLimits, toStoredLimits } from '../../lib/key-limits.ts';
import type { CursorValues } from '../../lib/page.ts';
import type { Permission } from '../../lib/permission.ts';
import { parseSharedJson, shareText } from '../../lib/shared-json.ts';
import {
  type ApiKeysTable,
  type Executor,
  type Keyring,
  raiseRevocationEpoch,
  SORTED_ID,
  type Storage,
  type Tx,
} from '../../storage/index.ts';
import type { ApiKey } from './api-key.ts';
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

/** A stretch of the list: its intact keys, and where it ends, whether or not the row there is one of them. */
export interface KeyStretch {
  readonly keys: readonly ApiKey[];
  readonly rowCount: number;
  readonly end: CursorValues | null;
}

/** What somebody made unreadable is kept as it stands: no MAC was ever made of it, so its row counts as altered. */
function parseStored(text: string): unknown {
  try {
    return parseSharedJson(text);
  } catch {
    return text;
  }
}

/** Thousands of keys are kept in memory: what they have in common is there once. */
export function toApiKey(row: Row): ApiKey {
  const old =
    row.old_generation === null
      ? null
      : {
          number: row.old_generation,
          digest: row.old_digest ?? '',
          pepperId: shareText(row.old_pepper_id ?? ''),
          expiresAt: row.old_expires_at,
        };
  return {
    id: row.id,
    workspaceId: shareText(row.workspace_id),
    accountId: row.account_id,
    ownerId: row.owner_id === row.account_id ? row.account_id : row.owner_id,
    comment: row.comment,
    access: shareText(row.access) as KeyAccess,
    scopes: parseStored(row.scopes) as Permission[],
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
      pepperId: shareText(row.pepper_id),
      expiresAt: row.expires_at,
    },
    old,
    ipRanges: parseStored(row.ip_ranges) as string[],
    // Stryker disable next-line ConditionalExpression: `parseStored` makes null of null, too
    limits: row.limits === null ? null : (parseStored(row.limits) as KeyLimits),
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
export function toIntactKeys(keyring: Keyring, rows: readonly Row[]): ApiKey[] {
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
  // Stryker disable next-line StringLiteral: examples, in whose place each question has its own
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

/** Of the same foreign credential under each pepper; at most one of them is stored. */
export async function findKeyByForeignDigests(
  exec: Executor,
  keyring: Keyring,
  workspaceId: string,
  digests: readonly string[],
): Promise<ApiKey | null> {
  const row = await exec
    .selectFrom('api_keys')
    .select(COLUMNS)
    .where('workspace_id', '=', workspaceId)
    .where('foreign_digest', 'in', digests)
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
    .orderBy(SORTED_ID)
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
