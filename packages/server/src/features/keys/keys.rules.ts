import { type FieldFault, requestErrors } from '../../errors/index.ts';
import type { AccountIdentity, KeyAccess } from '../../http/index.ts';
import { parseCidr } from '../../lib/ip-list.ts';
import type { Permission } from '../../lib/permission.ts';
import { hasHiddenText } from '../../lib/text.ts';
import { findExcess, findPermissionFaults, grantsOf, normalizePermissions } from '../scopes/index.ts';
import { keyErrors } from './keys.errors.ts';

const COMMENT_CHARACTERS_MAX = 256;
const IP_RANGES_MAX = 50;

function refuse(fields: readonly FieldFault[]): never {
  throw requestErrors.invalid({
    fields,
    detail: fields.map((fault) => `${fault.field} ${fault.message}`).join('; '),
  });
}

/** The trimmed comment. @throws request.invalid when it is blank, too long or hides characters */
export function checkComment(comment: string): string {
  const text = comment.trim();
  if (text === '') refuse([{ field: 'comment', message: 'is blank; say what the key is for' }]);
  if (text.length > COMMENT_CHARACTERS_MAX)
    refuse([{ field: 'comment', message: `is longer than ${COMMENT_CHARACTERS_MAX} characters` }]);
  if (hasHiddenText(text))
    refuse([{ field: 'comment', message: 'contains control or text-direction characters; remove them' }]);
  return text;
}

/** @throws request.invalid naming the entry that is no address or range */
export function checkIpRanges(ranges: readonly string[]): readonly string[] {
  if (ranges.length > IP_RANGES_MAX)
    refuse([
      { field: 'ipRanges', message: `has ${ranges.length} entries; at most ${IP_RANGES_MAX} are allowed` },
    ]);
  const index = ranges.findIndex((range) => parseCidr(range) === null);
  if (index >= 0)
    refuse([
      {
        field: `ipRanges[${index}]`,
        message: 'must be an address or a range like 10.0.0.0/8 or 2001:db8::/32',
      },
    ]);
  return [...new Set(ranges)];
}

/**
 * The scopes of a key, checked against grammar, limits and the grants of its account. The same at creation,
 * edit and regenerate: nothing ever widens by being empty.
 *
 * @throws key.scope_required, key.scopes_not_allowed, key.scope_exceeds_account, request.invalid
 */
export function checkScopes(
  account: AccountIdentity,
  access: KeyAccess,
  scopes: readonly Permission[] | undefined,
): readonly Permission[] {
  if (access !== 'scoped') {
    if (scopes !== undefined && scopes.length > 0) throw keyErrors.scopes_not_allowed();
    return [];
  }
  if (scopes === undefined || scopes.length === 0)
    throw keyErrors.scope_required({
      fields: [{ field: 'scopes', message: 'is empty; nothing widens by being empty' }],
    });
  const index = scopes.findIndex((scope) => scope.actions.length === 0 || scope.resources.length === 0);
  const empty = scopes[index];
  if (empty !== undefined) {
    const field = `scopes[${index}].${empty.actions.length === 0 ? 'actions' : 'resources'}`;
    throw keyErrors.scope_required({
      fields: [{ field, message: 'is empty; nothing widens by being empty' }],
      detail: `${field} is empty. Name at least one; write * as a pattern for everything.`,
    });
  }
  const faults = findPermissionFaults(scopes, 'scopes');
  if (faults.length > 0) refuse(faults);
  checkPushChoices(scopes);
  const normalized = normalizePermissions(scopes);
  const excess = findExcess(grantsOf(account), normalized);
  if (excess !== null)
    throw keyErrors.scope_exceeds_account({
      detail: `The account is not granted ${excess.action} on ${excess.resource}.`,
    });
  return normalized;
}

// The console offers these as one choice; two of them in one scope say nothing that one does not.
const PUSH_CHOICES = ['package:push', 'package:pushnew', 'package:pushversion'];

function checkPushChoices(scopes: readonly Permission[]): void {
  for (const [index, scope] of scopes.entries()) {
    const chosen = scope.actions.filter((action) => PUSH_CHOICES.includes(action));
    if (new Set(chosen).size > 1) {
      refuse([
        {
          field: `scopes[${index}].actions`,
          message: `${chosen.join(' and ')} exclude each other; package:push is both new packages and new versions`,
        },
      ]);
    }
  }
}

function actionsByScope(scopes: readonly Permission[]): string {
  return JSON.stringify(scopes.map((scope) => [...new Set(scope.actions)].toSorted()));
}

/** Patterns are editable, actions are not: a key that was handed out for pushing never starts to unlist. @throws key.field_immutable */
export function requireSameActions(before: readonly Permission[], after: readonly Permission[]): void {
  if (actionsByScope(before) !== actionsByScope(after)) {
    throw keyErrors.field_immutable({
      detail:
        'The actions of a key are fixed. Send the same actions in the same order; only the resources may change.',
      fields: [{ field: 'scopes', message: 'must name the same actions in the same order as now' }],
    });
  }
}

/** True when something that the old scopes allowed is not allowed any more. */
export function isNarrowed(before: readonly Permission[], after: readonly Permission[]): boolean {
  return findExcess(after, before) !== null;
}

/** True when the key may be used from somewhere new: the allow list went, or has an entry that it had not. */
export function isLoosened(before: readonly string[], after: readonly string[]): boolean {
  if (before.length === 0) return false;
  return after.length === 0 || after.some((range) => !before.includes(range));
}
