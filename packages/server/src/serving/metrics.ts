import {
  AggregatorRegistry,
  Counter,
  Gauge,
  type MetricObjectWithValues,
  type MetricValue,
  Registry,
} from 'prom-client';

/** One metric with its values, as one process tells it to another. */
export type MetricObject = MetricObjectWithValues<MetricValue<string>>;

export interface WorkerCounts {
  readonly serving: number;
  readonly retiring: number;
  readonly silent: number;
}

/** The metrics of all workers as one text. What a worker has counted stays counted after its end. */
export interface AllMetrics {
  countCrash(): void;
  /** Takes over what a worker that has ended had counted when it was last heard of. */
  keepCounters(metrics: readonly MetricObject[]): void;
  /**
   * @param heard of the workers that answered
   * @param lastHeard of those that did not: their counters go on as they were, so that no sum goes down
   */
  render(
    heard: readonly (readonly MetricObject[])[],
    lastHeard: readonly (readonly MetricObject[])[],
    counts: WorkerCounts,
  ): Promise<string>;
}

/** @see AllMetrics */
export function createAllMetrics(): AllMetrics {
  const own = new Registry();
  const workers = new Gauge({
    name: 'keyreeve_workers',
    help: 'Worker processes: serving, retiring (replaced, with connections left), silent (no answer to this question).',
    labelNames: ['state'],
    registers: [own],
  });
  const crashes = new Counter({
    name: 'keyreeve_worker_crashes_total',
    help: 'Worker processes that ended without having been told to.',
    registers: [own],
  });
  // One after the other: two workers that end at once would each be added to what was before both.
  let ended: Promise<readonly MetricObject[]> = Promise.resolve([]);
  const add = async (before: readonly MetricObject[], metrics: readonly MetricObject[]) =>
    await AggregatorRegistry.aggregate([[...before], countersOf(metrics)]).getMetricsAsJSON();
  return {
    countCrash: () => crashes.inc(),
    keepCounters: (metrics) => {
      // What a worker of another release tells may not go with the rest.
      ended = ended.then(async (before) => await add(before, metrics).catch(() => before));
    },
    render: async (heard, lastHeard, counts) => {
      for (const state of ['serving', 'retiring', 'silent'] as const) workers.set({ state }, counts[state]);
      const ours = await own.getMetricsAsJSON();
      const all = [ours, ...heard, ...lastHeard.map(countersOf), await ended];
      return await AggregatorRegistry.aggregate(all.map((metrics) => [...metrics])).metrics();
    },
  };
}

/** What only ever grows. A gauge of a process that is gone says nothing. */
function countersOf(metrics: readonly MetricObject[]): MetricObject[] {
  return metrics.filter(({ type }) => /^(counter|histogram)$/.test(String(type)));
}
