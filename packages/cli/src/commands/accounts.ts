import type { Permission, ServiceAccount, User } from '@keyreeve/sdk';
import { type Command, Option } from 'commander';
import { formatPermission, permissions, repeated } from '../options.ts';
import { formatTime } from '../text.ts';

/** Options that both kinds of account take when created and when edited. */
export interface AccountOptions {
  readonly name?: string;
  readonly locale?: 'en' | 'ja';
  readonly tag?: string[];
  readonly grant?: Permission[];
}

export function addAccountOptions(command: Command): Command {
  return command
    .addOption(new Option('--locale <locale>', 'language of mails to it').choices(['en', 'ja']))
    .option('--tag <tag>', 'a tag; may be repeated', repeated)
    .option(
      '--grant <actions=patterns>',
      'what its keys may do at most, e.g. package:*=*; may be repeated; replaces all grants',
      permissions,
    );
}

/** The members of a request that both kinds of account have; those that were not given are undefined. */
export function commonFields({ name, locale, tag, grant }: AccountOptions) {
  return { displayName: name, locale, tags: tag, grants: grant };
}

/** Lines that both kinds of account show. */
export function commonDetails(account: User | ServiceAccount): [string, string | null][] {
  const { state, disabledReason, tags, grants } = account;
  return [
    ['State', disabledReason === null ? state : `${state} (${disabledReason})`],
    ['Language', account.locale],
    ['Tags', tags.length === 0 ? null : tags.join(', ')],
    ['Grants', grants.length === 0 ? 'none' : grants.map(formatPermission).join('; ')],
    ['Last seen', formatTime(account.lastSeenAt)],
    ['Created', formatTime(account.createdAt)],
    ['Changed', formatTime(account.updatedAt)],
  ];
}
