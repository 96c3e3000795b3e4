import {
  type AuthenticatedPrincipal,
  type Caller,
  readCursor,
  requireAuthenticated,
} from '../../http/index.ts';
import { type CursorValues, type Page, toPage } from '../../lib/page.ts';
import { type ReadStretch, sift, toSiftedPage } from '../../lib/sift.ts';
import { createTurns, type Turns } from '../../lib/turns.ts';
import type { Storage } from '../../storage/index.ts';
import type { Account, AccountsService } from '../accounts/index.ts';
import { can } from '../scopes/index.ts';
import { type Deprecation, listDeprecations } from './deprecations/deprecations.repo.ts';
import { canSeePackage, ownIdsOf } from './gallery.policy.ts';
import { countVersionsOfAll, summarizeVersions, type VersionSummary } from './latest-versions.ts';
import { findVisible, type OwnedPackage } from './package-access.ts';
import { countDownloads, listVersions, type PackageVersion } from './package-versions.repo.ts';
import * as repo from './packages.repo.ts';

/** A package as those see it who manage it. */
export interface PackageView extends OwnedPackage {
  readonly ownerAccounts: readonly Account[];
  readonly summary: VersionSummary;
}

export interface PackageDetail extends PackageView {
  readonly versions: Page<PackageVersion>;
  /** Names of the accounts that have pushed the versions of the page, as far as they still exist. */
  readonly names: ReadonlyMap<string, string>;
  /** Of the versions of the page, by the id of their row. */
  readonly deprecations: ReadonlyMap<string, Deprecation>;
  /** By the id of the row of a version, as far as somebody has fetched it. */
  readonly downloads: ReadonlyMap<string, number>;
}

export interface PackageQuery {
  readonly q?: string | undefined;
  readonly ownerId?: string | undefined;
  /** Only what belongs to the caller or to those he acts for. */
  readonly mine?: boolean | undefined;
  readonly listed?: 'listed' | 'unlisted' | 'any' | undefined;
  readonly sort?: repo.PackageOrder | undefined;
}

export interface PageQuery {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

export interface PackageCounts {
  readonly mine: number;
  readonly all: number;
  /** There were too many to look at each: the numbers are at least these. */
  readonly isPartial: boolean;
}

export interface PackageLister {
  /** Packages that the caller may see, by id or last pushed first. `q` searches in ids. */
  list(caller: Caller, query: PackageQuery, page: PageQuery): Promise<Page<PackageView>>;
  /** How many packages the caller may see, and how many of them belong to him or to those he acts for. */
  summarize(caller: Caller, q: string | undefined): Promise<PackageCounts>;
  /** One package with a page of its versions, last pushed first. @throws request.not_found also when the caller may not see it */
  get(caller: Caller, id: string, page: PageQuery): Promise<PackageDetail>;
}

interface Deps {
  readonly storage: Storage;
  readonly accounts: AccountsService;
}

// What a caller may see is decided by patterns, not by SQL: pages are gathered until full or so many are read.
const SCAN_PACKAGES_MAX = 5_000;
const COUNT_PACKAGES_MAX = 50_000;
const COUNT_BATCH = 200;
const ACCOUNTS_AT_ONCE = 200;

/** Undefined: of everybody. Both wishes at once: that account, if the caller acts for it. */
function ownersAskedFor(
  principal: AuthenticatedPrincipal,
  { ownerId, mine }: PackageQuery,
): readonly string[] | undefined {
  if (mine !== true) return ownerId === undefined ? undefined : [ownerId];
  const own = ownIdsOf(principal);
  return ownerId === undefined ? own : own.filter((id) => id === ownerId);
}

class PackageLists implements PackageLister {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async list(caller: Caller, query: PackageQuery, page: PageQuery): Promise<Page<PackageView>> {
    const { storage } = this.#deps;
    const { principal, workspace } = requireAuthenticated(caller);
    const order = query.sort ?? 'name';
    const ownerIds = ownersAskedFor(principal, query);
    if (ownerIds?.length === 0) return { items: [], nextCursor: null };
    const filter = { workspaceId: workspace.id, q: query.q, ownerIds };
    const turns = createTurns();
    const batch = page.limit + 1;
    const read: ReadStretch<OwnedPackage> = async (after) => {
      const found = await repo.listPackages(storage.read, filter, order, after, batch);
      await turns.step();
      const last = found.length < batch ? undefined : found.at(-1);
      return {
        rows: await this.#wantedOf(principal, found, query.listed ?? 'any', turns),
        end: last === undefined ? null : repo.cursorOf(last, order),
      };
    };
    const start = readCursor(page.cursor, order === 'name' ? [''] : [0, ''], order);
    const stretchesMax = Math.ceil(SCAN_PACKAGES_MAX / batch);
    const sifted = await sift(read, start, { limit: batch, stretchesMax });
    const placeOf = ({ found }: OwnedPackage) => repo.cursorOf(found, order);
    const { items, nextCursor } = toSiftedPage(sifted, page.limit, placeOf, order);
    return { items: await this.#views(workspace.id, items, turns), nextCursor };
  }

  async summarize(caller: Caller, q: string | undefined): Promise<PackageCounts> {
    const { read } = this.#deps.storage;
    const { principal, workspace } = requireAuthenticated(caller);
    const filter = { workspaceId: workspace.id, q };
    const own = ownIdsOf(principal);
    const isAdmin = principal.kind === 'session' && principal.account.role === 'admin';
    if (isAdmin || can(principal, 'package:read', '*')) {
      const all = await repo.countPackages(read, filter);
      return { mine: await repo.countPackages(read, { ...filter, ownerIds: own }), all, isPartial: false };
    }
    const turns = createTurns();
    const counts = { mine: 0, all: 0 };
    let after: CursorValues | null = null;
    for (let scanned = 0; scanned < COUNT_PACKAGES_MAX; scanned += COUNT_BATCH) {
      const rows = await repo.listPackages(read, filter, 'name', after, COUNT_BATCH);
      await turns.step();
      for (const { owners } of await this.#visibleOf(principal, rows, turns)) {
        counts.all += 1;
        if (owners.some((id) => own.includes(id))) counts.mine += 1;
      }
      const last = rows.at(-1);
      if (rows.length < COUNT_BATCH || last === undefined) return { ...counts, isPartial: false };
      after = repo.cursorOf(last, 'name');
    }
    return { ...counts, isPartial: true };
  }

  async get(caller: Caller, id: string, page: PageQuery): Promise<PackageDetail> {
    const { read } = this.#deps.storage;
    const owned = await findVisible(read, caller, id);
    const { workspaceId } = owned.found;
    const after = readCursor(page.cursor, [0, '']);
    const rows = await listVersions(read, workspaceId, owned.found.id, after, page.limit + 1);
    const versions = toPage(rows, page.limit, (row) => [row.pushedAt, row.id]);
    const [view] = await this.#views(workspaceId, [owned], createTurns());
    if (view === undefined) throw new Error('A package has exactly one view.');
    const pushers = await this.#findAccounts(
      workspaceId,
      versions.items.map((version) => version.pushedBy),
    );
    const names = new Map([...pushers.values()].map((account) => [account.id, account.displayName]));
    const deprecations = await listDeprecations(
      read,
      workspaceId,
      versions.items.map((version) => version.id),
    );
    const downloads = await countDownloads(
      read,
      versions.items.map((version) => version.id),
    );
    return { ...view, versions, names, deprecations, downloads };
  }

  async #visibleOf(
    principal: AuthenticatedPrincipal,
    rows: readonly repo.Package[],
    turns: Turns,
  ): Promise<OwnedPackage[]> {
    const [first] = rows;
    if (first === undefined) return [];
    const owners = await repo.listOwners(
      this.#deps.storage.read,
      first.workspaceId,
      rows.map((row) => row.id),
    );
    await turns.step();
    const byPackage = Map.groupBy(owners, (owner) => owner.packageId);
    return rows
      .map((found) => ({
        found,
        owners: (byPackage.get(found.id) ?? []).map((owner) => owner.accountId),
      }))
      .filter((owned) => canSeePackage(principal, owned.found.displayId, owned.owners));
  }

  /** Those of the rows that the caller may see and asks for. */
  async #wantedOf(
    principal: AuthenticatedPrincipal,
    rows: readonly repo.Package[],
    listed: 'listed' | 'unlisted' | 'any',
    turns: Turns,
  ): Promise<OwnedPackage[]> {
    const visible = await this.#visibleOf(principal, rows, turns);
    const [first] = visible;
    if (listed === 'any' || first === undefined) return visible;
    const ids = visible.map(({ found }) => found.id);
    const counts = await countVersionsOfAll(this.#deps.storage.read, first.found.workspaceId, ids, turns);
    const isListed = (id: string) => (counts.get(id)?.listed ?? 0) > 0;
    return visible.filter(({ found }) => isListed(found.id) === (listed === 'listed'));
  }

  async #views(workspaceId: string, owned: readonly OwnedPackage[], turns: Turns): Promise<PackageView[]> {
    const summaries = await summarizeVersions(
      this.#deps.storage,
      workspaceId,
      owned.map(({ found }) => found.id),
      turns,
    );
    const accounts = await this.#findAccounts(
      workspaceId,
      owned.flatMap(({ owners }) => owners),
    );
    return owned.map(({ found, owners }) => ({
      found,
      owners,
      ownerAccounts: owners.flatMap((id) => accounts.get(id) ?? []),
      summary: summaries.get(found.id) ?? { versions: 0, listed: 0, latest: null, hasIcon: false },
    }));
  }

  async #findAccounts(workspaceId: string, accountIds: readonly string[]): Promise<Map<string, Account>> {
    const { storage, accounts } = this.#deps;
    const ids = [...new Set(accountIds)];
    const found = new Map<string, Account>();
    for (let start = 0; start < ids.length; start += ACCOUNTS_AT_ONCE) {
      const stretch = ids.slice(start, start + ACCOUNTS_AT_ONCE);
      for (const account of await accounts.findMany(storage.read, workspaceId, stretch))
        found.set(account.id, account);
    }
    return found;
  }
}

export function createPackageLister(deps: Deps): PackageLister {
  return new PackageLists(deps);
}
