/**
 * Compares an answer that a page shows with the real one: fields, types and values must agree, and what differs from
 * run to run (keys, ids, tokens, times, hosts) must be of the same kind in both.
 */
import { expect } from 'vitest';

/** What differs from run to run, the more particular ones first; `…` stands where a page leaves out the rest. */
const VOLATILE: readonly (readonly [RegExp, string])[] = [
  [/\beyJ[\w-]*(?:\.[\w-]+\.[\w-]+|…)/g, '<token>'],
  [/<full key>|\bkr_[0-9A-Za-z]{16}_(?:[0-9A-Za-z]{49}|…)/g, '<full key>'],
  [/<API key>|\bkr_[0-9A-Za-z]{16}\b/g, '<API key>'],
  [/<secret key>|\b[0-9A-Za-z]{49}\b/g, '<secret key>'],
  [/\b([a-z]{2,4})_(?:[0-9A-Za-z]{20,32}|…)/g, '<$1 id>'],
  [/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, '<time>'],
  [/\b[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT\b/g, '<time>'],
  [/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, '<uuid>'],
  [/\bhttps?:\/\/(?:localhost|127\.0\.0\.1|keys\.example\.com)(?::\d+)?(?=\/|"|'|\s|$)/g, '<server>'],
];

/** Seconds since 1970 of our days; other numbers are compared as they are. */
const EPOCH_SECONDS = /^1[5-9]\d{8}$|^2\d{9}$/;

export function replaceVolatile(text: string): string {
  return VOLATILE.reduce((result, [pattern, kind]) => result.replace(pattern, kind), text);
}

function normalize(value: unknown): unknown {
  if (typeof value === 'string') return replaceVolatile(value);
  if (typeof value === 'number') return EPOCH_SECONDS.test(String(value)) ? '<epoch seconds>' : value;
  if (Array.isArray(value)) return value.map(normalize);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, normalize(inner)]));
}

/**
 * @param documented The JSON of the page.
 * @param actual The JSON that really came, as text or parsed.
 */
export function expectSameJson(documented: string, actual: unknown): void {
  const parsed: unknown = typeof actual === 'string' ? JSON.parse(actual) : actual;
  expect(normalize(parsed)).toEqual(normalize(JSON.parse(documented)));
}

/** The same for lines of a terminal or headers; blanks at the ends of lines do not count. */
export function expectSameText(documented: string, actual: string): void {
  const lines = (text: string) => replaceVolatile(text).trim().split(/\s*\n/);
  expect(lines(actual)).toEqual(lines(documented));
}
