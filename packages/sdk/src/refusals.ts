/** Codes, statuses and titles are those of the server (a test compares them), so that clients need to know one set. */
export const REFUSALS = {
  required: {
    status: 401,
    code: 'auth.required',
    title: 'Authentication required',
    detail:
      'Send a key: `Authorization: Bearer <full key or token>`, Basic with the API key as user and the secret key as password, or `X-API-Key: <full key>`.',
  },
  invalid_credential: {
    status: 401,
    code: 'auth.invalid_credential',
    title: 'The credential is not valid',
    detail:
      'Check that the whole key was copied, and that it was not deleted, disabled, regenerated or expired.',
  },
  key_expired: {
    status: 401,
    code: 'auth.key_expired',
    title: 'The key has expired',
    detail: 'Regenerate the key; its id, comment and scopes stay the same.',
  },
  key_disabled: {
    status: 401,
    code: 'auth.key_disabled',
    title: 'The key is disabled',
    detail: 'Ask the person who disabled it, or an administrator, to enable it again.',
  },
  account_disabled: {
    status: 401,
    code: 'auth.account_disabled',
    title: 'The account of this key is disabled',
    detail: 'Ask an administrator to enable the account.',
  },
  ip_not_allowed: {
    status: 401,
    code: 'auth.ip_not_allowed',
    title: 'The key may not be used from this address',
    detail: 'Use the key from one of the addresses in its IP allow list, or have the list changed.',
  },
  ambiguous_credentials: {
    status: 400,
    code: 'auth.ambiguous_credentials',
    title: 'Two different credentials were sent',
    detail: 'Send one credential in one header.',
  },
  insufficient_scope: {
    status: 403,
    code: 'auth.insufficient_scope',
    title: 'The credential does not permit this',
    detail: 'Use a key whose scopes, and an account whose grants, contain the action.',
  },
  rate_limited: {
    status: 429,
    code: 'limit.rate_limited',
    title: 'The key is used too often',
    detail: 'Wait for the time in `Retry-After`, then go on more slowly; refused requests count too.',
  },
  quota_exceeded: {
    status: 429,
    code: 'limit.quota_exceeded',
    title: 'The quota of the key is used up',
    detail:
      'Wait until it is refilled, at the time in `Retry-After`; without that header it is not refilled within an hour, or never.',
  },
  unavailable: {
    status: 503,
    code: 'request.unavailable',
    title: 'Temporarily unavailable',
    detail: 'The credential could not be checked. Try again after the time in `Retry-After`.',
  },
} as const;

export type RefusalName = keyof typeof REFUSALS;

/** An answer that is ready to be sent: what every framework can send. */
export interface Refusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** RFC 9457. Says nothing that its reader does not know, and no credential. */
  readonly body: string;
}

export interface RefusalDetails {
  /** Address of the server, which has a page for each code. */
  readonly baseUrl: string;
  /** Scripts of a browser get no Basic challenge: it would open a window of its own over the page. */
  readonly isBrowser: boolean;
  /** The action that is missing. */
  readonly action?: string | null;
  /** Null when it is not known; of a key that is over a limit, when waiting does not help. */
  readonly retryAfterSeconds?: number | null;
}

const RETRY_AFTER_SECONDS = 5;
const RETRY_AFTER_SECONDS_MAX = 3_600;

function secondsToWait(status: number, told: number | null): number | null {
  // As the server does: whoever waits for weeks looks as if he hung.
  if (status === 429) return told !== null && told <= RETRY_AFTER_SECONDS_MAX ? told : null;
  if (status !== 503) return null;
  return Math.min(Math.max(told ?? RETRY_AFTER_SECONDS, 1), RETRY_AFTER_SECONDS_MAX);
}

export function buildRefusal(name: RefusalName, details: RefusalDetails): Refusal {
  const { status, code, title, detail } = REFUSALS[name];
  const { baseUrl, isBrowser, action = null, retryAfterSeconds = null } = details;
  const seconds = secondsToWait(status, retryAfterSeconds);
  const basic = isBrowser ? '' : ', Basic realm="keyreeve", charset="UTF-8"';
  return {
    status,
    headers: {
      'content-type': 'application/problem+json; charset=utf-8',
      'cache-control': 'no-store',
      // RFC 9110 11.6.1: every 401 says how to authenticate.
      ...(status === 401 ? { 'www-authenticate': `Bearer realm="keyreeve"${basic}` } : {}),
      ...(seconds === null ? {} : { 'retry-after': String(seconds) }),
    },
    body: JSON.stringify({
      type: `${baseUrl}/docs/errors/${code}`,
      title,
      status,
      detail,
      code,
      ...(action === null ? {} : { action }),
    }),
  };
}
