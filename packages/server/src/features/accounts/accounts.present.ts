import type { Static } from 'typebox';
import { toIso, toIsoOrNull } from '../../lib/clock.ts';
import type { Permission } from '../../lib/permission.ts';
import type { Account } from './accounts.repo.ts';
import type { ServiceAccountSchema, UserSchema } from './accounts.schema.ts';
import type { AccountView } from './accounts.types.ts';

export function presentPermissions(
  permissions: readonly Permission[],
): { actions: string[]; resources: string[] }[] {
  return permissions.map((permission) => ({
    actions: [...permission.actions],
    resources: [...permission.resources],
  }));
}

function presentCommon(account: Account) {
  return {
    id: account.id,
    displayName: account.displayName,
    state: account.isActive ? ('active' as const) : ('disabled' as const),
    disabledReason: account.disabledReason,
    locale: account.locale === 'ja' ? ('ja' as const) : ('en' as const),
    tags: [...account.tags],
    grants: presentPermissions(account.grants),
    version: account.version,
    lastSeenAt: toIsoOrNull(account.lastSeenAt),
    createdAt: toIso(account.createdAt),
    createdBy: account.createdBy,
    updatedAt: toIso(account.updatedAt),
  };
}

export function presentUser({ account }: AccountView): Static<typeof UserSchema> {
  return {
    ...presentCommon(account),
    email: account.email ?? '',
    firstName: account.firstName,
    lastName: account.lastName,
    role: account.role ?? 'member',
    hasPassword: account.hasPassword,
  };
}

export function presentServiceAccount({
  account,
  managers,
}: AccountView): Static<typeof ServiceAccountSchema> {
  return {
    ...presentCommon(account),
    technicalName: account.technicalName ?? '',
    email: account.email,
    description: account.description,
    managers: [...managers],
  };
}
