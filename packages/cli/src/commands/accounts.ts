import type { Permission, ServiceAccount, User } from '@keyreeve/sdk';
import { type Command, Option } from 'commander';
import { formatLimits, limitsOf, quota, rate } from '../key-limits.ts';
import { formatPermission, permissions, repeated } from '../options.ts';
import { formatTime } from '../text.ts';

/** Options that both kinds of account take when created and when edited. */
export interface AccountOptions {
  readonly name?: string;
  readonly locale?: 'en' | 'ja';
  readonly tag?: string[];
  readonly grant?: Permission[];
  readonly keyRate?: ReturnType<typeof rate>;
  readonly keyQuota?: ReturnType<typeof quota>;
  readonly keysUnlimited?: boolean;
}

export function addAccountOptions(command: Command): Command {
  return command
    .addOption(new Option('--locale <locale>', 'language of mails to it').choices(['en', 'ja']))
    .option('--tag <tag>', 'a tag; may be repeated', repeated)
    .option(
      '--grant <actions=patterns>',
      'what its keys may do at most, e.g. package:*=*; may be repeated; replaces all grants',
      permissions,
    )
    .option('--key-rate <requests/window>', 'requests of each of its keys in a window, e.g. 100/60s', rate)
    .option('--key-quota <uses/period>', 'uses of each of its keys, e.g. 1000/month', quota)
    .option('--keys-unlimited', 'lift the limits of its keys; their own stay');
}

/** The members of a request that both kinds of account have; those that were not given are undefined. */
export function commonFields(options: AccountOptions) {
  const { name, locale, tag, grant, keyRate, keyQuota, keysUnlimited } = options;
  const keyLimits = limitsOf({ rate: keyRate, quota: keyQuota }, keysUnlimited, 'keys-unlimited');
  return { displayName: name, locale, tags: tag, grants: grant, keyLimits };
}

/** Lines that both kinds of account show. */
export function commonDetails(account: User | ServiceAccount): [string, string | null][] {
  const { state, disabledReason, tags, grants, keyLimits } = account;
  return [
    ['State', disabledReason === null ? state : `${state} (${disabledReason})`],
    ['Language', account.locale],
    ['Tags', tags.length === 0 ? null : tags.join(', ')],
    ['Grants', grants.length === 0 ? 'none' : grants.map(formatPermission).join('; ')],
    ['Each key', formatLimits(keyLimits)],
    ['Last seen', formatTime(account.lastSeenAt)],
    ['Created', formatTime(account.createdAt)],
    ['Changed', formatTime(account.updatedAt)],
  ];
}
