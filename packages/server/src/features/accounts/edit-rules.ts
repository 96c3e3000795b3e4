import type { Reach } from './accounts.policy.ts';
import type { Account } from './accounts.repo.ts';

// What describes an account, without changing what it may do or who can become it.
const SELF_FIELDS = ['displayName', 'firstName', 'lastName', 'locale', 'timeZone', 'mutedNotices'];
const MANAGER_FIELDS = ['displayName', 'description', 'email', 'locale', 'timeZone', 'mutedNotices', 'tags'];

/** The first field of the patch that this reach does not cover, or null when all are. */
export function findForbiddenField(patch: Readonly<Record<string, unknown>>, reach: Reach): string | null {
  if (reach === 'full') return null;
  const allowed = reach === 'self' ? SELF_FIELDS : reach === 'manager' ? MANAGER_FIELDS : [];
  return Object.keys(patch).find((field) => patch[field] !== undefined && !allowed.includes(field)) ?? null;
}

const AUDITED_FIELDS = [
  'isActive',
  'disabledReason',
  'role',
  'email',
  'displayName',
  'firstName',
  'lastName',
  'description',
  'locale',
  'timeZone',
  'mutedNotices',
  'tags',
  'grants',
  'keyLimits',
] as const;

/** What the audit row tells: each changed field with its old and new value. */
export function changedFields(
  before: Account,
  after: Account,
): Record<string, { from: unknown; to: unknown }> {
  const changes: Record<string, { from: unknown; to: unknown }> = {};
  for (const field of AUDITED_FIELDS) {
    if (JSON.stringify(before[field]) !== JSON.stringify(after[field]))
      changes[field] = { from: before[field], to: after[field] };
  }
  return changes;
}
