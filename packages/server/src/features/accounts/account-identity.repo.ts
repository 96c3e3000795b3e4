import type { AccountIdentity, AccountKind, AccountRole } from '../../http/index.ts';
import { fromStoredLimits } from '../../lib/key-limits.ts';
import type { Permission } from '../../lib/permission.ts';
import { parseSharedJson, shareText } from '../../lib/shared-json.ts';
import type { AccountsTable, Storage } from '../../storage/index.ts';
import { toIdentity } from './accounts.policy.ts';

const IDENTITY_COLUMNS = [
  'id',
  'workspace_id',
  'kind',
  'state',
  'role',
  'email',
  'display_name',
  'technical_name',
  'grants',
  'key_limits',
  'epoch',
] as const;

/** Thousands of them are kept in memory: what they have in common is there once. */
function toKeptIdentity(row: Pick<AccountsTable, (typeof IDENTITY_COLUMNS)[number]>): AccountIdentity {
  return toIdentity({
    id: row.id,
    workspaceId: shareText(row.workspace_id),
    kind: shareText(row.kind) as AccountKind,
    isActive: row.state === 'active',
    role: row.role as AccountRole | null,
    email: row.email,
    displayName: row.display_name,
    technicalName: row.technical_name,
    grants: parseSharedJson(row.grants) as Permission[],
    keyLimits: fromStoredLimits(row.key_limits),
    epoch: row.epoch,
  });
}

/** @see AccountsService.findIdentityNow */
export function prepareFindIdentity(
  storage: Storage,
): ((workspaceId: string, id: string) => AccountIdentity | null) | null {
  const query = storage.read
    .selectFrom('accounts')
    .select(IDENTITY_COLUMNS)
    .where('workspace_id', '=', '')
    .where('id', '=', '');
  const read = storage.prepareRead?.(query) ?? null;
  if (read === null) return null;
  return (workspaceId, id) => {
    const row = read(workspaceId, id);
    return row === undefined ? null : toKeptIdentity(row);
  };
}
