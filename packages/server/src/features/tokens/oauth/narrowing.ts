import type { Permission } from '../../../lib/permission.ts';
import { JsonFault, parseStrictJson } from '../../../lib/strict-json.ts';
import {
  findExcess,
  findPermissionFaults,
  isActionPattern,
  isContainedIn,
  normalizePermissions,
  restrictToActions,
} from '../../scopes/index.ts';
import type { Form } from './form.ts';
import { oauthErrors } from './oauth.errors.ts';

/** More do not fit into a token; the limits also bound what one request may cost. */
const SCOPE_ACTIONS_MAX = 100;
const SCOPE_CHARACTERS_MAX = SCOPE_ACTIONS_MAX * 65;
const DETAILS_CHARACTERS_MAX = 16_384;
/** Each is looked for among all that the key holds. */
const COMBINATIONS_MAX = 500;
const DETAIL_MEMBERS = ['type', 'actions', 'identifiers'];
const SHOWN_CHARACTERS = 80;

/** What a request asks for of what the credential holds; null where it asks for no less. */
export interface AskedRights {
  readonly actions: readonly string[] | null;
  readonly details: readonly Permission[] | null;
}

/**
 * Reads `scope`: actions separated by single spaces (RFC 6749 3.3). Its length is looked at before anything else.
 *
 * @throws oauth.invalid_scope
 */
function parseScope(text: string): readonly string[] {
  const refuse = (detail: string) => oauthErrors.invalid_scope({ detail });
  if (text.length > SCOPE_CHARACTERS_MAX)
    throw refuse(`scope has ${text.length} characters; at most ${SCOPE_CHARACTERS_MAX} are allowed.`);
  const actions = text.split(' ');
  if (actions.length > SCOPE_ACTIONS_MAX)
    throw refuse(`scope names ${actions.length} actions; at most ${SCOPE_ACTIONS_MAX} are allowed.`);
  const odd = actions.find((action) => !isActionPattern(action));
  if (odd !== undefined)
    throw refuse(
      /^$|\s/.test(odd)
        ? 'scope must be actions separated by single spaces, without other white space.'
        : `scope names ${odd.slice(0, SHOWN_CHARACTERS)}, which does not look like service:verb, service:resource:verb or service:*.`,
    );
  return [...new Set(actions)];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

/**
 * Reads `authorization_details` (RFC 9396): a JSON array of objects of our type, which have exactly our members. A
 * member that we do not know could be meant as a limit, so it is not ignored.
 *
 * @throws oauth.invalid_authorization_details naming the member
 */
function parseDetails(text: string): readonly Permission[] {
  const refuse = (detail: string) => oauthErrors.invalid_authorization_details({ detail });
  if (text.length > DETAILS_CHARACTERS_MAX)
    throw refuse(
      `authorization_details has ${text.length} characters; at most ${DETAILS_CHARACTERS_MAX} are allowed.`,
    );
  let value: unknown;
  try {
    value = parseStrictJson(text);
  } catch (error) {
    // Stryker disable next-line ConditionalExpression: nothing else is thrown there today
    if (!(error instanceof JsonFault)) throw error;
    throw refuse(`authorization_details cannot be read. ${error.message.replace('The body', 'The text')}`);
  }
  if (!Array.isArray(value) || value.length === 0)
    throw refuse('authorization_details must be a JSON array with at least one object.');
  const permissions = value.map((one: unknown, index): Permission => {
    const field = `authorization_details[${index}]`;
    if (!isRecord(one)) throw refuse(`${field} must be an object.`);
    const { type, actions, identifiers } = one;
    if (type !== 'keyreeve') throw refuse(`${field}.type must be keyreeve, the only type of this server.`);
    const unknown = Object.keys(one).find((name) => !DETAIL_MEMBERS.includes(name));
    if (unknown !== undefined)
      throw refuse(`${field} has the unknown member ${unknown.slice(0, SHOWN_CHARACTERS)}; remove it.`);
    if (!isTexts(actions)) throw refuse(`${field}.actions must be an array of texts.`);
    if (!isTexts(identifiers)) throw refuse(`${field}.identifiers must be an array of texts.`);
    return { actions, resources: identifiers };
  });
  const [fault] = findPermissionFaults(permissions, 'authorization_details');
  if (fault !== undefined)
    throw refuse(`${fault.field.replace('.resources', '.identifiers')} ${fault.message}.`);
  const combinations = permissions.reduce((sum, one) => sum + one.actions.length * one.resources.length, 0);
  if (combinations > COMBINATIONS_MAX)
    throw refuse(
      `authorization_details combines ${combinations} actions with identifiers; at most ${COMBINATIONS_MAX} are allowed.`,
    );
  return normalizePermissions(permissions);
}

/**
 * RFC 8707 calls it `resource`, RFC 8693 also `audience`; here both mean the one service that a token is for.
 *
 * @throws oauth.invalid_target
 */
export function readResource(form: Form): string | undefined {
  const [resource, audience] = [form.get('resource'), form.get('audience')];
  if (resource !== undefined && audience !== undefined && resource !== audience)
    throw oauthErrors.invalid_target({
      detail: 'resource and audience name different services; a token is for one. Send one of them.',
    });
  return resource ?? audience;
}

/** @throws oauth.invalid_scope, oauth.invalid_authorization_details */
export function readAskedRights(form: Form): AskedRights {
  const [scope, details] = [form.get('scope'), form.get('authorization_details')];
  return {
    actions: scope === undefined ? null : parseScope(scope),
    details: details === undefined ? null : parseDetails(details),
  };
}

/**
 * The rights that were asked for, or undefined when no less than `held` was. `scope` narrows by action,
 * `authorization_details` by resource; together they mean what lies within both. Never more than `held`.
 *
 * @throws oauth.invalid_scope, oauth.invalid_authorization_details naming what is not held
 */
export function narrowRights(
  held: readonly Permission[],
  asked: AskedRights,
): readonly Permission[] | undefined {
  const { actions, details } = asked;
  if (actions === null && details === null) return undefined;
  const heldActions = new Set(held.flatMap((permission) => permission.actions));
  const lacking = actions?.find((action) => !isContainedIn(heldActions, action));
  if (lacking !== undefined)
    throw oauthErrors.invalid_scope({
      detail: `The action ${lacking} is not held. Ask only for actions that the key holds and its account is granted.`,
    });
  const excess = details === null ? null : findExcess(held, details);
  if (excess !== null)
    throw oauthErrors.invalid_authorization_details({
      detail: `The action ${excess.action} on ${excess.resource} is not held. Ask only for what the key holds and its account is granted.`,
    });
  const wanted = details ?? held;
  const rights = actions === null ? wanted : restrictToActions(wanted, actions);
  if (rights.length === 0)
    throw oauthErrors.invalid_scope({
      detail:
        'scope and authorization_details have nothing in common. Name the same actions in both, or leave one out.',
    });
  return rights;
}
