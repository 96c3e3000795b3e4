/** Gets a document at an absolute address; throws when the answer is not 200. */
export type GetDocument = (url: string) => Promise<unknown>;

type Json = Readonly<Record<string, unknown>>;

/** How the client understands versions: only what these models need. */
export interface Versions {
  /** Negative, 0 or positive; null when either is none. */
  compare(a: string, b: string): number | null;
  isPrerelease(version: string): boolean;
  normalize(version: string): string;
}

export interface FoundPackage {
  readonly version: string;
  readonly tags: readonly string[];
  readonly dependencies: readonly { readonly id: string; readonly range: string }[];
}

function asObject(value: unknown): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error(`An object was expected, not ${JSON.stringify(value)}`);
  return value as Json;
}

function asArray(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new Error(`A list was expected, not ${JSON.stringify(value)}`);
  return value;
}

function asText(value: unknown): string {
  if (typeof value !== 'string') throw new Error(`A text was expected, not ${JSON.stringify(value)}`);
  return value;
}

/** `@type` is one text an entry; the first address of a type counts. */
async function readResources(index: string, get: GetDocument): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const entry of asArray(asObject(await get(index))['resources']).map(asObject)) {
    const type = asText(entry['@type']);
    if (!found.has(type)) found.set(type, asText(entry['@id']));
  }
  return found;
}

function firstOf(resources: ReadonlyMap<string, string>, types: readonly string[]): string {
  const type = types.find((one) => resources.has(one));
  if (type === undefined) throw new Error(`The service index has none of ${types.join(', ')}`);
  return resources.get(type) ?? '';
}

/**
 * PSResourceGet on a V3 source, written from its source (V3ServerAPICalls.cs at 3f0d2e5): it takes versions as texts
 * in the order of the registration, turned round by a rule of its own for finding and for installing.
 */
export class PSResourceGetV3 {
  readonly #index: string;
  readonly #get: GetDocument;
  readonly #versions: Versions;

  constructor(index: string, get: GetDocument, versions: Versions) {
    this.#index = index;
    this.#get = get;
    this.#versions = versions;
  }

  /** Find-PSResource by name: the first version that suits. Null when there is none. */
  async findName(name: string, options: { prerelease: boolean }): Promise<FoundPackage | null> {
    const entries = await this.#entries(name);
    const found = entries.find(
      (entry) => options.prerelease || !this.#versions.isPrerelease(asText(entry['version'])),
    );
    return found === undefined ? null : toFound(found);
  }

  async findVersion(name: string, version: string): Promise<FoundPackage | null> {
    const entries = await this.#entries(name);
    const found = entries.find((entry) => this.#versions.compare(asText(entry['version']), version) === 0);
    return found === undefined ? null : toFound(found);
  }

  /** The address that Install-PSResource downloads from: the first one that contains the version. */
  async findContent(name: string, version: string): Promise<string | null> {
    const { leaves, upper } = await this.#leaves(name);
    const urls = leaves.map((leaf) => asText(leaf['packageContent']));
    if (upper !== '' && urls.length >= 2 && urls[0]?.includes(upper) !== true) urls.reverse();
    return urls.find((url) => url.includes(this.#versions.normalize(version))) ?? null;
  }

  /** Listed versions, turned round when the first is lower than the last. */
  async #entries(name: string): Promise<Json[]> {
    const { leaves } = await this.#leaves(name);
    const entries = leaves
      .map((leaf) => asObject(leaf['catalogEntry']))
      .filter((entry) => String(entry['listed']).toLowerCase() !== 'false');
    const [first, last] = [entries[0], entries.at(-1)];
    if (entries.length < 2 || first === undefined || last === undefined) return entries;
    const order = this.#versions.compare(asText(first['version']), asText(last['version']));
    if (order === null) throw new Error('A version could not be parsed.');
    return order < 0 ? entries.toReversed() : entries;
  }

  async #leaves(name: string): Promise<{ leaves: Json[]; upper: string }> {
    const resources = await readResources(this.#index, this.#get);
    const base = firstOf(resources, [
      'RegistrationsBaseUrl/3.6.0',
      'RegistrationsBaseUrl/3.4.0',
      'RegistrationsBaseUrl/3.0.0-rc',
      'RegistrationsBaseUrl/3.0.0-beta',
      'RegistrationsBaseUrl',
    ]);
    const url = `${base.endsWith('/') ? base : `${base}/`}${name.toLowerCase()}/index.json`;
    const leaves: Json[] = [];
    let upper = '';
    for (const item of asArray(asObject(await this.#get(url))['items']).map(asObject)) {
      const page = 'items' in item ? item : asObject(await this.#get(asText(item['@id'])));
      upper = typeof page['upper'] === 'string' ? page['upper'] : '';
      leaves.push(...asArray(page['items']).map(asObject));
    }
    return { leaves, upper };
  }
}

function toFound(entry: Json): FoundPackage {
  const tags = entry['tags'];
  const groups = 'dependencyGroups' in entry ? asArray(entry['dependencyGroups']).map(asObject) : [];
  return {
    version: asText(entry['version']),
    tags: Array.isArray(tags) ? tags.map(asText) : asText(tags).split(/[ ,]+/),
    dependencies: groups.flatMap((group) =>
      ('dependencies' in group ? asArray(group['dependencies']).map(asObject) : []).map((one) => ({
        id: asText(one['id']),
        range: asText(one['range']),
      })),
    ),
  };
}

export interface NuGetVersionInfo {
  readonly version: string;
  readonly isListed: boolean;
  readonly content: string;
}

/**
 * NuGet.Client on a V3 source, written from its sources (ServiceTypes, RegistrationUtility,
 * RemoteV3FindPackageByIdResource, PackageSearchResourceV3): how it chooses resources, follows pages whose range
 * overlaps the wanted one, and what it cannot do without.
 */
export class NuGetClientV3 {
  readonly #index: string;
  readonly #get: GetDocument;
  readonly #versions: Versions;

  constructor(index: string, get: GetDocument, versions: Versions) {
    this.#index = index;
    this.#get = get;
    this.#versions = versions;
  }

  /** Throws when the index is none for clients of version 3 on, or offers signatures over http. */
  async checkIndex(): Promise<void> {
    const index = asObject(await this.#get(this.#index));
    if (!/^3\.\d+\.\d+/.test(asText(index['version']))) throw new Error('The index is not of version 3.');
    for (const [type, url] of await readResources(this.#index, this.#get)) {
      if (!URL.canParse(url.replaceAll(/\{\w+\}/g, 'x'))) throw new Error(`${type} is not absolute.`);
      if (type.startsWith('RepositorySignatures/') && !url.startsWith('https:'))
        throw new Error('Signatures of the repository are fetched over https only.');
    }
  }

  /** The base for downloads, as restore uses it. */
  async listFlat(id: string): Promise<string[]> {
    const base = firstOf(await readResources(this.#index, this.#get), ['PackageBaseAddress/3.0.0']);
    const document = asObject(await this.#get(`${base}${id.toLowerCase()}/index.json`));
    return asArray(document['versions']).map(asText);
  }

  /** The versions between two bounds, both included; null stands for no bound. */
  async listRegistration(
    id: string,
    lower: string | null,
    upper: string | null,
  ): Promise<NuGetVersionInfo[]> {
    const base = firstOf(await readResources(this.#index, this.#get), [
      'RegistrationsBaseUrl/Versioned',
      'RegistrationsBaseUrl/3.6.0',
      'RegistrationsBaseUrl/3.4.0',
      'RegistrationsBaseUrl/3.0.0-beta',
    ]);
    const index = asObject(await this.#get(`${base}${id.toLowerCase()}/index.json`));
    const found: NuGetVersionInfo[] = [];
    for (const item of asArray(index['items']).map(asObject)) {
      const isBeyond =
        (upper !== null && this.#strict(asText(item['lower']), upper) > 0) ||
        (lower !== null && this.#strict(asText(item['upper']), lower) < 0);
      if (isBeyond) continue;
      const page = 'items' in item ? item : asObject(await this.#get(asText(item['@id'])));
      found.push(...asArray(page['items']).map((leaf) => toInfo(asObject(leaf))));
    }
    return found.filter(
      ({ version }) =>
        (lower === null || this.#strict(version, lower) >= 0) &&
        (upper === null || this.#strict(version, upper) <= 0),
    );
  }

  async search(query: string, options: { prerelease: boolean }): Promise<{ total: number; ids: string[] }> {
    const base = firstOf(await readResources(this.#index, this.#get), [
      'SearchQueryService/Versioned',
      'SearchQueryService/3.4.0',
      'SearchQueryService/3.0.0-beta',
    ]);
    const wish = `q=${encodeURIComponent(query)}&skip=0&take=20&prerelease=${options.prerelease}&semVerLevel=2.0.0`;
    const document = asObject(await this.#get(`${base}?${wish}`));
    const ids = asArray(document['data']).map((one) => {
      const item = asObject(one);
      const versions = asArray(item['versions']).map((version) => asText(asObject(version)['version']));
      if (!versions.includes(asText(item['version'])))
        throw new Error('The version is not among the versions.');
      return asText(item['id']);
    });
    return { total: Number(document['totalHits']), ids };
  }

  #strict(a: string, b: string): number {
    const order = this.#versions.compare(a, b);
    if (order === null) throw new Error(`${a} or ${b} is no version.`);
    return order;
  }
}

function toInfo(leaf: Json): NuGetVersionInfo {
  const entry = asObject(leaf['catalogEntry']);
  return {
    version: asText(entry['version']),
    // Left out, a version is listed; old servers told it by a date of 1900.
    isListed: entry['listed'] !== false && !asText(entry['published']).startsWith('1900'),
    content: asText(leaf['packageContent']),
  };
}
