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
 * is special. Two pointers and one place to come back to, so the time is at most length × length: a
 * backtracking expression made from `a*a*a*…` takes minutes on the same input.
 */
function matchesExactly(pattern: string, name: string): boolean {
  let p = 0;
  let n = 0;
  let star = -1;
  let resume = 0;
  while (n < name.length) {
    if (p < pattern.length && pattern[p] === '*') {
      star = p;
      resume = n;
      p += 1;
    } else if (p < pattern.length && pattern[p] === name[n]) {
      p += 1;
      n += 1;
    } else if (star >= 0) {
      p = star + 1;
      resume += 1;
      n = resume;
    } else {
      return false;
    }
  }
  while (pattern[p] === '*') p += 1;
  return p === pattern.length;
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
