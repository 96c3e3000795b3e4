import type { KeyLimits, KeyLimitsInput } from '@keyreeve/sdk';

export type Refill = 'never' | 'hour' | 'day' | 'month';

/** Limits as they are typed; an empty text is no limit. */
export interface LimitsDraft {
  readonly requests: string;
  readonly windowSeconds: number;
  readonly uses: string;
  readonly refill: Refill;
  /** Empty: all of them. */
  readonly refillUses: string;
}

export type LimitsField = 'requests' | 'uses' | 'refillUses';

/** The bounds of the server, for saying so before anything is sent. */
export const REQUESTS_MAX = 1_000_000;
export const USES_MAX = 1_000_000_000;
export const WINDOWS_SECONDS = [1, 10, 60, 3_600, 86_400];

export const NO_LIMITS: LimitsDraft = {
  requests: '',
  windowSeconds: 60,
  uses: '',
  refill: 'never',
  refillUses: '',
};

export function limitsDraftOf(limits: KeyLimits | null): LimitsDraft {
  const { rate = null, quota = null } = limits ?? {};
  return {
    requests: String(rate?.requests ?? ''),
    windowSeconds: rate?.windowSeconds ?? NO_LIMITS.windowSeconds,
    uses: String(quota?.uses ?? ''),
    refill: quota?.refill?.every ?? 'never',
    refillUses: String(quota?.refill?.uses ?? ''),
  };
}

function isNumber(text: string, max: number): boolean {
  return /^\d{1,10}$/.test(text.trim()) && Number(text) >= 1 && Number(text) <= max;
}

/** What is no number within its bounds, and how large it may be. */
export function findLimitsFaults(draft: LimitsDraft): ReadonlyMap<LimitsField, number> {
  const faults = new Map<LimitsField, number>();
  const { requests, uses, refill, refillUses } = draft;
  if (requests.trim() !== '' && !isNumber(requests, REQUESTS_MAX)) faults.set('requests', REQUESTS_MAX);
  if (uses.trim() === '') return faults;
  if (!isNumber(uses, USES_MAX)) return faults.set('uses', USES_MAX);
  if (refill !== 'never' && refillUses.trim() !== '' && !isNumber(refillUses, Number(uses)))
    faults.set('refillUses', Number(uses));
  return faults;
}

/** Null without any limit. What is no number is sent as 0, which the server refuses by name. */
export function toLimits(draft: LimitsDraft): KeyLimitsInput | null {
  const { requests, windowSeconds, uses, refill, refillUses } = draft;
  const numberOf = (text: string): number => (/^\d+$/.test(text.trim()) ? Number(text) : 0);
  const rate = requests.trim() === '' ? null : { requests: numberOf(requests), windowSeconds };
  const quota =
    uses.trim() === ''
      ? null
      : {
          uses: numberOf(uses),
          refill:
            refill === 'never'
              ? null
              : { every: refill, uses: refillUses.trim() === '' ? null : numberOf(refillUses) },
        };
  return rate === null && quota === null ? null : { rate, quota };
}
