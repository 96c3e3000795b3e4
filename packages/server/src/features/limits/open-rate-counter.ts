import cluster from 'node:cluster';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { Config } from '../../config/index.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Secret } from '../../lib/secret.ts';
import { MemoryRateCounter, type RateCounter } from './rate-counter.ts';
import { createSharedRateCounter, type SharedRateCounter } from './shared-rate-counter.ts';
import { createWorkerRateCounter } from './worker-rate-counter.ts';

const PING_MS_MAX = 2_000;

type Logger = Parameters<typeof createSharedRateCounter>[0]['logger'];

/**
 * Where the requests of keys are counted: in Redis for all nodes where one is set, otherwise in the process that
 * starts the workers, and where there are no workers in this one. Opening never waits for any of them.
 */
export async function openRateCounter(deps: {
  readonly config: Pick<Config, 'redisUrl'>;
  readonly clock: Clock;
  readonly logger: Logger;
}): Promise<RateCounter | SharedRateCounter> {
  const { config, clock, logger } = deps;
  if (config.redisUrl !== null) {
    // Whoever does without it need not load it.
    const { createRedisRateCounter } = await import('./redis-rate-counter.ts');
    const shared = createRedisRateCounter(config.redisUrl);
    return createSharedRateCounter({ shared, clock, logger, name: 'redis' });
  }
  if (!cluster.isWorker) return new MemoryRateCounter(clock);
  const shared = createWorkerRateCounter({
    send: (message) => process.send?.(message),
    onMessage: (listener) => process.on('message', listener),
  });
  return createSharedRateCounter({ shared, clock, logger, name: 'workers' });
}

/** Whether it answers within two seconds. @throws Error */
export async function pingRedis(url: Secret): Promise<void> {
  const { askRedis } = await import('./redis-rate-counter.ts');
  await Promise.race([
    askRedis(url),
    delay(PING_MS_MAX, undefined, { ref: false }).then(() => {
      throw new Error(`it does not answer within ${PING_MS_MAX} ms`);
    }),
  ]);
}

/** For operators: whether limits hold for all processes together, and how many requests were counted without them. */
export function registerRateCounterMetrics(
  registry: Registry,
  counter: RateCounter | SharedRateCounter,
): void {
  if (!('state' in counter)) return;
  registry.registerMetric(
    new Gauge({
      name: 'keyreeve_rate_counter_up',
      help: 'Whether rate limits are counted for all processes together (1), or by each for itself (0).',
      registers: [],
      collect() {
        this.set(counter.state().isUp ? 1 : 0);
      },
    }),
  );
  registry.registerMetric(
    new Counter({
      name: 'keyreeve_rate_counted_alone_total',
      help: 'Requests of limited keys that this process has counted for itself, since the shared counter did not answer.',
      registers: [],
      collect() {
        this.reset();
        this.inc(counter.state().countedAlone);
      },
    }),
  );
}
