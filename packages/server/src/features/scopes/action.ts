const ACTION_CHARACTERS_MAX = 64;
const PART = /^[a-z][a-z0-9-]*$/;

/** `service:verb` or `service:resource:verb`, lower case. */
export function isAction(text: string): boolean {
  const parts = text.split(':');
  return (
    text.length <= ACTION_CHARACTERS_MAX &&
    (parts.length === 2 || parts.length === 3) &&
    parts.every((part) => PART.test(part))
  );
}

/** What may stand in a grant or a scope: an action, or `service:*`, the only wildcard. */
export function isActionPattern(text: string): boolean {
  return (
    isAction(text) ||
    (text.length <= ACTION_CHARACTERS_MAX && text.endsWith(':*') && PART.test(text.slice(0, -2)))
  );
}

// A right that contains others: push is new ids and new versions.
const IMPLIES: Readonly<Record<string, readonly string[]>> = {
  'package:push': ['package:pushnew', 'package:pushversion'],
};

/** True when a held action (or `service:*`) contains the wanted one (or is itself what is wanted). */
export function coversAction(held: string, wanted: string): boolean {
  if (held === wanted) return true;
  if (held.endsWith(':*')) return wanted.startsWith(held.slice(0, -1));
  return IMPLIES[held]?.includes(wanted) === true;
}

/**
 * Everything that contains the action, itself first: `coversAction` for looking up in long lists, where comparing
 * each with each would take seconds.
 */
export function containersOf(action: string): readonly string[] {
  const everything = `${action.slice(0, action.indexOf(':'))}:*`;
  const implying = Object.entries(IMPLIES).filter(([, implied]) => implied.includes(action));
  return [...new Set([action, everything, ...implying.map(([held]) => held)])];
}
