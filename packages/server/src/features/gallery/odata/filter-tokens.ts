import { toIso } from '../../../lib/clock.ts';
import { odataErrors } from './odata.errors.ts';

export type FilterToken =
  | { readonly kind: 'mark'; readonly text: '(' | ')' | ',' | 'end'; readonly at: number }
  | { readonly kind: 'word'; readonly text: string; readonly at: number }
  | { readonly kind: 'string'; readonly text: string; readonly at: number }
  | { readonly kind: 'number'; readonly value: number; readonly at: number }
  | { readonly kind: 'time'; readonly value: number; readonly at: number };

const CHARACTERS_MAX = 4_000;

// Each matches in one way only, so reading takes time in proportion to the length.
const BLANKS = /\s+/y;
const STRING = /'((?:[^']|'')*)'/y;
const NUMBER = /(-?\d{1,20}(?:\.\d{1,20})?(?:e[+-]?\d{1,3})?)[lmfd]?(?![A-Za-z0-9_])/iy;
const TIME =
  /datetime(?:offset)?'(\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,7})?)?)?)(Z|[+-]\d\d:\d\d)?'/iy;
const WORD = /[A-Za-z_][A-Za-z0-9_]*/y;

/** @throws odata.filter_too_complex, odata.filter_malformed */
export function tokenizeFilter(text: string): readonly FilterToken[] {
  if (text.length > CHARACTERS_MAX)
    throw odataErrors.filter_too_complex({
      detail: `$filter may have at most ${CHARACTERS_MAX} characters.`,
    });
  const tokens: FilterToken[] = [];
  for (let at = 0; at < text.length; ) {
    const blanks = matchAt(BLANKS, text, at);
    if (blanks !== null) {
      at += blanks[0].length;
      continue;
    }
    const [token, length] = readToken(text, at);
    tokens.push(token);
    at += length;
  }
  tokens.push({ kind: 'mark', text: 'end', at: text.length });
  return tokens;
}

function readToken(text: string, at: number): [FilterToken, length: number] {
  const character = text[at];
  if (character === '(' || character === ')' || character === ',')
    return [{ kind: 'mark', text: character, at }, 1];
  const string = matchAt(STRING, text, at);
  if (string !== null)
    return [{ kind: 'string', text: (string[1] ?? '').replaceAll("''", "'"), at }, string[0].length];
  const number = matchAt(NUMBER, text, at);
  if (number !== null) return [{ kind: 'number', value: Number(number[1]), at }, number[0].length];
  const time = matchAt(TIME, text, at);
  if (time !== null) return [{ kind: 'time', value: readTime(time, at), at }, time[0].length];
  const word = matchAt(WORD, text, at);
  if (word !== null) return [{ kind: 'word', text: word[0], at }, word[0].length];
  throw malformed(at, 'nothing that a filter is made of');
}

/** Without a zone it is UTC, as everything in the feed. */
function readTime([, local = '', zone = 'Z']: RegExpExecArray, at: number): number {
  const time = local.includes('T') ? local : `${local}T00:00`;
  const value = Date.parse(`${time}${zone}`);
  // The runtime takes a 30th of February for a day in March.
  if (Number.isNaN(value) || toIso(Date.parse(`${time}Z`)).slice(0, 10) !== local.slice(0, 10))
    throw malformed(at, 'a time that no clock shows');
  return value;
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/** Names the place by its number: what stands there is the text of a stranger. */
export function malformed(at: number, found: string) {
  return odataErrors.filter_malformed({ detail: `$filter: character ${at + 1} begins ${found}.` });
}
