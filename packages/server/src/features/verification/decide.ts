import type { AccountIdentity, KeyIdentity } from '../../http/index.ts';
import type { Permission } from '../../lib/permission.ts';
import type { KeyOutcome } from '../keys/index.ts';
import { grantsOf, isKeyPermitted, isPermitted } from '../scopes/index.ts';

/** What is asked about a key besides whether it is one: may it do this, to this? */
export interface Question {
  readonly action: string | null;
  /** Null: on everything, that is, on a resource named `*`, which only the pattern `*` matches. */
  readonly resource: string | null;
}

export type DecisionCode =
  | KeyOutcome['code']
  | 'insufficient_scope'
  // Not of this decision: the service counts once it is made.
  | 'rate_limited'
  | 'quota_exceeded';

export interface Decision {
  readonly code: DecisionCode;
  /** The scope or grant that permitted the action; null when nothing was asked or nothing permits it. */
  readonly matched: Permission | null;
}

// Stryker disable next-line StringLiteral: a pattern that matches one of `*` and the empty name matches both
const EVERYTHING = '*';

/** What of the key's side permitted it: a scope, or for keys without scopes a grant of the account. */
function findMatch(
  account: AccountIdentity,
  key: KeyIdentity,
  action: string,
  resource: string,
): Permission | null {
  const permissions = key.access === 'scoped' ? key.scopes : grantsOf(account);
  return permissions.find((permission) => isPermitted([permission], action, resource)) ?? null;
}

/** May this account by this key do what is asked? The key itself was found good before. */
export function decidePermission(account: AccountIdentity, key: KeyIdentity, question: Question): Decision {
  const { action, resource } = question;
  if (action === null) return { code: 'valid', matched: null };
  const name = resource ?? EVERYTHING;
  if (!isKeyPermitted(account, key, action, name)) return { code: 'insufficient_scope', matched: null };
  return { code: 'valid', matched: findMatch(account, key, action, name) };
}

/** The whole decision, from what is known of the key. Pure: the same answer for the same facts, always. */
export function decide(outcome: KeyOutcome, question: Question): Decision {
  return outcome.code === 'valid'
    ? decidePermission(outcome.account, outcome.key, question)
    : { code: outcome.code, matched: null };
}
