import { defineErrors } from '../../errors/index.ts';

export const limitErrors = defineErrors('limit', {
  rate_limited: {
    status: 429,
    title: 'The key is used too often',
    remedy:
      'Wait for the time in `Retry-After`, then go on more slowly; refused requests count too. Or have the limit of the key or of its account raised.',
  },
  quota_exceeded: {
    status: 429,
    title: 'The quota of the key is used up',
    remedy:
      'Wait until it is refilled, at the time in `Retry-After`; without that header it is not refilled within an hour, or never. Or have the quota of the key or of its account raised.',
  },
});
