import { pingRedis } from '../../features/limits/index.ts';
import { type Check, messageOf, warning } from './check.ts';

/** A warning, not a fault: requests are served without it, with laxer limits. */
export const rateLimitsCheck: Check = {
  name: 'rate limits',
  run: async ({ config }) => {
    if (config.redisUrl === null)
      return 'KEYREEVE_REDIS_URL is not set; each node counts the rate limits of keys for itself';
    const { hostname } = new URL(config.redisUrl.reveal());
    try {
      await pingRedis(config.redisUrl);
      return [];
    } catch (error) {
      return [
        warning(
          'redis.unreachable',
          `Redis at ${hostname} cannot be used: ${messageOf(error)}. Each process counts the rate limits of keys for itself.`,
          'Check host, port, user and password in KEYREEVE_REDIS_URL, and the firewall.',
        ),
      ];
    }
  },
};
