import type { Permission } from '@keyreeve/sdk';
import { type Account, isUser } from '../accounts/accounts-queries.ts';

const ADMIN_GRANT: Permission = { actions: ['iam:*'], resources: ['*'] };

/** What docs/actions.md lists, for wildcards whose parts nobody knows by heart. */
const KNOWN_ACTIONS: Readonly<Record<string, readonly string[]>> = {
  package: ['package:read'],
  iam: [
    'iam:keys:verify',
    'iam:keys:read',
    'iam:keys:write',
    'iam:keys:import',
    'iam:accounts:read',
    'iam:accounts:write',
    'iam:settings:read',
    'iam:settings:write',
    'iam:audit:read',
    'iam:workspaces:read',
    'iam:workspaces:write',
  ],
};
/** These have boxes of their own in the dialog. */
const BOXED = ['package:*', 'package:push', 'package:pushnew', 'package:pushversion', 'package:unlist'];

/** What the account may do, and its keys at most. */
export function grantsOf(account: Account): readonly Permission[] {
  return isUser(account) && account.role === 'admin' ? [...account.grants, ADMIN_GRANT] : account.grants;
}

/** What a key with all rights of the account may do: never anything that manages accounts and keys. */
export function grantsOfAccountKey(account: Account): readonly Permission[] {
  return account.grants
    .map((grant) => ({ ...grant, actions: grant.actions.filter((action) => !action.startsWith('iam:')) }))
    .filter((grant) => grant.actions.length > 0);
}

function covers(held: string, wanted: string): boolean {
  if (held === wanted) return true;
  if (held === 'package:push') return wanted === 'package:pushnew' || wanted === 'package:pushversion';
  return held.endsWith(':*') && wanted.startsWith(held.slice(0, -1));
}

/** The patterns on which the account is granted an action; empty when it is not. */
export function grantedResources(grants: readonly Permission[], action: string): readonly string[] {
  const covering = grants.filter((grant) => grant.actions.some((held) => covers(held, action)));
  return [...new Set(covering.flatMap((grant) => grant.resources))];
}

/** For the list under the field for another action: what is granted by name, and the known parts of wildcards. */
export function suggestActions(grants: readonly Permission[]): readonly string[] {
  const held = grants.flatMap((grant) => grant.actions);
  const parts = held.flatMap((action) =>
    action.endsWith(':*') ? (KNOWN_ACTIONS[action.slice(0, -2)] ?? []) : [],
  );
  return [...new Set([...held, ...parts])].filter((action) => !BOXED.includes(action)).toSorted();
}
