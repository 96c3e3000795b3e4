/** What every answer carries. A route may replace `cache-control` and `content-security-policy`. */
export const SECURITY_HEADERS = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
} as const;

/** Where browsers may take the origin for trustworthy; they ignore it elsewhere, and complain to everybody who looks. */
export const TRUSTWORTHY_HEADERS = { 'cross-origin-opener-policy': 'same-origin' } as const;

export const HTTPS_HEADERS = {
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
} as const;
