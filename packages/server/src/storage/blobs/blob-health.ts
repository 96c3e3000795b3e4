import { Counter, Gauge, type Registry } from 'prom-client';
import type { Clock } from '../../lib/clock.ts';
import type { BlobFaultReason } from './blob-errors.ts';
import type { BlobObserver, BlobStore } from './blob-store.ts';

/** Readiness is asked by anybody, so the store is asked at most this often, whoever asks. */
const PING_EVERY_MS = 5_000;
/** A store in trouble fails each request; one line in this time tells as much as thousands. */
const LOG_EVERY_MS = 10_000;

interface Logger {
  error(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** What happens to the store, for the log, the metrics and readiness. */
export interface BlobHealth {
  readonly observer: BlobObserver;
  /** Asks the store, or tells what it said a moment ago. Never fails. */
  isUp(store: BlobStore): Promise<boolean>;
  registerMetrics(registry: Registry, store: BlobStore): void;
}

export function createBlobHealth({
  clock,
  logger,
}: {
  readonly clock: Clock;
  readonly logger: Logger;
}): BlobHealth {
  let damaged = 0;
  const faults = new Map<BlobFaultReason, number>();
  const loggedAt = new Map<BlobFaultReason, number>();
  let asked: { at: number; answer: Promise<boolean> } | null = null;

  const isUp = (store: BlobStore): Promise<boolean> => {
    const now = clock.now();
    if (asked === null || now - asked.at >= PING_EVERY_MS) {
      const answer = store.ping().then(
        () => true,
        () => false,
      );
      asked = { at: now, answer };
    }
    return asked.answer;
  };

  return {
    observer: {
      onDamaged(sha512Hex) {
        damaged += 1;
        logger.error({ sha512: sha512Hex }, 'a package file is damaged; restore it from a backup');
      },
      onFault(fault) {
        const { reason } = fault;
        faults.set(reason, (faults.get(reason) ?? 0) + 1);
        const now = clock.now();
        if (now - (loggedAt.get(reason) ?? Number.NEGATIVE_INFINITY) < LOG_EVERY_MS) return;
        loggedAt.set(reason, now);
        logger.warn({ reason, err: fault }, 'the store of the package files is in trouble');
      },
    },
    isUp,
    registerMetrics(registry, store) {
      registry.registerMetric(createUpGauge(() => isUp(store)));
      registry.registerMetric(createDamagedCounter(() => damaged));
      registry.registerMetric(createFaultsCounter(faults));
    },
  };
}

function createUpGauge(isUp: () => Promise<boolean>): Gauge {
  return new Gauge({
    name: 'keyreeve_blob_store_up',
    help: 'Whether the store of the package files answers (1) or not (0).',
    registers: [],
    async collect() {
      this.set((await isUp()) ? 1 : 0);
    },
  });
}

function createDamagedCounter(count: () => number): Counter {
  return new Counter({
    name: 'keyreeve_blob_damaged_total',
    help: 'How often a package file was read whose bytes are not those that were stored.',
    registers: [],
    collect() {
      this.reset();
      this.inc(count());
    },
  });
}

function createFaultsCounter(faults: ReadonlyMap<BlobFaultReason, number>): Counter<'reason'> {
  return new Counter({
    name: 'keyreeve_blob_store_faults_total',
    help: 'Calls to the store of the package files that failed for good, by reason.',
    labelNames: ['reason'],
    registers: [],
    collect() {
      this.reset();
      for (const [reason, times] of faults) this.inc({ reason }, times);
    },
  });
}
