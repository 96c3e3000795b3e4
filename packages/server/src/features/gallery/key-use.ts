import { AppError } from '../../errors/index.ts';
import type { AuditService } from '../audit/index.ts';
import type { UsageRecorder } from '../keys/index.ts';
import { isLimited, type LimitAnswer, type LimitsService, toLimitError } from '../limits/index.ts';
import { asRefusal } from './gallery.refusals.ts';
import type { KeyCaller } from './push-rights.ts';

/**
 * Takes a use of the quota of the key, if it has one. `check` is what must be found permitted before, since a request
 * that is refused takes none; the transaction of the work asks the same again.
 *
 * @throws limit.quota_exceeded, and whatever `check` throws
 */
export type TakeUse = (check?: () => Promise<unknown>) => Promise<void>;

/**
 * Counts the use of a key by what came of it, and holds the key to its limits. A refusal is part of the audit log as
 * well.
 *
 * @throws limit.rate_limited, and whatever `work` throws
 */
export type CountKeyUse = <Result>(
  by: KeyCaller,
  what: { readonly action: string; readonly route: string },
  work: (takeUse: TakeUse) => Promise<Result>,
) => Promise<Result>;

export function createCountKeyUse({
  audit,
  usage,
  keyLimiter,
}: {
  readonly audit: AuditService;
  readonly usage: UsageRecorder;
  readonly keyLimiter: LimitsService;
}): CountKeyUse {
  return async ({ caller, actor }, { action, route }, work) => {
    const { workspace, ip, userAgent } = caller;
    const record = (outcome: string): void =>
      usage.record({ workspaceId: workspace.id, keyId: actor.key.id, action, outcome, ip, userAgent });
    const require = (answer: LimitAnswer): void => {
      const over = toLimitError(answer);
      if (over !== null) throw over;
    };
    try {
      if (isLimited(actor)) require(await keyLimiter.count(actor, false));
      const result = await work(async (check) => {
        if (!isLimited(actor)) return;
        await check?.();
        require(await keyLimiter.take(actor));
      });
      record('valid');
      return result;
    } catch (error) {
      const refusal = asRefusal(error);
      record(outcomeOf(error, refusal));
      if (refusal !== null) audit.countRefusal(caller, refusal, route);
      throw error;
    }
  };
}

function outcomeOf(error: unknown, refusal: AppError | null): string {
  const [area, reason = ''] = error instanceof AppError ? error.code.split('.') : [];
  if (area === 'limit') return reason;
  // Whatever else may be wrong with a package, the key was let in.
  return refusal === null ? 'valid' : 'insufficient_scope';
}
