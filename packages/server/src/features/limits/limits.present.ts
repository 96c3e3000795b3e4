import type { Static } from 'typebox';
import { toIsoOrNull } from '../../lib/clock.ts';
import type { KeyLimits, Quota } from '../../lib/key-limits.ts';
import type { KeyAllowanceSchema, KeyLimitsSchema, LimitAnswerSchema } from './limits.schema.ts';
import type { KeyAllowance, LimitAnswer } from './limits.service.ts';

function presentRefill(refill: Quota['refill']) {
  return refill === null ? null : { every: refill.every, uses: refill.uses };
}

export function presentLimits(limits: KeyLimits | null): Static<typeof KeyLimitsSchema> | null {
  if (limits === null) return null;
  const { rate, quota } = limits;
  return {
    rate: rate === null ? null : { requests: rate.requests, windowSeconds: rate.windowSeconds },
    quota: quota === null ? null : { uses: quota.uses, refill: presentRefill(quota.refill) },
  };
}

export function presentAllowance({ rates, quotas }: KeyAllowance): Static<typeof KeyAllowanceSchema> {
  return {
    rates: rates.map(({ source, rate: { requests, windowSeconds } }) => ({
      source,
      requests,
      windowSeconds,
    })),
    quotas: quotas.map(({ source, quota, remaining, refillsAt }) => ({
      source,
      uses: quota.uses,
      refill: presentRefill(quota.refill),
      remaining,
      refillsAt: toIsoOrNull(refillsAt),
    })),
  };
}

export function presentLimitAnswer({
  retryAfterSeconds,
  states,
}: LimitAnswer): Static<typeof LimitAnswerSchema> {
  return {
    retryAfterSeconds,
    states: states.map(({ name, limit, windowSeconds, remaining, resetSeconds }) => ({
      name,
      limit,
      windowSeconds,
      remaining,
      resetSeconds,
    })),
  };
}
