/** Requests in a window that begins with the first of them. */
export interface RateLimit {
  readonly requests: number;
  readonly windowSeconds: number;
}

export type RefillPeriod = 'hour' | 'day' | 'month';

/** Uses that are left; refilled at the beginning of each hour, day or month (UTC), or never. */
export interface Quota {
  readonly uses: number;
  readonly refill: {
    readonly every: RefillPeriod;
    /** How many come back; never more than there were. Null: all. */
    readonly uses: number | null;
  } | null;
}

/** How often each key may be used. At least one of the two is set. */
export interface KeyLimits {
  readonly rate: RateLimit | null;
  readonly quota: Quota | null;
}

/** The stored form; null when nothing is limited. */
export function toStoredLimits(limits: KeyLimits | null): string | null {
  if (limits === null) return null;
  const { rate, quota } = limits;
  // The fields one by one: the text is covered by a MAC, so their order must never depend on the caller.
  return JSON.stringify({
    rate: rate && { requests: rate.requests, windowSeconds: rate.windowSeconds },
    quota: quota && {
      uses: quota.uses,
      refill: quota.refill && { every: quota.refill.every, uses: quota.refill.uses },
    },
  });
}

export function fromStoredLimits(text: string | null): KeyLimits | null {
  return text === null ? null : (JSON.parse(text) as KeyLimits);
}
