import type { BodyOf, Permission } from '@keyreeve/sdk';
import { splitByPattern } from '../../format/pattern-view.ts';
import { ipRangesOf } from './ip-ranges.ts';
import { COMMENT_CHARACTERS_MAX, PATTERNS_MAX } from './key-limits.ts';
import { findLimitsFaults, type LimitsDraft, toLimits } from './limits-draft.ts';
import { findPatternFault } from './pattern-list.ts';

/** Where the dialog starts: the three ways to use a key on the page of one's own keys. */
export type KeyPreset = 'push' | 'unlist' | 'account';

export type PushAction = 'package:push' | 'package:pushnew' | 'package:pushversion';

/** A scope of the account's other grants: one action, on its own resources. */
export interface OtherScope {
  readonly id: number;
  readonly action: string;
  readonly resources: readonly string[];
  /** Typed and not yet a pill. */
  readonly text: string;
}

/** Everything that is typed and chosen in the dialog. */
export interface KeyDraft {
  readonly comment: string;
  /** Null: the default of the settings. */
  readonly lifetimeDays: number | null;
  /** Another number of days is being typed, where the settings allow that; null: one of the choices. */
  readonly customDays: string | null;
  readonly access: 'account' | 'scoped';
  /** Null: the account itself. */
  readonly ownerId: string | null;
  readonly push: PushAction | null;
  readonly mayUnlist: boolean;
  readonly patterns: readonly string[];
  readonly patternText: string;
  /** Packages ticked one by one. */
  readonly singles: readonly string[];
  readonly others: readonly OtherScope[];
  /** One address or range a line. */
  readonly ipText: string;
  /** Null: no limits of its own. */
  readonly limits: LimitsDraft | null;
  readonly sendsMail: boolean;
  readonly mailTo: string;
}

const BLANK: KeyDraft = {
  comment: '',
  lifetimeDays: null,
  customDays: null,
  access: 'account',
  ownerId: null,
  push: null,
  mayUnlist: false,
  patterns: [],
  patternText: '',
  singles: [],
  others: [],
  ipText: '',
  limits: null,
  sendsMail: false,
  mailTo: '',
};

export function startDraft(preset: KeyPreset | undefined): KeyDraft {
  if (preset === 'push') return { ...BLANK, access: 'scoped', push: 'package:push' };
  if (preset === 'unlist') return { ...BLANK, access: 'scoped', mayUnlist: true };
  return BLANK;
}

/** What the key may do with packages; empty when nothing is chosen. */
export function packageActionsOf({ push, mayUnlist }: KeyDraft): readonly string[] {
  return [...(push === null ? [] : [push]), ...(mayUnlist ? ['package:unlist'] : [])];
}

function isHeldByPattern(name: string, patterns: readonly string[]): boolean {
  return patterns.some(
    (pattern) => /^\*+$/.test(pattern) || splitByPattern(pattern, name).some(({ isHeld }) => isHeld),
  );
}

/** Patterns first, then the single packages that no pattern holds: in this order they stand in the scope. */
export function resourcesOf({
  patterns,
  singles,
}: Pick<KeyDraft, 'patterns' | 'singles'>): readonly string[] {
  return [...patterns, ...singles.filter((name) => !isHeldByPattern(name, patterns))];
}

/** Those that the server would take: a preview is not for what is still mistyped. */
export function validResourcesOf(draft: Pick<KeyDraft, 'patterns' | 'singles'>): readonly string[] {
  return resourcesOf(draft)
    .filter((pattern) => findPatternFault(pattern, true) === null)
    .slice(0, PATTERNS_MAX);
}

/** The scopes of a draft: the one for packages first, when there is one. */
export function scopesOf(draft: KeyDraft): readonly Permission[] {
  const actions = packageActionsOf(draft);
  const resources = resourcesOf(draft);
  const others = draft.others.map((scope) => ({
    actions: [scope.action.trim()],
    resources: [...scope.resources],
  }));
  return actions.length === 0 ? others : [{ actions: [...actions], resources: [...resources] }, ...others];
}

/** Null while no whole number stands in the field for another lifetime. */
export function lifetimeOf(draft: KeyDraft, defaultDays: number): number | null {
  if (draft.customDays === null) return draft.lifetimeDays ?? defaultDays;
  return /^\d{1,6}$/.test(draft.customDays.trim()) ? Number(draft.customDays) : null;
}

export function toBody(draft: KeyDraft, lifetimeDays: number | undefined): BodyOf<'createKey'> {
  const ipRanges = ipRangesOf(draft.ipText);
  return {
    comment: draft.comment,
    access: draft.access,
    ...(draft.access === 'scoped' ? { scopes: [...scopesOf(draft)] } : {}),
    ...(draft.access === 'scoped' && draft.ownerId !== null ? { ownerId: draft.ownerId } : {}),
    ...(lifetimeDays === undefined ? {} : { lifetimeDays }),
    ...(ipRanges.length === 0 ? {} : { ipRanges: [...ipRanges] }),
    ...(draft.limits === null ? {} : { limits: toLimits(draft.limits) }),
    ...(draft.sendsMail ? { sendMail: true } : {}),
    ...(draft.sendsMail && draft.mailTo.trim() !== '' ? { mailTo: draft.mailTo.trim() } : {}),
  };
}

/**
 * A field of the dialog, by which faults find their place: `pattern:2` is the third pattern, `other:0:action` the
 * action of the first other scope, `other:0:resource:1` its second pattern.
 */
export type FieldName =
  | 'comment'
  | 'lifetimeDays'
  | 'ownerId'
  | 'permissions'
  | 'patterns'
  | `pattern:${number}`
  | `other:${number}:action`
  | `other:${number}:resources`
  | `other:${number}:resource:${number}`
  | 'ipRanges'
  | `ipRanges:${number}`
  | `limits.${string}`
  | 'mailTo';

/** Why a draft cannot be sent, as names of words; what only the server knows, it says itself. */
export type DraftFault =
  | 'commentMissing'
  | 'daysMissing'
  | 'permissionMissing'
  | 'permissionForPatterns'
  | 'patternMissing'
  | 'tooManyPatterns'
  | 'patternFaulty'
  | 'actionMissing'
  | 'resourceMissing'
  | 'limitFaulty'
  | 'addressMissing';

function findScopeFaults(draft: KeyDraft): Map<FieldName, DraftFault> {
  const faults = new Map<FieldName, DraftFault>();
  const resources = resourcesOf(draft);
  const hasPackages = packageActionsOf(draft).length > 0;
  if (!hasPackages && draft.others.length === 0) faults.set('permissions', 'permissionMissing');
  else if (!hasPackages && resources.length > 0) faults.set('permissions', 'permissionForPatterns');
  if (hasPackages && resources.length === 0) faults.set('patterns', 'patternMissing');
  const count = resources.length + draft.others.reduce((sum, scope) => sum + scope.resources.length, 0);
  if (count > PATTERNS_MAX) faults.set('patterns', 'tooManyPatterns');
  else if (draft.patterns.some((pattern) => findPatternFault(pattern, true) !== null))
    faults.set('patterns', 'patternFaulty');
  for (const [index, scope] of draft.others.entries()) {
    if (scope.action.trim() === '') faults.set(`other:${index}:action`, 'actionMissing');
    const isForPackages = scope.action.startsWith('package:');
    if (scope.resources.length === 0) faults.set(`other:${index}:resources`, 'resourceMissing');
    else if (scope.resources.some((pattern) => findPatternFault(pattern, isForPackages) !== null))
      faults.set(`other:${index}:resources`, 'patternFaulty');
  }
  return faults;
}

export interface DraftFacts {
  /** The account has an address for the key mail. */
  readonly hasAddress: boolean;
  /** Undefined: what the server has for a default; null: no whole number yet. */
  readonly lifetimeDays: number | null | undefined;
}

/** What can be told before anything is sent. */
export function findDraftFaults(
  draft: KeyDraft,
  { hasAddress, lifetimeDays }: DraftFacts,
): Map<FieldName, DraftFault> {
  const faults = new Map<FieldName, DraftFault>();
  const comment = draft.comment.trim();
  if (comment === '' || comment.length > COMMENT_CHARACTERS_MAX) faults.set('comment', 'commentMissing');
  if (lifetimeDays === null) faults.set('lifetimeDays', 'daysMissing');
  if (draft.access === 'scoped')
    for (const [field, fault] of findScopeFaults(draft)) faults.set(field, fault);
  if (draft.limits !== null && findLimitsFaults(draft.limits).size > 0) faults.set('limits.', 'limitFaulty');
  if (draft.sendsMail && !hasAddress && draft.mailTo.trim() === '') faults.set('mailTo', 'addressMissing');
  return faults;
}

const IP_FIELD = /^ipRanges(?:\[(\d+)\])?$/;
const SCOPE_FIELD = /^scopes\[(\d+)\](?:\.(actions|resources)(?:\[(\d+)\])?)?/;

/** The place in the dialog of a field that the server names; null when no field of the dialog is meant. */
export function placeOfField(field: string, draft: KeyDraft): FieldName | null {
  if (field === 'comment' || field === 'lifetimeDays' || field === 'ownerId' || field === 'mailTo')
    return field;
  const ipRange = IP_FIELD.exec(field);
  if (ipRange !== null) return ipRange[1] === undefined ? 'ipRanges' : `ipRanges:${Number(ipRange[1])}`;
  if (field.startsWith('limits.')) return field as FieldName;
  if (field === 'scopes') return draft.others.length === 0 ? 'patterns' : 'permissions';
  const match = SCOPE_FIELD.exec(field);
  if (match === null) return null;
  const hasPackages = packageActionsOf(draft).length > 0;
  const [scope, part, item] = [Number(match[1]), match[2], match[3]];
  if (hasPackages && scope === 0) {
    if (part !== 'resources') return 'permissions';
    return item !== undefined && Number(item) < draft.patterns.length
      ? `pattern:${Number(item)}`
      : 'patterns';
  }
  const other = scope - (hasPackages ? 1 : 0);
  if (other >= draft.others.length) return null;
  if (part !== 'resources') return `other:${other}:action`;
  return item === undefined ? `other:${other}:resources` : `other:${other}:resource:${Number(item)}`;
}
