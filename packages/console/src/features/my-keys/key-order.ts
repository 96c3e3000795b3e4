import type { Key } from '@keyreeve/sdk';
import { DAY_MS } from '../../format/dates.ts';

export type KeyFilter = 'all' | 'attention' | 'disabled';
export type KeyOrder = 'expiry' | 'name' | 'use' | 'age';

export function needsAttention(key: Key): boolean {
  return key.status === 'expired' || key.status === 'expiring';
}

export function isShownBy(filter: KeyFilter, key: Key): boolean {
  if (filter === 'attention') return needsAttention(key);
  return filter === 'all' || key.status === 'disabled';
}

/** What has no instant comes last. */
function instantOf(iso: string | null, missing: number): number {
  return iso === null ? missing : Date.parse(iso);
}

// What stops next comes first; what has stopped cannot be saved any more, the latest being missed most.
const STATUS_RANK = { expiring: 0, expired: 1, active: 2, disabled: 2 } as const;

function compareExpiry(a: Key, b: Key): number {
  const byRank = STATUS_RANK[a.status] - STATUS_RANK[b.status];
  if (byRank !== 0) return byRank;
  const [soonest, other] = a.status === 'expired' ? [b, a] : [a, b];
  // The difference of two keys without an end is no number.
  return (
    instantOf(soonest.expiresAt, Number.POSITIVE_INFINITY) -
      instantOf(other.expiresAt, Number.POSITIVE_INFINITY) || 0
  );
}

/** Keys in the order that was asked for; equal ones newest first, as the server lists them. */
export function orderKeys(keys: readonly Key[], order: KeyOrder, language: string): readonly Key[] {
  const names = new Intl.Collator(language, { numeric: true });
  const compare = {
    expiry: compareExpiry,
    name: (a: Key, b: Key) => names.compare(a.comment, b.comment),
    use: (a: Key, b: Key) => instantOf(b.lastUsedAt, 0) - instantOf(a.lastUsedAt, 0),
    age: (a: Key, b: Key) => Date.parse(b.createdAt) - Date.parse(a.createdAt),
  }[order];
  return keys.toSorted(compare);
}

/** How much of its lifetime a key has behind it, 0 to 1; null for one without an end. */
export function lifeElapsed(key: Key, now: number): number | null {
  if (key.expiresAt === null) return null;
  const end = Date.parse(key.expiresAt);
  const start = key.lifetimeDays === null ? Date.parse(key.createdAt) : end - key.lifetimeDays * DAY_MS;
  if (end <= start) return 1;
  return Math.min(1, Math.max(0, (now - start) / (end - start)));
}

/**
 * True when the last call certainly came with the old secret: it was before the new one was made. That instant is
 * not told, but it cannot be earlier than the whole lifetime before the expiry.
 */
export function wasUsedWithOldSecret(key: Key): boolean {
  if (key.overlapEndsAt === null || key.expiresAt === null || key.lifetimeDays === null) return false;
  return (
    key.lastUsedAt !== null &&
    Date.parse(key.lastUsedAt) < Date.parse(key.expiresAt) - key.lifetimeDays * DAY_MS
  );
}
