import type { Static } from 'typebox';
import type { KeyLimits, Quota } from '../../lib/key-limits.ts';
import type { KeyLimitsSchema } from './limits.schema.ts';

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
