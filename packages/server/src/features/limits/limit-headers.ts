import type { AppError } from '../../errors/index.ts';
import { limitErrors } from './limits.errors.ts';
import type { LimitAnswer, LimitState } from './limits.service.ts';

function toPolicy({ name, limit, windowSeconds }: LimitState): string {
  return `"${name}";q=${limit}${windowSeconds === null ? '' : `;w=${windowSeconds}`}`;
}

function toState({ name, remaining, resetSeconds }: LimitState): string {
  return `"${name}";r=${remaining}${resetSeconds === null ? '' : `;t=${resetSeconds}`}`;
}

/**
 * Clients do as `Retry-After` says, however long it is: they hang for weeks, or their timer overflows and they come back
 * at once. Beyond this they get none, and give up as after any refusal; `RateLimit` still tells the time.
 */
const RETRY_AFTER_SECONDS_MAX = 3_600;

/**
 * `RateLimit-Policy` and `RateLimit` as lists of structured fields (draft-ietf-httpapi-ratelimit-headers-10, sections
 * 3 and 4), and `Retry-After` in seconds (RFC 9110 10.2.3) with a refusal that is over within an hour. Empty for keys
 * without limits.
 */
export function limitHeaders({ code, states, retryAfterSeconds }: LimitAnswer): Record<string, string> {
  if (states.length === 0) return {};
  const isSoon = retryAfterSeconds !== null && retryAfterSeconds <= RETRY_AFTER_SECONDS_MAX;
  return {
    'ratelimit-policy': states.map(toPolicy).join(', '),
    ratelimit: states.map(toState).join(', '),
    ...(code !== 'within' && isSoon ? { 'retry-after': String(retryAfterSeconds) } : {}),
  };
}

/** Each answer about a limited key is one counted request: whoever keeps it would let others in that are not counted. */
export function cacheHeaders({ states }: LimitAnswer): Record<string, string> {
  return states.length === 0 ? {} : { 'keyreeve-cache': 'none' };
}

function describeState({ name, limit, windowSeconds }: LimitState): string {
  const of = name.startsWith('account-') ? ' for every key of its account' : '';
  return name.endsWith('-rate')
    ? `The key may make ${limit} requests in ${windowSeconds ?? 0} s${of}.`
    : `The quota of ${limit} uses${of} is used up.`;
}

/** The code and the refusal of a use that is over a limit; null when it is within all of them, or none was counted. */
export function findOver(
  held: LimitAnswer | null,
): { readonly code: LimitAnswer['code']; readonly error: AppError } | null {
  const error = held === null ? null : toLimitError(held);
  return held === null || error === null ? null : { code: held.code, error };
}

/** The refusal of a key that is over a limit; null while it is within all of them. */
export function toLimitError(answer: LimitAnswer): AppError | null {
  if (answer.code === 'within') return null;
  const { spent, retryAfterSeconds } = answer;
  const what = spent === null ? '' : `${describeState(spent)} `;
  const when =
    retryAfterSeconds === null
      ? 'It is never refilled: have the quota raised, or use another key.'
      : `Try again in ${retryAfterSeconds} s, or have the limit raised.`;
  const options = { detail: what + when, headers: limitHeaders(answer) };
  return answer.code === 'rate_limited'
    ? limitErrors.rate_limited(options)
    : limitErrors.quota_exceeded(options);
}
