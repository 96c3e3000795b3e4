import { requestErrors } from '../../errors/index.ts';
import { type Caller, requireAuthenticated } from '../../http/index.ts';
import { asciiLower } from '../../lib/ascii.ts';
import { createTurns } from '../../lib/turns.ts';
import type { Storage } from '../../storage/index.ts';
import type { AccountsService } from '../accounts/index.ts';
import { findPatternFault, matchesPattern } from '../scopes/index.ts';
import { canSeePackage } from './gallery.policy.ts';
import { summarizeVersions } from './latest-versions.ts';
import { mayAskForOwner } from './owner-rights.ts';
import { listOwnedNames, type PackageName } from './packages.repo.ts';

export interface CoverageQuestion {
  readonly ownerId: string;
  readonly patterns: readonly string[];
  /** Narrows the packages that are shown, not the counts. */
  readonly q?: string | undefined;
}

export interface CoveredPackage extends PackageName {
  readonly latestVersion: string | null;
}

export interface CoverageGroup {
  readonly count: number;
  /** The first ones by id. */
  readonly packages: readonly CoveredPackage[];
}

export interface Coverage {
  readonly ownedCount: number;
  readonly coveredCount: number;
  /** One for each pattern, in their order; a package is in the first group whose pattern matches it. */
  readonly groups: readonly (CoverageGroup & { readonly pattern: string })[];
  readonly notCovered: CoverageGroup;
  /** The owner has more packages than were looked at. */
  readonly isPartial: boolean;
}

/**
 * Which of the packages of an owner that the caller may see these patterns match now: the preview of a scope.
 *
 * @throws request.invalid naming the pattern, request.not_found for an owner whom the caller may not see
 */
export type FindCoverage = (caller: Caller, question: CoverageQuestion) => Promise<Coverage>;

interface Deps {
  readonly storage: Storage;
  readonly accounts: AccountsService;
}

const PACKAGES_MAX = 10_000;
const BATCH = 250;
const SHOWN_MAX = 50;

export function createFindCoverage({ storage, accounts }: Deps): FindCoverage {
  return async (caller, { ownerId, patterns, q }) => {
    const { principal, workspace } = requireAuthenticated(caller);
    checkPatterns(patterns);
    const owner = (await mayAskForOwner(storage.read, accounts, principal, ownerId))
      ? await accounts.findIdentity(storage.read, workspace.id, ownerId)
      : null;
    if (owner === null)
      throw requestErrors.not_found({ detail: 'There is no such account, or you may not see it.' });
    const turns = createTurns();
    const search = asciiLower(q?.trim() ?? '');
    const groups = patterns.map(() => createGroup(search));
    const rest = createGroup(search);
    let after = '';
    let ownedCount = 0;
    for (let scanned = 0; scanned < PACKAGES_MAX; scanned += BATCH) {
      const names = await listOwnedNames(storage.read, workspace.id, ownerId, after, BATCH);
      for (const name of names) {
        await turns.step();
        if (!canSeePackage(principal, name.displayId, [ownerId])) continue;
        ownedCount += 1;
        const index = patterns.findIndex((pattern) => matchesPattern(pattern, name.displayId, true));
        (groups[index] ?? rest).add(name);
      }
      after = names.at(-1)?.id ?? after;
      if (names.length < BATCH) break;
    }
    const more = await listOwnedNames(storage.read, workspace.id, ownerId, after, 1);
    const shown = [...groups, rest].flatMap((group) => group.shown());
    const versions = await summarizeVersions(
      storage,
      workspace.id,
      shown.map((name) => name.id),
      turns,
    );
    const finish = (group: Group): CoverageGroup => ({
      count: group.count(),
      packages: group
        .shown()
        .map((name) => ({ ...name, latestVersion: versions.get(name.id)?.latest ?? null })),
    });
    return {
      ownedCount,
      coveredCount: ownedCount - rest.count(),
      groups: groups.map((group, index) => ({ pattern: patterns[index] ?? '', ...finish(group) })),
      notCovered: finish(rest),
      isPartial: more.length > 0,
    };
  };
}

function checkPatterns(patterns: readonly string[]): void {
  const fields = patterns.flatMap((pattern, index) => {
    const fault = findPatternFault(pattern, true);
    return fault === null
      ? []
      : [{ field: `patterns[${index}]`, message: `"${pattern.slice(0, 140)}" ${fault}` }];
  });
  if (fields.length === 0) return;
  throw requestErrors.invalid({
    fields: fields.slice(0, 20),
    detail: fields
      .map((fault) => `${fault.field} ${fault.message}`)
      .join('; ')
      .slice(0, 1_000),
  });
}

interface Group {
  add(name: PackageName): void;
  count(): number;
  shown(): readonly PackageName[];
}

/** Counts all that is added and keeps the first by id; sorts now and then, so that neither all is kept nor each step sorts. */
function createGroup(search: string): Group {
  let count = 0;
  let kept: PackageName[] = [];
  const trim = () => {
    kept = kept.toSorted((a, b) => (a.idLower < b.idLower ? -1 : 1)).slice(0, SHOWN_MAX);
    return kept;
  };
  return {
    add: (name) => {
      count += 1;
      if (!name.idLower.includes(search)) return;
      kept.push(name);
      if (kept.length >= SHOWN_MAX * 4) trim();
    },
    count: () => count,
    shown: trim,
  };
}
