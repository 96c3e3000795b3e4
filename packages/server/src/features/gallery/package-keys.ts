import type { AccountIdentity, Caller, KeyIdentity } from '../../http/index.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Keyring, Storage } from '../../storage/index.ts';
import { type AccountsService, toIdentity } from '../accounts/index.ts';
import { type LiveKey, listLiveKeys } from '../keys/index.ts';
import { type Actor, findScopeRefusal } from './denials.ts';
import { findKeyPattern } from './gallery.policy.ts';
import { isOwnerUsable } from './owner-rights.ts';
import { findOwn } from './package-access.ts';

/** A key that can push the package now. */
export interface PackageKey {
  readonly key: KeyIdentity;
  readonly account: AccountIdentity;
  readonly owner: AccountIdentity;
  readonly actions: readonly string[];
  readonly pattern: string;
}

export interface PackageKeys {
  readonly items: readonly PackageKey[];
  /** There are more of them, or too many keys to look at each. */
  readonly isPartial: boolean;
}

/**
 * The keys that could push a new version of the package at this moment, newest first, decided as a push is.
 *
 * @throws request.not_found unless the caller manages the package
 */
export type FindPackageKeys = (caller: Caller, id: string) => Promise<PackageKeys>;

interface Deps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly keyring: Keyring;
  readonly accounts: AccountsService;
}

const KEYS_MAX = 100;
const LOOKED_AT_MAX = 5_000;

export function createFindPackageKeys(deps: Deps): FindPackageKeys {
  const { storage, clock, keyring, accounts } = deps;
  return async (caller, id) => {
    const { found, owners } = await findOwn(storage.read, caller, id);
    const { workspaceId, displayId } = found;
    const identities = new Map(
      (await accounts.findMany(storage.read, workspaceId, owners)).map((one) => [one.id, toIdentity(one)]),
    );
    const isUsable = memoizeByPair((actor) => isOwnerUsable(storage.read, accounts, actor));
    const items: (PackageKey & { readonly createdAt: number })[] = [];
    let lookedAt = 0;
    for await (const keys of listLiveKeys(storage.read, keyring, {
      workspaceId,
      ownerIds: owners,
      now: clock.now(),
    })) {
      await addIdentities(deps, identities, workspaceId, keys);
      for (const { accountId, createdAt, identity: key } of keys) {
        const account = identities.get(accountId);
        const owner = identities.get(key.ownerId);
        if (account === undefined || owner === undefined) continue;
        const actor = { account, key };
        if (findScopeRefusal(actor, 'package:pushversion', displayId) !== null) continue;
        if (!(await isUsable(actor))) continue;
        items.push({ createdAt, key, account, owner, ...rightsOf(actor, displayId) });
      }
      lookedAt += keys.length;
      if (items.length > KEYS_MAX || lookedAt >= LOOKED_AT_MAX) break;
    }
    const isPartial = items.length > KEYS_MAX || lookedAt >= LOOKED_AT_MAX;
    return {
      items: items.toSorted((a, b) => b.createdAt - a.createdAt).slice(0, KEYS_MAX),
      isPartial,
    };
  };
}

async function addIdentities(
  { storage, accounts }: Deps,
  identities: Map<string, AccountIdentity>,
  workspaceId: string,
  keys: readonly LiveKey[],
): Promise<void> {
  const ids = new Set(keys.map((key) => key.accountId).filter((id) => !identities.has(id)));
  for (const account of await accounts.findMany(storage.read, workspaceId, [...ids]))
    identities.set(account.id, toIdentity(account));
}

/** What the key may do to the package, in as few words as the actions allow, and the pattern that lets it push. */
function rightsOf(actor: Actor, packageId: string): { actions: string[]; pattern: string } {
  const isHeld = (action: string) => findKeyPattern(actor, action, packageId) !== null;
  const push = isHeld('package:pushnew') ? 'package:push' : 'package:pushversion';
  return {
    actions: [push, ...['package:unlist', 'package:read'].filter(isHeld)],
    pattern: findKeyPattern(actor, 'package:pushversion', packageId) ?? '*',
  };
}

/** Many keys are of one account and act for one owner: each pair is asked about once. */
function memoizeByPair(ask: (actor: Actor) => Promise<boolean>): (actor: Actor) => Promise<boolean> {
  const answers = new Map<string, Promise<boolean>>();
  return (actor) => {
    const pair = `${actor.account.id} ${actor.key.ownerId}`;
    const answer = answers.get(pair) ?? ask(actor);
    answers.set(pair, answer);
    return answer;
  };
}
