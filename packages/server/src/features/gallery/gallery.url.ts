import { asciiLower } from '../../lib/ascii.ts';

// The path up to the id: what a package client may spell in any case and with doubled slashes.
const PREFIX = /^\/+(?:(api)\/+(v2)(?:\/+(package)(?=[/?]|$))?|(nuget))(?=[/?]|$)\/*/i;

const V3 = /^\/+v3\//i;
const ORIGIN = /^https?:\/\/[^/?#]*(?=\/)/i;

/**
 * Folds the fixed part of a gallery address to the one spelling that the router knows: lower case, single
 * slashes. Clients of a decade write `/API/V2/Package`, and a source that ends in `/` gives `//api/v2`. Ids,
 * versions, queries and all other addresses stay as they are.
 *
 * A package called `Package`, addressed as `/api/v2/Package/1.0.0`, is folded as well; ids compare without case,
 * so it is still found.
 */
export function normalizeGalleryUrl(url: string): string {
  const address = url.replace(ORIGIN, '');
  if (V3.test(address)) return normalizeV3Url(address);
  const match = PREFIX.exec(address);
  if (match === null) return url;
  const [matched] = match;
  const parts = match.slice(1).filter((part) => part !== undefined);
  const slash = matched.endsWith('/') ? '/' : '';
  return `/${parts.join('/').toLowerCase()}${slash}${address.slice(matched.length)}`;
}

/** In the V3 protocol nothing of a path minds its case: addresses hold ids and versions in lower case. */
function normalizeV3Url(url: string): string {
  const queryAt = url.indexOf('?');
  const path = queryAt === -1 ? url : url.slice(0, queryAt);
  return asciiLower(path).replace(/\/{2,}/g, '/') + url.slice(path.length);
}
