import type { Executor } from '../../storage/index.ts';
import { type AccountsService, toIdentity } from '../accounts/index.ts';
import { type FindKeyStops, rightsOfNewKey } from '../keys/index.ts';
import { matchesPattern } from '../scopes/index.ts';
import { listOwnedNames } from './packages.repo.ts';

const NAMES_SHOWN_MAX = 20;
const PACKAGES_MAX = 10_000;
const BATCH = 250;

/** The packages of an owner that one of the patterns matches: the first of them, and how many there are. */
async function findMatching(
  exec: Executor,
  place: { readonly workspaceId: string; readonly ownerId: string },
  patterns: readonly string[],
): Promise<{ names: string[]; count: number }> {
  const names: string[] = [];
  let count = 0;
  let after = '';
  for (let read = 0; read < PACKAGES_MAX; read += BATCH) {
    const page = await listOwnedNames(exec, place.workspaceId, place.ownerId, after, BATCH);
    for (const { displayId } of page) {
      if (!patterns.some((pattern) => matchesPattern(pattern, displayId, true))) continue;
      count += 1;
      if (names.length < NAMES_SHOWN_MAX) names.push(displayId);
    }
    after = page.at(-1)?.id ?? after;
    if (page.length < BATCH) break;
  }
  return { names, count };
}

/**
 * What stops with a key: the packages that it can push or unlist now, by name, and the other actions of its rights.
 * Of an owner with more than 10,000 packages the first ones count.
 */
export function createFindKeyStops({ accounts }: { readonly accounts: AccountsService }): FindKeyStops {
  return async (exec, key) => {
    const account = await accounts.find(exec, key.workspaceId, key.accountId);
    if (account === null) return { stops: [], count: 0 };
    const rights = rightsOfNewKey(toIdentity(account), key.access, key.scopes);
    const isOfPackages = (action: string) => action.startsWith('package:');
    const patterns = rights
      .filter(({ actions }) => actions.some((action) => isOfPackages(action) && action !== 'package:read'))
      .flatMap(({ resources }) => resources);
    const packages = await findMatching(exec, key, patterns);
    const others = rights.flatMap(({ actions, resources }) =>
      actions.filter((action) => !isOfPackages(action)).map((action) => `${action} ${resources.join(', ')}`),
    );
    const stops = [...packages.names, ...others].slice(0, NAMES_SHOWN_MAX);
    return { stops, count: packages.count + others.length };
  };
}
