import { splitGraphemes, stripInvisible } from './initials.ts';

/** A piece of a package name; held ones are spelled out by the pattern, the others stand where it has a `*`. */
export interface NameSegment {
  readonly text: string;
  readonly isHeld: boolean;
}

const PATTERN_CHARACTERS_MAX = 128;
const OUTSIDE_PATTERN = /[^A-Za-z0-9_.*-]/;

/** Package names compare without ASCII case and nothing else: `toLowerCase` would also fold the Kelvin sign. */
export function asciiLower(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

type Range = readonly [start: number, end: number];

/**
 * Where the literal runs of a pattern stand in a name, or null when the pattern does not match it. The first run
 * must begin the name, the last must end it; between them the leftmost place is as good as any other.
 */
function findHeldRanges(pattern: string, name: string): readonly Range[] | null {
  const lowerName = asciiLower(name);
  const [head = '', ...middles] = asciiLower(pattern).split('*');
  const tail = middles.pop();
  if (tail === undefined) return head === lowerName ? [[0, name.length]] : null;
  if (!lowerName.startsWith(head)) return null;
  const ranges: Range[] = [[0, head.length]];
  let position = head.length;
  for (const run of middles) {
    const start = lowerName.indexOf(run, position);
    if (start === -1) return null;
    position = start + run.length;
    ranges.push([start, position]);
  }
  const tailStart = name.length - tail.length;
  if (tailStart < position || !lowerName.endsWith(tail)) return null;
  return [...ranges, [tailStart, name.length]];
}

/**
 * A package name in pieces, for showing which part of it a pattern holds. For display only: what a key may do is
 * decided by the server. A name that does not match is one piece that is not held.
 */
export function splitByPattern(pattern: string, name: string): readonly NameSegment[] {
  const segments: { text: string; isHeld: boolean }[] = [];
  const add = (text: string, isHeld: boolean): void => {
    const last = segments.at(-1);
    if (text === '') return;
    if (last?.isHeld === isHeld) last.text += text;
    else segments.push({ text, isHeld });
  };
  let position = 0;
  for (const [start, end] of findHeldRanges(pattern, name) ?? []) {
    add(name.slice(position, start), false);
    add(name.slice(start, end), true);
    position = end;
  }
  add(name.slice(position), false);
  return segments;
}

/** `X.*` leaves out `X` itself, which surprises people. */
export interface PatternHint {
  /** The name that is left out. */
  readonly name: string;
  /** The pattern that would hold it too. */
  readonly suggestion: string;
}

/** The hint for a pattern that leaves out an existing name, or null. `names` are those that nothing else holds. */
export function findPatternHint(pattern: string, names: readonly string[]): PatternHint | null {
  const base = /^(.+)[._-]\*$/.exec(pattern)?.[1];
  if (base === undefined) return null;
  const name = names.find(
    (each) => findHeldRanges(base, each) !== null && findHeldRanges(pattern, each) === null,
  );
  return name === undefined ? null : { name, suggestion: `${base}*` };
}

/** Why a text can be no package pattern: a character to be shown, or the length. */
export type PatternFault =
  | { readonly kind: 'character'; readonly character: string }
  | { readonly kind: 'length'; readonly charactersMax: number };

function codePointName(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}

/**
 * The first character that a package pattern may not contain, whole as people see it (`é`, not a lone accent); a
 * blank or an invisible one by its number (`U+200B`). Null when there is nothing to say.
 */
export function findPatternCharacterFault(text: string): PatternFault | null {
  const character = splitGraphemes(text.slice(0, 4 * PATTERN_CHARACTERS_MAX)).find((grapheme) =>
    OUTSIDE_PATTERN.test(grapheme),
  );
  if (character !== undefined) {
    const isVisible = stripInvisible(character) === character;
    return { kind: 'character', character: isVisible ? character : codePointName(character) };
  }
  return findPatternLengthFault(text);
}

/** Resources of every kind have the same limit. */
export function findPatternLengthFault(text: string): PatternFault | null {
  return text.length > PATTERN_CHARACTERS_MAX
    ? { kind: 'length', charactersMax: PATTERN_CHARACTERS_MAX }
    : null;
}
