import type { Registry } from 'prom-client';

const NAME = 'keyreeve_http_request_duration_seconds';
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5];

interface Series {
  readonly labels: { readonly route: string; readonly method: string; readonly status: string };
  /** Of each bucket alone, and of what is above them all. */
  readonly counts: number[];
  sumSeconds: number;
}

/** One route, method and status, which whoever observes often keeps: finding it costs more than counting. */
export interface DurationSeries {
  observe(seconds: number): void;
}

/**
 * Time to answer, by route, method and status. The histogram of prom-client takes a microsecond for each observation,
 * a tenth of what an answer about a key may cost.
 */
export class RequestDurations {
  readonly #series = new Map<string, Series & DurationSeries>();

  series(route: string, method: string, status: number): DurationSeries {
    const name = `${method} ${status} ${route}`;
    let found = this.#series.get(name);
    if (found === undefined) {
      found = newSeries({ route, method, status: String(status) });
      this.#series.set(name, found);
    }
    return found;
  }

  /** Shows them among the other metrics. */
  register(registry: Registry): void {
    const metric = {
      name: NAME,
      get: () => Promise.resolve(this.#toMetric()),
      reset: () => this.#series.clear(),
    };
    registry.registerMetric(metric as unknown as Parameters<Registry['registerMetric']>[0]);
  }

  #toMetric() {
    const values: { labels: object; value: number; metricName: string }[] = [];
    for (const { labels, counts, sumSeconds } of this.#series.values()) {
      let below = 0;
      for (const [index, count] of counts.entries()) {
        below += count;
        const le = BUCKETS[index] ?? '+Inf';
        values.push({ labels: { le, ...labels }, value: below, metricName: `${NAME}_bucket` });
      }
      values.push({ labels, value: sumSeconds, metricName: `${NAME}_sum` });
      values.push({ labels, value: below, metricName: `${NAME}_count` });
    }
    return {
      name: NAME,
      help: 'Time to answer, by route, method and status.',
      type: 'histogram',
      aggregator: 'sum',
      values,
    };
  }
}

function newSeries(labels: Series['labels']): Series & DurationSeries {
  const counts = Array.from({ length: BUCKETS.length + 1 }, () => 0);
  const series = {
    labels,
    counts,
    sumSeconds: 0,
    observe: (seconds: number) => {
      let index = 0;
      while (index < BUCKETS.length && seconds > (BUCKETS[index] ?? 0)) index += 1;
      counts[index] = (counts[index] ?? 0) + 1;
      series.sumSeconds += seconds;
    },
  };
  return series;
}
