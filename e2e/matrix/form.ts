import type { Credential } from './credential.ts';
import type { Target } from './oracle.ts';
import { NOTHING, type Row } from './row.ts';

/** `PROOF_FULL=1`: each credential is tried at each thing. */
const IS_WHOLE = process.env['PROOF_FULL'] === '1';

/**
 * The things that a credential is tried at. In the short form they are one for each answer that the oracle gives, at
 * home, in the other workspace and nowhere, so that no rule goes untried; which of several it is goes by turns from
 * credential to credential, so that each thing is tried as well.
 */
export function chooseTargets(row: Row, who: Credential, turn: number): readonly Target[] {
  const targets = row.targets ?? [NOTHING];
  if (IS_WHOLE) return targets;
  const alike = Map.groupBy(targets, (target) => `${row.expect(who, target)} ${target.place}`);
  return [...alike.values()].flatMap((group) => group[turn % group.length] ?? []);
}
