import {
  asciiLower,
  findPatternCharacterFault,
  findPatternLengthFault,
  type PatternFault,
} from '../../format/pattern-view.ts';

/** Blanks and commas of both languages part one pattern from the next; none may stand in a pattern. */
const SEPARATORS = /[\s,;\u3001\uff0c\uff1b]+/;

/** A text that was typed or pasted, as patterns. */
export function splitPatterns(text: string): readonly string[] {
  return text.split(SEPARATORS).filter((part) => part !== '');
}

function isSame(one: string, other: string, isForPackages: boolean): boolean {
  return isForPackages ? asciiLower(one) === asciiLower(other) : one === other;
}

/** The list with what is new in `added`; a second spelling of the same package pattern is not new. */
export function addPatterns(
  patterns: readonly string[],
  added: readonly string[],
  isForPackages: boolean,
): readonly string[] {
  const all = [...patterns];
  for (const pattern of added) {
    if (!all.some((one) => isSame(one, pattern, isForPackages))) all.push(pattern);
  }
  return all;
}

const OUTSIDE_RESOURCE = /[^!-~]/u;

/** Why a text can be no pattern, or null. Names of packages have fewer characters than those of other resources. */
export function findPatternFault(pattern: string, isForPackages: boolean): PatternFault | null {
  if (isForPackages) return findPatternCharacterFault(pattern);
  const character = OUTSIDE_RESOURCE.exec(pattern)?.[0];
  if (character !== undefined) return { kind: 'character', character };
  return findPatternLengthFault(pattern);
}
