import { type ReadVersion, readAsOneGet, readAsPSResourceGet } from './feed-clients.ts';

/** The body of an answer below the source, which must be 200. */
export type ReadFeed = (address: string) => Promise<string>;

/** As `HttpUtility` writes a query: blanks as `+`, and all that is special as percent signs. */
function toQuery(options: Readonly<Record<string, string>>): string {
  const encode = (text: string) => encodeURIComponent(text).replaceAll('%20', '+').replaceAll("'", '%27');
  return Object.entries(options)
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .join('&');
}

/**
 * PSResourceGet on a V2 source, written from its source (V2ServerAPICalls.cs at 3f0d2e5): the pages that it asks for
 * follow from the count of the first and from the kind of search. It never looks whether it got an entry twice.
 */
export class PSResourceGetV2 {
  readonly #read: ReadFeed;

  constructor(read: ReadFeed) {
    this.#read = read;
  }

  /** `Find-PSResource -Name *`: by 6000, one more time for each whole 6000. */
  async findAll(options: { prerelease: boolean }): Promise<readonly ReadVersion[]> {
    const query = options.prerelease
      ? { $filter: 'IsAbsoluteLatestVersion', includePrerelease: 'true' }
      : { $filter: 'IsLatestVersion' };
    return await this.#page('Search()', query, {
      top: 6_000,
      step: 6_000,
      extraPages: (n) => whole(n, 6_000),
    });
  }

  /** `-Tag`: asks for 6000, and goes on from the hundredth. */
  async findTag(tag: string): Promise<readonly ReadVersion[]> {
    const $filter = `IsLatestVersion and substringof('PSModule', Tags) eq true and substringof('${tag}', Tags) eq true`;
    return await this.#page('Search()', { $filter }, { top: 6_000, step: 100, extraPages: startedHundreds });
  }

  /** `-CommandName`: the same with words. */
  async findCommand(name: string): Promise<readonly ReadVersion[]> {
    const query = { $filter: 'IsLatestVersion', searchTerm: `'tag:PSCommand_${name}'` };
    return await this.#page('Search()', query, { top: 6_000, step: 100, extraPages: startedHundreds });
  }

  /** `-Name a*`: by hundreds. */
  async findStart(text: string): Promise<readonly ReadVersion[]> {
    const $filter = `IsLatestVersion and startswith(Id, '${text}')`;
    return await this.#page('Search()', { $filter }, { top: 100, step: 100, extraPages: startedHundreds });
  }

  /** `-Version '[a,b]'`: without a size, one more time for each whole hundred, so that the last may be empty. */
  async findRange(id: string, lowest: string, highest: string): Promise<readonly ReadVersion[]> {
    const range = `NormalizedVersion ge '${lowest}' and NormalizedVersion le '${highest}'`;
    const query = {
      $filter: `${range} and IsPrerelease eq false and Id eq '${id}'`,
      $orderby: 'NormalizedVersion desc',
      id: `'${id}'`,
    };
    const paging = { top: null, step: 100, extraPages: (n: number) => whole(n, 100) };
    return await this.#page('FindPackagesById()', query, paging);
  }

  async #page(
    source: string,
    query: Readonly<Record<string, string>>,
    paging: { top: number | null; step: number; extraPages: (count: number) => number },
  ): Promise<readonly ReadVersion[]> {
    const { top, step, extraPages } = paging;
    const readAt = async (skip: number) => {
      const size = top === null ? {} : { $top: String(top) };
      const paged = { ...query, $inlinecount: 'allpages', $skip: String(skip), ...size };
      return readAsPSResourceGet(await this.#read(`${source}?${toQuery(paged)}`));
    };
    const { count, versions } = await readAt(0);
    const found = [...versions];
    for (let page = 1; page <= extraPages(count); page += 1)
      found.push(...(await readAt(page * step)).versions);
    return found;
  }
}

function whole(count: number, size: number): number {
  return Math.floor(count / size);
}

function startedHundreds(count: number): number {
  return Math.ceil(count / 100) - 1;
}

/**
 * PowerShellGet 2, by the NuGet provider of OneGet: all versions of a module by 40, four pages at a time, of which it
 * chooses by itself.
 */
export class PowerShellGet2 {
  readonly #read: ReadFeed;

  constructor(read: ReadFeed) {
    this.#read = read;
  }

  async findVersions(id: string): Promise<readonly ReadVersion[]> {
    const found: ReadVersion[] = [];
    const readAt = async (skip: number) =>
      readAsOneGet(await this.#read(`FindPackagesById()?id='${id}'&$skip=${skip}&$top=40`));
    for (let skip = 0; ; skip += 160) {
      const pages = await Promise.all([0, 40, 80, 120].map((more) => readAt(skip + more)));
      found.push(...pages.flat());
      if (pages.some((page) => page.length < 40)) return found;
    }
  }

  /** What `Install-Module` takes: the listed version that the feed calls the latest. */
  async findLatest(id: string, options: { prerelease: boolean }): Promise<ReadVersion | null> {
    const flag = options.prerelease ? 'IsAbsoluteLatestVersion' : 'IsLatestVersion';
    const versions = await this.findVersions(id);
    return versions.find((one) => one.isListed && one.fields[flag] === 'true') ?? null;
  }
}
