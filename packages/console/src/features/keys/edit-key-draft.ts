import type { BodyOf, Key, Permission } from '@keyreeve/sdk';
import { isSame } from '../../ui/is-same.ts';
import { ipRangesOf } from './ip-ranges.ts';
import { type LimitsDraft, limitsDraftOf, toLimits } from './limits-draft.ts';
import { addPatterns, splitPatterns } from './pattern-list.ts';

/** The resources of one scope, as they are edited. */
export interface ScopeDraft {
  readonly patterns: readonly string[];
  /** Typed, and not yet a pattern. */
  readonly text: string;
  /** Packages ticked in the list. */
  readonly singles: readonly string[];
}

export interface KeyDraft {
  readonly comment: string;
  readonly scopes: readonly ScopeDraft[];
  /** One address or range a line. */
  readonly ipText: string;
  readonly limits: LimitsDraft;
}

export function isForPackages(scope: Permission): boolean {
  return scope.actions.every((action) => action.startsWith('package:'));
}

/** The names without a wildcard, by which single packages were chosen. */
export function singleNamesOf(key: Key): readonly string[] {
  return key.scopes
    .filter(isForPackages)
    .flatMap((scope) => scope.resources.filter((resource) => !resource.includes('*')));
}

/**
 * What the form begins with. Names of packages that exist are ticked in the list; one that nobody has pushed yet is
 * in no list, so it stands among the patterns.
 */
export function draftOf(key: Key, existing: readonly string[]): KeyDraft {
  return {
    comment: key.comment,
    ipText: key.ipRanges.join('\n'),
    limits: limitsDraftOf(key.limits),
    scopes: key.scopes.map((scope) => {
      const singles = isForPackages(scope) ? scope.resources.filter((one) => existing.includes(one)) : [];
      return { patterns: scope.resources.filter((one) => !singles.includes(one)), text: '', singles };
    }),
  };
}

/** All resources of a scope with what is still being typed: patterns first, so that their places are the same. */
export function resourcesOfDraft(draft: ScopeDraft, isPackages: boolean): readonly string[] {
  const patterns = addPatterns(draft.patterns, splitPatterns(draft.text), isPackages);
  return addPatterns(patterns, draft.singles, isPackages);
}

function isSameSet(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((text) => other.includes(text));
}

/** What the person wants a scope to hold; undefined for a scope that was left as the form began. */
export function changedResourcesOf(base: Key, draft: KeyDraft, index: number): string[] | undefined {
  const [scope, drafted] = [base.scopes[index], draft.scopes[index]];
  if (scope === undefined || drafted === undefined) return undefined;
  const resources = resourcesOfDraft(drafted, isForPackages(scope));
  return isSameSet(resources, scope.resources) ? undefined : [...resources];
}

/**
 * Only what differs from the key with which the form began; empty when nothing does. The server takes all scopes at
 * once: those that the person has left alone are sent as they are in `saved`, which somebody else may have changed.
 */
export function changesOf(base: Key, draft: KeyDraft, saved: Key = base): BodyOf<'updateKey'> {
  const comment = draft.comment.trim();
  const ipRanges = ipRangesOf(draft.ipText);
  const limits = toLimits(draft.limits);
  const wanted = base.scopes.map((_scope, index) => changedResourcesOf(base, draft, index));
  const scopes = saved.scopes.map(({ actions, resources }, index) => ({
    actions,
    resources: wanted[index] ?? resources,
  }));
  return {
    ...(comment === base.comment ? {} : { comment }),
    ...(wanted.every((resources) => resources === undefined) ? {} : { scopes }),
    ...(isSameSet(ipRanges, base.ipRanges) ? {} : { ipRanges: [...ipRanges] }),
    ...(isSame(limits, toLimits(limitsDraftOf(base.limits))) ? {} : { limits }),
  };
}
