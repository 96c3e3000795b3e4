import type { BodyOf, Key } from '@keyreeve/sdk';
import { InvalidArgumentError } from 'commander';
import { usageError } from './failures.ts';
import { formatTime } from './text.ts';

type Limits = NonNullable<BodyOf<'createKey'>['limits']>;
type Rate = NonNullable<Limits['rate']>;
type Quota = NonNullable<Limits['quota']>;

const UNIT_SECONDS = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;
const RATE = /^(\d{1,15})\/(\d{0,15})([smhd])$/;
const QUOTA = /^(\d{1,15})(?:\/(?:(\d{1,15})\/)?(hour|day|month))?$/;

/** A parser for commander: `100/60s`, `100/m`: so many requests in so many seconds, minutes, hours or a day. */
export function rate(text: string): Rate {
  const [, requests, count, unit] = RATE.exec(text) ?? [];
  if (requests === undefined || unit === undefined)
    throw new InvalidArgumentError('Write it as REQUESTS/WINDOW, for instance 100/60s, 100/m or 5000/1h.');
  const seconds = UNIT_SECONDS[unit as keyof typeof UNIT_SECONDS];
  return { requests: Number(requests), windowSeconds: seconds * Number(count === '' ? 1 : count) };
}

/** A parser for commander: `1000`, `1000/day` (refilled whole) or `1000/50/day` (50 of them come back each day). */
export function quota(text: string): Quota {
  const [, uses, back, every] = QUOTA.exec(text) ?? [];
  if (uses === undefined)
    throw new InvalidArgumentError(
      'Write it as USES, USES/PERIOD or USES/REFILL/PERIOD with hour, day or month, for instance 1000/month.',
    );
  if (every === undefined) return { uses: Number(uses) };
  const refill = { every: every as 'hour' | 'day' | 'month' };
  return { uses: Number(uses), refill: back === undefined ? refill : { ...refill, uses: Number(back) } };
}

/**
 * The limits that were asked for, as one: undefined for what is not to be changed, null for what is to be lifted.
 *
 * @param name of the option that lifts, for the message
 */
export function limitsOf(
  options: { readonly rate?: Rate | undefined; readonly quota?: Quota | undefined },
  isUnlimited: boolean | undefined,
  name: string,
): Limits | null | undefined {
  const isLimited = options.rate !== undefined || options.quota !== undefined;
  if (isLimited && isUnlimited === true) throw usageError(`A limit and --${name} exclude each other.`);
  if (isUnlimited === true) return null;
  return isLimited ? { rate: options.rate ?? null, quota: options.quota ?? null } : undefined;
}

function formatRate({ requests, windowSeconds }: Rate): string {
  return `${requests} requests in ${windowSeconds} s`;
}

function formatQuota({ uses, refill }: Quota): string {
  if (refill == null) return `${uses} uses`;
  const back = refill.uses == null ? '' : `, ${refill.uses} back`;
  return `${uses} uses${back} each ${refill.every}`;
}

export function formatLimits(limits: Limits | null): string | null {
  if (limits === null) return null;
  const { rate: perWindow, quota: all } = limits;
  return [
    ...(perWindow == null ? [] : [formatRate(perWindow)]),
    ...(all == null ? [] : [formatQuota(all)]),
  ].join('; ');
}

/** All that holds a key, whose limit it is, and what is left of its quotas. */
export function formatAllowance(allowance: Key['allowance']): string | null {
  if (allowance === null) return null;
  const ofAccount = (source: 'key' | 'account') => (source === 'account' ? ' (account)' : '');
  return [
    ...allowance.rates.map((one) => `${formatRate(one)}${ofAccount(one.source)}`),
    ...allowance.quotas.map(({ source, remaining, refillsAt, ...one }) => {
      const refill = refillsAt === null ? '' : `, more at ${formatTime(refillsAt)}`;
      return `${formatQuota(one)}${ofAccount(source)}: ${remaining} left${refill}`;
    }),
  ].join('; ');
}
