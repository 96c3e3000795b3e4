import type { Permission } from '@keyreeve/sdk';
import { InvalidArgumentError } from 'commander';

/** A parser for commander: a whole number between both limits, inclusive. */
export function wholeNumber(minimum: number, maximum: number) {
  return (text: string): number => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= minimum && value <= maximum) return value;
    throw new InvalidArgumentError(`Give a whole number from ${minimum} to ${maximum}.`);
  };
}

/** A parser for commander: an option that may be repeated; gathers its values. */
export function repeated(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}

/** A parser for commander: an instant with its zone, or a day, which begins at midnight UTC; to ISO 8601 in UTC. */
export function instant(text: string): string {
  const iso = toIsoInstant(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text);
  if (iso !== null) return iso;
  throw new InvalidArgumentError('Give a day like 2027-03-01, or an instant like 2027-03-01T14:00:00Z.');
}

const INSTANT = /^(\d{4})-(\d\d)-(\d\d)T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;

/** ISO 8601 in UTC of an instant with zone; null when it is none, also for a 30th of February. */
export function toIsoInstant(text: string): string | null {
  const match = INSTANT.exec(text);
  if (match === null) return null;
  const [, year, month, day] = match.map(Number);
  const isDay = new Date(Date.UTC(year ?? 0, (month ?? 0) - 1, day)).getUTCDate() === day;
  const milliseconds = Date.parse(text);
  return isDay && !Number.isNaN(milliseconds) ? new Date(milliseconds).toISOString() : null;
}

const PERMISSION_SHAPE =
  'ACTION[,ACTION…]=PATTERN[,PATTERN…], for instance package:push,package:unlist=AzureRM.*';

/**
 * `package:push,package:unlist=AzureRM.*,Contoso.*` as actions and patterns. Actions have no `=`, so the first
 * one divides; the server judges both sides.
 *
 * @returns null when a side is missing or empty: nothing ever widens by being empty
 */
export function parsePermission(text: string): Permission | null {
  const divide = text.indexOf('=');
  if (divide < 0) return null;
  const actions = splitList(text.slice(0, divide));
  const resources = splitList(text.slice(divide + 1));
  const isWhole = [actions, resources].every((side) => side.length > 0 && !side.includes(''));
  return isWhole ? { actions, resources } : null;
}

function splitList(text: string): string[] {
  return text.split(',').map((part) => part.trim());
}

/** A parser for commander: a permission, may be repeated. */
export function permissions(text: string, before: readonly Permission[] = []): Permission[] {
  const permission = parsePermission(text);
  if (permission === null) throw new InvalidArgumentError(`Write it as ${PERMISSION_SHAPE}.`);
  return [...before, permission];
}

/** The members of `value` that are set: requests must not carry members that nobody gave. */
export function given<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as never;
}

export function formatPermission({ actions, resources }: Permission): string {
  return `${actions.join(',')}=${resources.join(',')}`;
}
