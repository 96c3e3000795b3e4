import type { AppError } from '../../errors/index.ts';
import type { AccountIdentity, KeyIdentity } from '../../http/index.ts';
import type { Permission } from '../../lib/permission.ts';
import { grantsOf, holdsAction, isKeyPermitted, isPermitted } from '../scopes/index.ts';
import { packageErrors } from './gallery.errors.ts';

export type GalleryAction = 'package:pushnew' | 'package:pushversion' | 'package:unlist';

/** A key and the account behind it, as they are at the moment of the decision. */
export interface Actor {
  readonly account: AccountIdentity;
  readonly key: KeyIdentity;
}

const VERBS: Readonly<Record<GalleryAction, string>> = {
  'package:pushnew': 'push new packages',
  'package:pushversion': 'push new versions of packages',
  'package:unlist': 'unlist or relist packages',
};
const ACTIONS = Object.keys(VERBS) as GalleryAction[];
/** A reason phrase ends after 512 characters, and the id stands last. */
const PATTERN_CHARACTERS_SHOWN = 200;

/**
 * Why the key may not do this to the package, and what would pass. Only the holder of the secret gets here, so it
 * tells the part that fails: the actions of the key, its patterns, or the grants of its account. Null when it may.
 * No name of a person stands in it: build logs are often public.
 */
export function findScopeRefusal(actor: Actor, action: GalleryAction, packageId: string): AppError | null {
  const { account, key } = actor;
  if (isKeyPermitted(account, key, action, packageId)) return null;
  if (key.access === 'scoped' && !isPermitted(key.scopes, action, packageId)) {
    const patterns = patternsFor(key.scopes, action);
    return packageErrors.not_permitted({
      detail:
        patterns.length === 0
          ? `This API key may not ${VERBS[action]}${elseOf(key.scopes)}.`
          : `This API key may ${VERBS[action]} that match ${shorten(patterns)}; ${packageId} does not match`,
    });
  }
  return refusalOfGrants(account, action, packageId);
}

/** The refusal of a key that can push nothing at all; known before the package is. */
export function findPushRefusal(actor: Actor): AppError | null {
  const { account, key } = actor;
  const principal = { kind: 'key', ...actor } as const;
  if (holdsAction(principal, 'package:pushnew') || holdsAction(principal, 'package:pushversion')) return null;
  const isInScopes = (action: GalleryAction) => patternsFor(key.scopes, action).length > 0;
  if (key.access !== 'scoped') return refusalOfGrants(account, 'package:pushversion', null);
  if (isInScopes('package:pushnew')) return refusalOfGrants(account, 'package:pushnew', null);
  if (isInScopes('package:pushversion')) return refusalOfGrants(account, 'package:pushversion', null);
  return packageErrors.not_permitted({
    detail: `This API key may not push packages, neither new ones nor new versions${elseOf(key.scopes)}.`,
  });
}

/** The key acts for somebody who does not own the package. `owner` is null when there is no such account any more. */
export function refusalOfOwner(actor: Actor, owner: AccountIdentity | null, packageId: string): AppError {
  const isOwn = actor.key.ownerId === actor.account.id;
  const name = owner?.kind === 'service' ? owner.login : 'another account';
  return packageErrors.not_owner({
    detail: `This API key acts for ${isOwn ? 'its own account' : name}, which is not an owner of ${packageId}. Use a key that acts for one of its owners, or ask them to add this one`,
  });
}

function refusalOfGrants(
  account: AccountIdentity,
  action: GalleryAction,
  packageId: string | null,
): AppError {
  const patterns = patternsFor(grantsOf(account), action);
  const what =
    patterns.length === 0 || packageId === null
      ? `is not granted ${action}${packageId === null ? '' : ` on ${packageId}`}`
      : `is granted ${action} on ${shorten(patterns)}; ${packageId} does not match`;
  return packageErrors.not_permitted({
    detail: `The account of this API key ${what}. Ask an administrator to grant it`,
  });
}

/** What the key may do instead, in as few words as that takes. */
function elseOf(permissions: readonly Permission[]): string {
  const parts = ACTIONS.flatMap((action) => {
    const patterns = patternsFor(permissions, action);
    return patterns.length === 0 ? [] : [`${VERBS[action]} that match ${shorten(patterns)}`];
  });
  return parts.length === 0 ? '' : `; it may ${parts.join(', and ')}`;
}

function patternsFor(permissions: readonly Permission[], action: GalleryAction): string[] {
  const holding = permissions.filter(({ actions }) =>
    isPermitted([{ actions, resources: ['*'] }], action, '*'),
  );
  return [...new Set(holding.flatMap(({ resources }) => resources))];
}

function shorten(patterns: readonly string[]): string {
  const shown: string[] = [];
  let characters = 0;
  for (const pattern of patterns) {
    characters += pattern.length;
    if (shown.length > 0 && characters > PATTERN_CHARACTERS_SHOWN) break;
    shown.push(pattern);
  }
  const rest = patterns.length - shown.length;
  return rest === 0 ? shown.join(', ') : `${shown.join(', ')} and ${rest} more`;
}
