import { RateLimiterRedis } from 'rate-limiter-flexible';
import { createClient } from 'redis';
import type { Secret } from '../../lib/secret.ts';
import type { RateCounter } from './rate-counter.ts';

const CONNECT_TIMEOUT_MS = 1_000;
const RECONNECT_MS = 500;
/** Commands that wait for an answer: beyond, a store that hangs would only fill the memory. */
const QUEUE_LENGTH_MAX = 10_000;
const KEY_PREFIX = 'keyreeve:rate';

function openClient(url: Secret, reconnectStrategy: number | false) {
  const client = createClient({
    url: url.reveal(),
    disableOfflineQueue: true,
    commandsQueueMaxLength: QUEUE_LENGTH_MAX,
    socket: { connectTimeout: CONNECT_TIMEOUT_MS, reconnectStrategy },
  });
  // Whoever asks gets the error as well; without a listener it would end the process.
  client.on('error', () => {});
  return client;
}

function createLimiter(client: ReturnType<typeof openClient>): RateLimiterRedis {
  return new RateLimiterRedis({
    storeClient: client,
    useRedisPackage: true,
    rejectIfRedisNotReady: true,
    keyPrefix: KEY_PREFIX,
    // The caller compares the count with his limit, which may change between two requests.
    points: Number.MAX_SAFE_INTEGER,
    duration: 1,
  });
}

/**
 * Resolves when it counts for these credentials, which may do less than connect. For an examination: a count of its own
 * is gone after a second, and nothing stays open.
 */
export async function askRedis(url: Secret): Promise<void> {
  const client = openClient(url, false);
  try {
    await client.connect();
    await createLimiter(client).consume('examination');
  } finally {
    client.destroy();
  }
}

/**
 * Counts in Valkey or Redis, for all nodes together: one script there adds the request and starts the window. It
 * connects on its own, and again after each loss; until it has, and whenever it fails, counting rejects at once.
 */
export function createRedisRateCounter(url: Secret): RateCounter {
  const client = openClient(url, RECONNECT_MS);
  let fault: unknown;
  client.on('error', (error: unknown) => {
    fault = error;
  });
  void client.connect().catch(() => {});
  const limiter = createLimiter(client);
  return {
    count: async (name, windowMs) => {
      // Of a connection that there is not, the limiter says no more than that.
      if (!client.isReady) throw new Error('not connected', { cause: fault });
      const counted = await limiter.consume(name, 1, { customDuration: Math.ceil(windowMs / 1_000) });
      return { count: counted.consumedPoints, resetMs: Math.max(0, counted.msBeforeNext) };
    },
    close: async () => {
      client.destroy();
    },
  };
}
