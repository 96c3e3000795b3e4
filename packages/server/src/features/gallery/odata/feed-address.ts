import { findProperty, type PropertyName } from './properties.ts';

export type FeedSource = 'Packages' | 'Search' | 'FindPackagesById' | 'GetUpdates';

export type FeedResource =
  | { readonly kind: 'service' }
  | { readonly kind: 'metadata' }
  | { readonly kind: 'list'; readonly source: FeedSource; readonly isCount: boolean }
  | { readonly kind: 'entry'; readonly id: string; readonly version: string }
  | {
      readonly kind: 'property';
      readonly id: string;
      readonly version: string;
      readonly property: PropertyName;
    }
  /** Without a version: the latest release. */
  | { readonly kind: 'download'; readonly id: string; readonly version: string | null };

export interface FeedAddress {
  /** The address of the feed itself, below the workspace. */
  readonly root: string;
  /** Of PowerShell, tag `PSScript`. */
  readonly isScriptsOnly: boolean;
  readonly resource: FeedResource;
}

const SOURCES: Readonly<Record<string, FeedSource>> = {
  packages: 'Packages',
  search: 'Search',
  findpackagesbyid: 'FindPackagesById',
  getupdates: 'GetUpdates',
};
const SOURCE = /^([a-z]{6,16})(?:\(\s*\))?$/;
const ENTRY = /^packages\(([^]*)\)$/i;
const KEY = /^\s*(id|version)\s*=\s*'((?:[^']|'')*)'\s*$/i;
const SEGMENTS_MAX = 8;

/**
 * Reads the path of a request to the V2 feed: `/api/v2`, `/nuget`, or below either `items/psscript`. Any case, any
 * number of slashes, quotes raw or as `%27`. Null when there is nothing at this address.
 *
 * @param path still percent-encoded, without the query
 */
export function readFeedAddress(path: string): FeedAddress | null {
  const segments = path.split('/').filter((segment) => segment !== '');
  if (segments.length > SEGMENTS_MAX) return null;
  const decoded = segments.map(decodeSegment);
  const rootLength = decoded[0]?.toLowerCase() === 'nuget' ? 1 : 2;
  const root = `/${decoded.slice(0, rootLength).join('/').toLowerCase()}`;
  if (root !== '/nuget' && root !== '/api/v2') return null;
  const [first = '', second = ''] = decoded.slice(rootLength);
  const isScriptsOnly = first.toLowerCase() === 'items' && second.toLowerCase() === 'psscript';
  const resource = readResource(decoded.slice(rootLength + (isScriptsOnly ? 2 : 0)));
  if (resource === null) return null;
  return { root: isScriptsOnly ? `${root}/items/psscript` : root, isScriptsOnly, resource };
}

function readResource(segments: readonly string[]): FeedResource | null {
  const [first = '', second, third] = segments;
  const name = first.toLowerCase();
  if (name === '') return { kind: 'service' };
  if (name === '$metadata') return second === undefined ? { kind: 'metadata' } : null;
  if (name === 'package') {
    // The ping of PowerShellGet before it publishes.
    if (second === undefined) return { kind: 'service' };
    return segments.length > 3 ? null : { kind: 'download', id: second, version: third ?? null };
  }
  if (segments.length > 2) return null;
  const source = SOURCES[SOURCE.exec(name)?.[1] ?? ''];
  if (source !== undefined) {
    const isCount = second?.toLowerCase() === '$count';
    return second === undefined || isCount ? { kind: 'list', source, isCount } : null;
  }
  return readEntry(first, second);
}

function readEntry(text: string, part: string | undefined): FeedResource | null {
  const keys = readKeys(ENTRY.exec(text)?.[1] ?? '');
  const id = keys.get('id');
  const version = keys.get('version');
  if (id === undefined || version === undefined) return null;
  if (part === undefined) return { kind: 'entry', id, version };
  if (['download', '$value'].includes(part.toLowerCase())) return { kind: 'download', id, version };
  const property = findProperty(part);
  return property === null ? null : { kind: 'property', id, version, property };
}

/** `Id='x',Version='1.0.0'`; neither an id nor a version has a comma in it. */
function readKeys(text: string): ReadonlyMap<string, string> {
  const parts = text.split(',').map((part) => KEY.exec(part));
  return new Map(
    parts.flatMap((part) => {
      const [, name = '', value = ''] = part ?? [];
      return name === '' ? [] : [[name.toLowerCase(), value.replaceAll("''", "'")] as const];
    }),
  );
}

/** Whether the percent signs spell UTF-8 was looked at when the request came in. */
function decodeSegment(segment: string): string {
  return segment.includes('%') ? decodeURIComponent(segment) : segment;
}
