import type { Static } from 'typebox';
import { toIso } from '../../lib/clock.ts';
import type { KeyRefusalSchema, KeyUsageSchema } from './usage.schema.ts';
import type { Refusal } from './usage-buffer.ts';
import type { UsageHistory } from './usage-history.ts';

export function presentRefusal(refusal: Refusal | null): Static<typeof KeyRefusalSchema> | null {
  if (refusal === null) return null;
  const { at, ip, userAgent, reason, action } = refusal;
  return { at: toIso(at), ip, userAgent, reason, action };
}

export function presentUsage(usage: UsageHistory): Static<typeof KeyUsageSchema> {
  const { by, from, to, hoursKeptFrom, buckets, actions } = usage;
  return {
    by,
    from: toIso(from),
    to: toIso(to),
    hoursKeptFrom: toIso(hoursKeptFrom),
    buckets: buckets.map(({ start, outcomes }) => ({ start: toIso(start), outcomes: [...outcomes] })),
    actions: actions.map(({ action, outcomes }) => ({ action, outcomes: [...outcomes] })),
  };
}
