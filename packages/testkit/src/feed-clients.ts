import { createHash } from 'node:crypto';
import { descendants, elementsOf, parseXmlTree, textOf, type XmlElement } from './xml-tree.ts';

// Models of how three clients read a V2 feed, from their documented behaviour and not from the server: what they
// refuse, the real clients refuse.

const ATOM = 'http://www.w3.org/2005/Atom';
const DATA = 'http://schemas.microsoft.com/ado/2007/08/dataservices';
const METADATA = `${DATA}/metadata`;
const VERSION = /^\d+(\.\d+){0,3}(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?(\+[0-9A-Za-z.-]+)?$/;

/** A version as any of the clients has read it. */
export interface ReadVersion {
  readonly id: string;
  readonly version: string;
  readonly isListed: boolean;
  readonly fields: Readonly<Record<string, string>>;
}

export interface NuGetFeed {
  readonly versions: readonly (ReadVersion & {
    readonly downloadUrl: string;
    readonly dependencies: readonly { id: string; range: string; framework: string }[];
  })[];
  readonly nextUrl: string | null;
}

function only<Item>(items: readonly Item[], what: string): Item {
  const [first] = items;
  if (first === undefined || items.length > 1) throw new Error(`There are ${items.length} of ${what}.`);
  return first;
}

/** NuGet.Client, `V2FeedParser`: by namespaces; the id may come from the title, everything else from properties. */
export function readAsNuGet(body: string): NuGetFeed {
  const root = parseXmlTree(body);
  const named = (parent: XmlElement, uri: string, local: string) =>
    elementsOf(parent).filter((child) => child.uri === uri && child.local === local);
  const entries = root.local === 'entry' ? [root] : named(root, ATOM, 'entry');
  const next = named(root, ATOM, 'link').find((link) => link.attributes['rel'] === 'next');
  const versions = entries.map((entry) => {
    const properties = only(named(entry, METADATA, 'properties'), 'properties');
    const fields = readFields(elementsOf(properties).filter((child) => child.uri === DATA));
    const content = only(named(entry, ATOM, 'content'), 'content');
    // NuGet 2.x asks whether the element is empty before it reads on.
    if (!content.isSelfClosing) throw new Error('The content does not close itself.');
    const version = fields['Version'] ?? '';
    if (!VERSION.test(version)) throw new Error(`No version: ${version}`);
    return {
      id: fields['Id'] ?? textOf(only(named(entry, ATOM, 'title'), 'title')),
      version,
      isListed: readTime(fields['Published'] ?? '').getUTCFullYear() > 1901,
      fields,
      downloadUrl: new URL(content.attributes['src'] ?? '').href,
      dependencies: readDependencies(fields['Dependencies'] ?? ''),
    };
  });
  return { versions, nextUrl: next === undefined ? null : new URL(next.attributes['href'] ?? '').href };
}

function readDependencies(text: string) {
  return text
    .split('|')
    .filter((part) => part !== '')
    .map((part) => {
      const [id = '', range = '', framework = '', ...rest] = part.split(':');
      if (rest.length > 0) throw new Error(`A dependency with too many parts: ${part}`);
      return { id, range, framework };
    });
}

/** PSResourceGet, `V2ServerAPICalls` and `PSResourceInfo.TryConvertFromXml`: by names as they are written. */
export function readAsPSResourceGet(body: string): { count: number; versions: readonly ReadVersion[] } {
  const root = parseXmlTree(body);
  const [counted] = descendants(root, 'm:count');
  const count = counted === undefined ? descendants(root, 'd:Id').length : Number(textOf(counted));
  const versions = descendants(root, 'entry').map((entry) => {
    if (entry.children.some((child) => typeof child === 'string'))
      throw new Error('There is a text between the elements of an entry.');
    const properties = only(descendants(entry, 'm:properties'), 'm:properties');
    if (properties.children.some((child) => typeof child === 'string'))
      throw new Error('There is a text between the properties.');
    const fields = readFields(elementsOf(properties));
    const isPrerelease = fields['IsPrerelease'];
    if (isPrerelease === undefined) throw new Error('Null cannot be made a Boolean: IsPrerelease.');
    readBoolean(isPrerelease);
    readBoolean(fields['RequireLicenseAcceptance'] ?? '');
    return {
      id: fields['Id'] ?? '',
      version: fields['NormalizedVersion'] ?? '',
      isListed: readTime(fields['Published'] ?? '').getUTCFullYear() > 1900,
      fields,
    };
  });
  return { count, versions };
}

/** The NuGet provider of OneGet, below PowerShellGet 2: strict about every type, and about the hash of the file. */
export function readAsOneGet(body: string): readonly ReadVersion[] {
  if (!body.startsWith('<?xml')) throw new Error('The answer is no XML document.');
  const root = parseXmlTree(body);
  return descendants(root, 'm:properties').map((properties) => {
    const fields = readFields(elementsOf(properties));
    const required = (name: string) => {
      const value = fields[name];
      if (value === undefined) throw new Error(`${name} is missing.`);
      return value;
    };
    for (const name of ['DownloadCount', 'VersionDownloadCount', 'PackageSize'])
      if (!/^\d{1,18}$/.test(required(name))) throw new Error(`${name} is no number.`);
    for (const name of ['IsLatestVersion', 'IsAbsoluteLatestVersion', 'RequireLicenseAcceptance'])
      readBoolean(required(name));
    for (const name of ['Published', 'Created', 'LastUpdated']) readTime(required(name));
    for (const name of ['IconUrl', 'LicenseUrl', 'ProjectUrl', 'GalleryDetailsUrl', 'ReportAbuseUrl'])
      if (fields[name] !== undefined) void new URL(fields[name]);
    // System.Version: two to four numbers.
    if (!/^\d+(\.\d+){1,3}$/.test(fields['MinClientVersion'] ?? '0.0'))
      throw new Error(`No version of a client: ${fields['MinClientVersion']}`);
    return {
      id: required('Id'),
      version: required('Version'),
      isListed: readTime(required('Published')).getUTCFullYear() > 1900,
      fields,
    };
  });
}

/** What OneGet does with a downloaded package before it installs it. */
export function verifyAsOneGet({ fields }: ReadVersion, file: Uint8Array): boolean {
  const algorithm = (fields['PackageHashAlgorithm'] ?? '').toLowerCase();
  return createHash(algorithm).update(file).digest('base64') === fields['PackageHash'];
}

/** A property that is null is not there. */
function readFields(properties: readonly XmlElement[]): Record<string, string> {
  const present = properties.filter((property) => property.attributes['m:null'] !== 'true');
  return Object.fromEntries(present.map((property) => [property.local, textOf(property)]));
}

function readBoolean(text: string): boolean {
  if (text !== 'true' && text !== 'false') throw new Error(`No Boolean: ${text}`);
  return text === 'true';
}

function readTime(text: string): Date {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?Z?$/.test(text)) throw new Error(`No time: ${text}`);
  return new Date(text.endsWith('Z') ? text : `${text}Z`);
}
