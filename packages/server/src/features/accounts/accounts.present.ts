import type { Static } from 'typebox';
import { MUTABLE_NOTICES } from '../../jobs/index.ts';
import { toIso, toIsoOrNull } from '../../lib/clock.ts';
import type { Permission } from '../../lib/permission.ts';
import { presentLimits } from '../limits/index.ts';
import type { Account } from './accounts.repo.ts';
import type {
  AccountNameSchema,
  KeyCountsSchema,
  ServiceAccountSchema,
  UserSchema,
} from './accounts.schema.ts';
import type { KeyCounts, ListedAccount } from './accounts.types.ts';
import type { AccountName } from './accounts-list.repo.ts';

export function presentPermissions(
  permissions: readonly Permission[],
): { actions: string[]; resources: string[] }[] {
  return permissions.map((permission) => ({
    actions: [...permission.actions],
    resources: [...permission.resources],
  }));
}

function presentKeyCounts(keys: KeyCounts): Static<typeof KeyCountsSchema> {
  const { total, expiring, expired, nextExpiresAt, lastUsedAt } = keys;
  return {
    total,
    expiring,
    expired,
    nextExpiresAt: toIsoOrNull(nextExpiresAt),
    lastUsedAt: toIsoOrNull(lastUsedAt),
  };
}

function presentCommon({ account, keys }: { account: Account; keys: KeyCounts | null }) {
  return {
    id: account.id,
    displayName: account.displayName,
    state: account.isActive ? ('active' as const) : ('disabled' as const),
    disabledReason: account.disabledReason,
    locale: account.locale === 'ja' ? ('ja' as const) : ('en' as const),
    timeZone: account.timeZone,
    mutedNotices: MUTABLE_NOTICES.filter((kind) => account.mutedNotices.includes(kind)),
    tags: [...account.tags],
    grants: presentPermissions(account.grants),
    keyLimits: presentLimits(account.keyLimits),
    version: account.version,
    lastSeenAt: toIsoOrNull(account.lastSeenAt),
    createdAt: toIso(account.createdAt),
    createdBy: account.createdBy,
    updatedAt: toIso(account.updatedAt),
    keys: keys === null ? null : presentKeyCounts(keys),
  };
}

export function presentUser(listed: ListedAccount): Static<typeof UserSchema> {
  const { account } = listed;
  return {
    ...presentCommon(listed),
    email: account.email ?? '',
    firstName: account.firstName,
    lastName: account.lastName,
    role: account.role ?? 'member',
    hasPassword: account.hasPassword,
    passwordChangedAt: toIsoOrNull(account.passwordChangedAt),
  };
}

export function presentServiceAccount(listed: ListedAccount): Static<typeof ServiceAccountSchema> {
  const { account, managers } = listed;
  return {
    ...presentCommon(listed),
    technicalName: account.technicalName ?? '',
    email: account.email,
    description: account.description,
    managers: [...managers],
  };
}

export function presentAccountName({ id, kind, displayName }: AccountName): Static<typeof AccountNameSchema> {
  return { id, kind, displayName };
}
