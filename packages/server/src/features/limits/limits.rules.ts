import { type FieldFault, requestErrors } from '../../errors/index.ts';
import type { KeyLimits, Quota, RateLimit, RefillPeriod } from '../../lib/key-limits.ts';

export const RATE_REQUESTS_MAX = 1_000_000;
export const RATE_WINDOW_SECONDS_MAX = 86_400;
export const QUOTA_USES_MAX = 1_000_000_000;

/** As it comes: what is left out is null. */
export interface KeyLimitsInput {
  readonly rate?: RateLimit | null | undefined;
  readonly quota?:
    | {
        readonly uses: number;
        readonly refill?:
          | { readonly every: RefillPeriod; readonly uses?: number | null | undefined }
          | null
          | undefined;
      }
    | null
    | undefined;
}

function findBoundFault(field: string, value: number, max: number, hint: string): FieldFault[] {
  return value >= 1 && value <= max
    ? []
    : [{ field, message: `is ${value}; it must be from 1 to ${max}. ${hint}` }];
}

/**
 * The limits as they are stored; null when nothing is limited.
 *
 * @param field where they stand in the request, for the message
 * @throws request.invalid naming each number that is out of bounds
 */
export function checkLimits(input: KeyLimitsInput | null, field: string): KeyLimits | null {
  const rate = input?.rate ?? null;
  const quota: Quota | null =
    input?.quota == null
      ? null
      : {
          uses: input.quota.uses,
          refill:
            input.quota.refill == null
              ? null
              : { every: input.quota.refill.every, uses: input.quota.refill.uses ?? null },
        };
  const lift = 'Leave it out for no limit.';
  const faults = [
    ...(rate === null
      ? []
      : [
          ...findBoundFault(`${field}.rate.requests`, rate.requests, RATE_REQUESTS_MAX, lift),
          ...findBoundFault(
            `${field}.rate.windowSeconds`,
            rate.windowSeconds,
            RATE_WINDOW_SECONDS_MAX,
            'For longer windows set a quota.',
          ),
        ]),
    ...(quota === null
      ? []
      : [
          ...findBoundFault(`${field}.quota.uses`, quota.uses, QUOTA_USES_MAX, lift),
          ...(quota.refill?.uses == null
            ? []
            : findBoundFault(
                `${field}.quota.refill.uses`,
                quota.refill.uses,
                Math.max(1, quota.uses),
                'More than the quota never come back at once.',
              )),
        ]),
  ];
  if (faults.length > 0)
    throw requestErrors.invalid({
      fields: faults,
      detail: faults.map((fault) => `${fault.field} ${fault.message}`).join(' '),
    });
  return rate === null && quota === null ? null : { rate, quota };
}

function isRateLoosened(before: RateLimit | null, after: RateLimit | null): boolean {
  if (before === null) return false;
  // Another window, also a longer one, is another count, and begins at zero.
  return after === null || after.requests > before.requests || after.windowSeconds !== before.windowSeconds;
}

function isQuotaLoosened(before: Quota | null, after: Quota | null): boolean {
  if (before === null) return false;
  if (after === null || after.uses > before.uses) return true;
  // So is another period, or none.
  if (after.refill?.every !== before.refill?.every) return true;
  return (after.refill?.uses ?? after.uses) > (before.refill?.uses ?? before.uses);
}

/** True when a key may in some way be used more often than before. Swapped: less often. */
export function areLimitsLoosened(before: KeyLimits | null, after: KeyLimits | null): boolean {
  return (
    isRateLoosened(before?.rate ?? null, after?.rate ?? null) ||
    isQuotaLoosened(before?.quota ?? null, after?.quota ?? null)
  );
}
