import type { Key, MintedKey } from '@keyreeve/sdk';
import { formatAllowance } from '../key-limits.ts';
import { formatPermission } from '../options.ts';
import type { Run } from '../run.ts';
import { formatDetails, formatTime } from '../text.ts';

/** Lines about a key, for people. */
export function keyDetails(key: Key): [string, string | null][] {
  const { disabledReason, lastUsedAt, overlapEndsAt, scopes, ipRanges } = key;
  const from = [key.lastUsedIp, key.lastUsedAgent].filter((part) => part !== null).join(', ');
  return [
    ['API key', key.id],
    ['Comment', key.comment],
    ['Status', disabledReason === null ? key.status : `${key.status} (${disabledReason})`],
    ['Account', key.accountId],
    ['Acts for', key.ownerId === key.accountId ? null : key.ownerId],
    ['Access', key.isImported ? `${key.access}, imported` : key.access],
    ['Scopes', scopes.length === 0 ? null : scopes.map(formatPermission).join('; ')],
    ['Only from', ipRanges.length === 0 ? null : ipRanges.join(', ')],
    ['Limits', formatAllowance(key.allowance)],
    ['Expires', key.expiresAt === null ? 'never' : formatTime(key.expiresAt)],
    ['Lifetime', key.lifetimeDays === null ? null : `${key.lifetimeDays} days`],
    ['Old secret ends', overlapEndsAt === null ? null : formatTime(overlapEndsAt)],
    ['Created', `${formatTime(key.createdAt)}${key.createdBy === null ? '' : ` by ${key.createdBy}`}`],
    [
      'Last used',
      lastUsedAt === null ? 'never' : `${formatTime(lastUsedAt)}${from === '' ? '' : ` (${from})`}`,
    ],
  ];
}

export function describeKey(key: Key): string {
  return formatDetails(keyDetails(key));
}

/** The only time that the secret is seen: the three values alone on stdout, all else on stderr. */
export async function printMintedKey(run: Run, minted: MintedKey): Promise<void> {
  if (!run.isJson) run.note(describeKey(minted.key));
  const { apiKey, secretKey, fullKey } = minted;
  await run.result(
    minted,
    formatDetails([
      ['API key', apiKey],
      ['Secret key', secretKey],
      ['Full key', fullKey],
    ]),
  );
  if (!run.isJson) run.note('Keep the secret key now: it is shown this once and cannot be shown again.');
}
