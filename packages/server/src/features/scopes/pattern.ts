import { asciiLower } from '../../lib/ascii.ts';

export const PATTERN_CHARACTERS_MAX = 128;

const PACKAGE_PATTERN = /^[A-Za-z0-9_.*-]+$/;
// Printable ASCII without the blank.
const RESOURCE_PATTERN = /^[!-~]+$/;

export function isPackageAction(action: string): boolean {
  return action.startsWith('package:');
}

/** Why a pattern may not stand beside these actions, or null when it may. */
export function findPatternFault(pattern: string, isForPackages: boolean): string | null {
  if (pattern === '') return 'is empty; write * for everything';
  if (pattern.length > PATTERN_CHARACTERS_MAX) return `is longer than ${PATTERN_CHARACTERS_MAX} characters`;
  if (isForPackages && !PACKAGE_PATTERN.test(pattern)) return 'may contain only A-Z, a-z, 0-9, _, ., - and *';
  if (!RESOURCE_PATTERN.test(pattern)) return 'may contain only printable ASCII characters without blanks';
  return null;
}

/**
 * True when the whole name matches: `*` stands for any run of characters, also none, also dots; nothing else
 * is special. Each piece between two stars is taken where it first occurs, which leaves the most for those after it;
 * a search of the engine takes time in proportion to the text. A backtracking expression made from `a*a*a*…` takes
 * minutes on the same input, and coming back to the last star length × length.
 */
function matchesExactly(pattern: string, name: string): boolean {
  const firstStar = pattern.indexOf('*');
  if (firstStar < 0) return pattern === name;
  const lastStar = pattern.lastIndexOf('*');
  const end = name.length - (pattern.length - lastStar - 1);
  if (end < firstStar) return false;
  if (!name.startsWith(pattern.slice(0, firstStar)) || !name.endsWith(pattern.slice(lastStar + 1)))
    return false;
  let [star, from] = [firstStar, firstStar];
  while (star < lastStar) {
    const next = pattern.indexOf('*', star + 1);
    const piece = pattern.slice(star + 1, next);
    const found = name.indexOf(piece, from);
    if (found < 0 || found + piece.length > end) return false;
    [star, from] = [next, found + piece.length];
  }
  return true;
}

/** Package names compare without ASCII case; all other resources with it. */
export function matchesPattern(pattern: string, name: string, isForPackages: boolean): boolean {
  return isForPackages
    ? matchesExactly(asciiLower(pattern), asciiLower(name))
    : matchesExactly(pattern, name);
}

/**
 * True when every name that matches `inner` surely matches `outer`. A pattern is matched like a name: a `*`
 * of `inner` can only be swallowed by a `*` of `outer`, since no other character of `outer` equals it.
 */
export function coversPattern(outer: string, inner: string, isForPackages: boolean): boolean {
  return matchesPattern(outer, inner, isForPackages);
}
