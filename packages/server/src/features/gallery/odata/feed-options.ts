import type { SemVerLevel } from '../feed-entries.repo.ts';
import { compareNuGetVersions, parseNuGetVersion } from '../version/nuget-version.ts';
import { odataErrors } from './odata.errors.ts';
import { findProperty, type PropertyName } from './properties.ts';

/** The query of a request, in the order of its address. */
export type FeedParameters = readonly { readonly name: string; readonly value: string }[];

const PARAMETERS_MAX = 40;
// Two habits of PSResourceGet: it asks for 6000 and counts on getting them, except where it looks for tags or words;
// there it asks for 6000 and goes on from the hundredth.
const ENTRIES_MAX = 6_000;
const ENTRIES_MAX_OF_SEARCHES = 100;
const ENTRIES_DEFAULT = 100;
const ORDERS_MAX = 6;
const SEMVER2 = parseNuGetVersion('2.0.0');

/** A form, so `+` is a blank. @param query what follows the `?`, still encoded */
export function readParameters(query: string): FeedParameters {
  const pairs = query.split('&', PARAMETERS_MAX + 1).filter((pair) => pair !== '');
  if (pairs.length > PARAMETERS_MAX)
    throw odataErrors.option_invalid({ detail: `The query may have at most ${PARAMETERS_MAX} options.` });
  return pairs.map((pair) => {
    const at = pair.indexOf('=');
    const name = at === -1 ? pair : pair.slice(0, at);
    return { name: decode(name), value: at === -1 ? '' : decode(pair.slice(at + 1)) };
  });
}

function decode(text: string): string {
  const spaced = text.replaceAll('+', ' ');
  return spaced.includes('%') ? decodeURIComponent(spaced) : spaced;
}

/** The first option of this name, which clients spell in any case; null when there is none. */
export function findOption(parameters: FeedParameters, name: string): string | null {
  const wanted = name.toLowerCase();
  return parameters.find((one) => one.name.toLowerCase() === wanted)?.value ?? null;
}

/** An argument of a function: a literal in quotes, or bare, as people type it. */
export function readArgument(parameters: FeedParameters, name: string): string | null {
  const text = findOption(parameters, name)?.trim();
  if (text === undefined || text === 'null') return null;
  const isQuoted = text.length >= 2 && text.startsWith("'") && text.endsWith("'");
  return isQuoted ? text.slice(1, -1).replaceAll("''", "'") : text;
}

export function readFlag(parameters: FeedParameters, name: string): boolean {
  return readArgument(parameters, name)?.toLowerCase() === 'true';
}

/** Clients that can read SemVer 2 say so; the versions that only they can read are kept from all others. */
export function readLevel(parameters: FeedParameters): SemVerLevel {
  const level = parseNuGetVersion(readArgument(parameters, 'semVerLevel') ?? '');
  if (level === null || SEMVER2 === null) return 'semver1';
  return compareNuGetVersions(level, SEMVER2) >= 0 ? 'semver2' : 'semver1';
}

export interface FeedPage {
  readonly skip: number;
  readonly limit: number;
  /** Null when the client leaves the size of the page to us; only then it is told where the next one is. */
  readonly top: number | null;
}

/** @param isSearch whether the question is about tags or words */
export function readPage(parameters: FeedParameters, isSearch: boolean): FeedPage {
  const top = readNumber(parameters, '$top');
  const max = isSearch ? ENTRIES_MAX_OF_SEARCHES : ENTRIES_MAX;
  return {
    skip: readNumber(parameters, '$skip') ?? 0,
    limit: Math.min(top ?? ENTRIES_DEFAULT, max),
    top,
  };
}

function readNumber(parameters: FeedParameters, name: string): number | null {
  const text = findOption(parameters, name)?.trim();
  if (text === undefined || text === '') return null;
  if (!/^\d{1,9}$/.test(text))
    throw odataErrors.option_invalid({ detail: `${name} must be a whole number from 0 to 999999999.` });
  return Number(text);
}

export interface FeedOrder {
  readonly property: PropertyName;
  readonly isDescending: boolean;
}

/** `DownloadCount desc,Id` */
export function readOrders(parameters: FeedParameters): readonly FeedOrder[] {
  const text = findOption(parameters, '$orderby') ?? '';
  if (text.trim() === '') return [];
  const parts = text.split(',', ORDERS_MAX + 1);
  if (parts.length > ORDERS_MAX)
    throw odataErrors.option_invalid({ detail: `$orderby may name at most ${ORDERS_MAX} properties.` });
  return parts.map((part) => {
    const [name = '', direction = 'asc', ...rest] = part.trim().split(/\s+/);
    const lowered = direction.toLowerCase();
    if (rest.length > 0 || (lowered !== 'asc' && lowered !== 'desc'))
      throw odataErrors.option_invalid({
        detail: '$orderby names properties, each with asc or desc, parted by commas.',
      });
    return { property: requireProperty(name, '$orderby'), isDescending: lowered === 'desc' };
  });
}

/** The properties to show; null for all of them. */
export function readSelection(parameters: FeedParameters): ReadonlySet<PropertyName> | null {
  const text = findOption(parameters, '$select')?.trim() ?? '';
  if (text === '' || text === '*') return null;
  return new Set(text.split(',').map((name) => requireProperty(name.trim(), '$select')));
}

const SHOWN_NAME = /^[A-Za-z]{1,40}$/;

/** @throws odata.unknown_property, which tells the name back only when it has the form of one */
export function requireProperty(name: string, where: string): PropertyName {
  const property = findProperty(name);
  if (property !== null) return property;
  throw odataErrors.unknown_property({
    detail: SHOWN_NAME.test(name)
      ? `${where}: a package has no property ${name}.`
      : `${where} names something that is no property of a package.`,
  });
}
