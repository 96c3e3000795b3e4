import type { UsageRecorder } from './features/keys/index.ts';
import { isLimited, type LimitsService, limitHeaders, toLimitError } from './features/limits/index.ts';
import type { HttpAppOptions } from './http/index.ts';

/** Counts the use of a key or token on a route of ours: for its owner to look at, and for its limits. */
export function createCountUse(deps: {
  readonly usage: UsageRecorder;
  readonly keyLimiter: LimitsService;
}): HttpAppOptions['onUse'] {
  const { usage, keyLimiter } = deps;
  return ({ workspace, principal, ip, userAgent }, { isLetIn, action, isFree }) => {
    if (principal.kind !== 'key' && principal.kind !== 'token') return null;
    const record = (outcome: string): void =>
      usage.record({ workspaceId: workspace.id, keyId: principal.key.id, action, outcome, ip, userAgent });
    const outcome = isLetIn ? 'valid' : 'insufficient_scope';
    if (isFree || !isLimited(principal)) {
      record(outcome);
      return null;
    }
    return keyLimiter.count(principal, isLetIn).then((answer) => {
      record(answer.code === 'within' ? outcome : answer.code);
      return { refusal: toLimitError(answer), headers: limitHeaders(answer) };
    });
  };
}
