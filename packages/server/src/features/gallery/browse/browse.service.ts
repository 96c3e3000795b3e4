import { isUtf8 } from 'node:buffer';
import { requestErrors } from '../../../errors/index.ts';
import { type Caller, readCursor } from '../../../http/index.ts';
import { asciiLower } from '../../../lib/ascii.ts';
import { type Page, toPage } from '../../../lib/page.ts';
import type { BlobStore } from '../../../storage/blobs/index.ts';
import type { Storage } from '../../../storage/index.ts';
import type { Account, AccountsService } from '../../accounts/index.ts';
import { type Deprecation, listDeprecations } from '../deprecations/deprecations.repo.ts';
import type { FeedQuestion, FeedService } from '../feed.service.ts';
import type { FeedVersion } from '../feed-page.repo.ts';
import { isValidPackageId } from '../nupkg/package-id.ts';
import type { SearchWord } from '../package-search.repo.ts';
import { listOwners } from '../packages.repo.ts';
import { parseSearchWords, SEARCH_WORDS_MAX } from '../search-words.ts';
import { createReadPackageFile, type ReadPackageFile } from '../v3/package-files.ts';
import {
  byId,
  byVersionDescending,
  idBeginsOtherwise,
  idBeginsWith,
  isPackage,
  isShown,
  isVersion,
} from '../v3/v3.repo.ts';
import { parseNuGetVersion, versionKey } from '../version/nuget-version.ts';
import { isBehindId, isListed, isLowerThan, isOneOf } from './browse.repo.ts';

/** A version with all that its page shows. */
export interface BrowsedVersion {
  readonly version: FeedVersion;
  readonly owners: readonly Account[];
  readonly deprecation: Deprecation | null;
  /** Of the package: the highest listed release, a prerelease only if there is nothing else. */
  readonly latestVersion: string | null;
  readonly listedVersionCount: number;
  /** Of the dependencies, in lower case: those that the caller finds in this gallery. */
  readonly knownIds: ReadonlySet<string>;
}

export interface VersionLine {
  readonly version: FeedVersion;
  readonly deprecation: Deprecation | null;
}

export interface Readme {
  readonly text: string;
  readonly isCut: boolean;
}

export interface BrowseQuery {
  readonly q?: string | undefined;
  readonly kind?: 'module' | 'script' | undefined;
}

interface PageQuery {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

/** The gallery as people look at it in the console, with an account or without. It shows what the feeds show. */
export interface BrowseService {
  /**
   * Packages with a listed version, each by the one that its page shows: first the one whose id begins with the
   * first word, then the others. @throws request.invalid
   */
  list(caller: Caller, query: BrowseQuery, page: PageQuery): Promise<Page<FeedVersion>>;
  /** A version, or without one that which people want most likely. @throws request.not_found */
  get(caller: Caller, id: string, version: string | null): Promise<BrowsedVersion>;
  /** The listed versions of a package, highest first. @throws request.not_found */
  listVersions(caller: Caller, id: string, page: PageQuery): Promise<Page<VersionLine>>;
  /** The readme of a version as it lies in the package. @throws request.not_found also when it has none */
  readReadme(caller: Caller, id: string, version: string): Promise<Readme>;
}

export interface BrowseDeps {
  readonly storage: Storage;
  readonly accounts: AccountsService;
  readonly packageFeed: FeedService;
  readonly blobs: BlobStore;
}

/** What a browser draws in one go; longer ones are downloaded with the package. */
const README_CHARACTERS_MAX = 100_000;
const KNOWN_IDS_MAX = 200;
const KIND_TAGS = { module: 'PSModule', script: 'PSScript' } as const;
const NONE = 'There is no such package here, or you may not read it.';
/** The same whether there is no package or no readme: who may not read learns nothing of either. */
const NO_README = 'There is no such readme here, or you may not read it.';

type Where = FeedQuestion['where'];

class Browse implements BrowseService {
  readonly #deps: BrowseDeps;
  readonly #readFile: ReadPackageFile;

  constructor(deps: BrowseDeps) {
    this.#deps = deps;
    this.#readFile = createReadPackageFile({ feed: deps.packageFeed, blobs: deps.blobs });
  }

  async list(caller: Caller, query: BrowseQuery, { limit, cursor }: PageQuery): Promise<Page<FeedVersion>> {
    const words = readWords(query);
    const [startGroup, startId] = (readCursor(cursor, [0, '']) ?? [0, '']) as [number, string];
    const first = words.find(({ kind }) => kind === 'any')?.text.toLowerCase() ?? '';
    const groups = isValidPackageId(first) ? [idBeginsWith(first), idBeginsOtherwise(first)] : [null];
    const found: { readonly group: number; readonly version: FeedVersion }[] = [];
    const hasWords =
      words.length === 0 ? [] : [(await this.#deps.packageFeed.words(caller, words, 'version')).condition];
    for (const [group, condition] of groups.entries()) {
      const room = limit + 1 - found.length;
      if (group < startGroup || room <= 0) continue;
      const where: Where = [
        isShown('semver2', true),
        ...(condition === null ? [] : [condition]),
        ...hasWords,
        ...(group === startGroup && startId !== '' ? [isBehindId(startId)] : []),
      ];
      const versions = await this.#list(caller, where, [byId], room);
      found.push(...versions.map((version) => ({ group, version })));
    }
    const { items, nextCursor } = toPage(found, limit, ({ group, version }) => [group, version.idLower]);
    return {
      items: await this.#preferReleases(
        caller,
        items.map(({ version }) => version),
      ),
      nextCursor,
    };
  }

  async get(caller: Caller, id: string, version: string | null): Promise<BrowsedVersion> {
    const found =
      version === null ? await this.#findLikely(caller, id) : await this.#find(caller, id, version);
    const latest = found.isLatest ? found : await this.#findLatest(caller, found.idLower);
    const deprecations = await this.#deprecationsOf(caller, [found]);
    return {
      version: found,
      owners: await this.#ownersOf(caller, found.packageId),
      deprecation: deprecations.get(found.id) ?? null,
      latestVersion: latest?.version ?? null,
      listedVersionCount: await this.#deps.packageFeed.count(caller, {
        level: 'semver2',
        where: [isPackage(found.idLower), isListed],
      }),
      knownIds: await this.#knownIdsOf(caller, found),
    };
  }

  async listVersions(caller: Caller, id: string, { limit, cursor }: PageQuery): Promise<Page<VersionLine>> {
    const idLower = asciiLower(id);
    const after = readCursor(cursor, ['']) as readonly [string] | null;
    const where = [isPackage(idLower), isListed, ...(after === null ? [] : [isLowerThan(after[0])])];
    const rows = await this.#list(caller, where, [byVersionDescending], limit + 1);
    // All may be unlisted, and then the package is there all the same.
    if (rows.length === 0 && after === null) await this.#findLikely(caller, id);
    const { items, nextCursor } = toPage(rows, limit, (row) => [row.sortKey]);
    const deprecations = await this.#deprecationsOf(caller, items);
    return {
      items: items.map((version) => ({ version, deprecation: deprecations.get(version.id) ?? null })),
      nextCursor,
    };
  }

  async readReadme(caller: Caller, id: string, version: string): Promise<Readme> {
    const found = await this.#find(caller, id, version, NO_README);
    if (found.metadata.readme === null) throw requestErrors.not_found({ detail: NO_README });
    const wanted = { idLower: found.idLower, version: found.version, kind: 'readme' } as const;
    const { bytes } = await this.#readFile(caller, wanted);
    // Bytes in another encoding would be drawn as a page of question marks.
    if (!isUtf8(bytes))
      throw requestErrors.not_found({ detail: 'The readme of the package is no UTF-8 text.' });
    const text = new TextDecoder('utf-8').decode(bytes);
    const isCut = text.length > README_CHARACTERS_MAX;
    return { text: isCut ? text.slice(0, README_CHARACTERS_MAX).toWellFormed() : text, isCut };
  }

  async #list(
    caller: Caller,
    where: Where,
    orderBy: FeedQuestion['orderBy'],
    limit: number,
  ): Promise<FeedVersion[]> {
    return await this.#deps.packageFeed.list(caller, { level: 'semver2', where, orderBy, offset: 0, limit });
  }

  async #find(caller: Caller, id: string, version: string, detail = NONE): Promise<FeedVersion> {
    const parsed = parseNuGetVersion(version);
    const where = parsed === null ? null : [isPackage(asciiLower(id)), isVersion(versionKey(parsed))];
    const [found] = where === null ? [] : await this.#list(caller, where, [], 1);
    if (found === undefined) throw requestErrors.not_found({ detail });
    return found;
  }

  async #findLatest(caller: Caller, idLower: string): Promise<FeedVersion | null> {
    for (const withPrereleases of [false, true]) {
      const where = [isPackage(idLower), isShown('semver2', withPrereleases)];
      const [found] = await this.#list(caller, where, [], 1);
      if (found !== undefined) return found;
    }
    return null;
  }

  async #findLikely(caller: Caller, id: string): Promise<FeedVersion> {
    const idLower = asciiLower(id);
    const latest = await this.#findLatest(caller, idLower);
    if (latest !== null) return latest;
    const [found] = await this.#list(caller, [isPackage(idLower)], [byVersionDescending], 1);
    if (found === undefined) throw requestErrors.not_found({ detail: NONE });
    return found;
  }

  /** In the place of prereleases the latest release of the same package, where there is one. */
  async #preferReleases(caller: Caller, versions: readonly FeedVersion[]): Promise<FeedVersion[]> {
    const ids = versions.filter(({ isPrerelease }) => isPrerelease).map(({ idLower }) => idLower);
    if (ids.length === 0) return [...versions];
    const where = [isShown('semver2', false), isOneOf(this.#deps.storage, ids)];
    const releases = new Map(
      (await this.#list(caller, where, [], ids.length)).map((version) => [version.idLower, version]),
    );
    return versions.map((version) => releases.get(version.idLower) ?? version);
  }

  async #ownersOf({ workspace }: Caller, packageId: string): Promise<Account[]> {
    const { storage, accounts } = this.#deps;
    const ids = (await listOwners(storage.read, workspace.id, [packageId])).map(({ accountId }) => accountId);
    const found = await accounts.findMany(storage.read, workspace.id, ids);
    return found.toSorted((a, b) => ids.indexOf(a.id) - ids.indexOf(b.id));
  }

  async #deprecationsOf(
    { workspace }: Caller,
    versions: readonly FeedVersion[],
  ): Promise<Map<string, Deprecation>> {
    const ids = versions.map(({ id }) => id);
    return await listDeprecations(this.#deps.storage.read, workspace.id, ids);
  }

  async #knownIdsOf(caller: Caller, { metadata }: FeedVersion): Promise<Set<string>> {
    const dependencies = metadata.dependencyGroups.flatMap((group) => group.dependencies);
    const ids = [...new Set(dependencies.map(({ id }) => asciiLower(id)))].slice(0, KNOWN_IDS_MAX);
    if (ids.length === 0) return new Set();
    const where = [isShown('semver2', true), isOneOf(this.#deps.storage, ids)];
    return new Set((await this.#list(caller, where, [], ids.length)).map(({ idLower }) => idLower));
  }
}

function readWords({ q = '', kind }: BrowseQuery): SearchWord[] {
  const words = parseSearchWords(q);
  if (words.length > SEARCH_WORDS_MAX) {
    throw requestErrors.invalid({
      detail: `The search has too many words; at most ${SEARCH_WORDS_MAX} are looked for.`,
      fields: [{ field: 'q', message: `has more than ${SEARCH_WORDS_MAX} words` }],
    });
  }
  return kind === undefined ? words : [...words, { kind: 'tag', text: KIND_TAGS[kind] }];
}

/** @see BrowseService */
export function createBrowseService(deps: BrowseDeps): BrowseService {
  return new Browse(deps);
}
