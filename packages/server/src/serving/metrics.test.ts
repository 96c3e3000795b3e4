import { Counter, Gauge, Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { createAllMetrics } from './metrics.ts';

const COUNTS = { serving: 2, retiring: 0, silent: 0 };

async function tell(requests: number, memory: number) {
  const registers = [new Registry()];
  new Counter({ name: 'requests_total', help: 'Requests.', registers }).inc(requests);
  new Gauge({ name: 'memory_bytes', help: 'Memory.', registers }).set(memory);
  return (await registers[0]?.getMetricsAsJSON()) ?? [];
}

it('what the workers count is added up', async () => {
  const text = await createAllMetrics().render([await tell(2, 10), await tell(3, 20)], [], COUNTS);
  expect(text).toContain('requests_total 5\n');
  expect(text).toContain('memory_bytes 30\n');
  expect(text).toContain('keyreeve_workers{state="serving"} 2\n');
});

it('no counter goes down when a worker ends, or does not answer; its memory is not counted', async () => {
  const metrics = createAllMetrics();
  for (const last of [await tell(2, 10), await tell(3, 10)]) metrics.keepCounters(last);
  metrics.countCrash();
  const text = await metrics.render([await tell(1, 20)], [await tell(4, 10)], { ...COUNTS, silent: 1 });
  expect(text).toContain('requests_total 10\n');
  expect(text).toContain('memory_bytes 20\n');
  expect(text).toContain('keyreeve_workers{state="silent"} 1\n');
  expect(text).toContain('keyreeve_worker_crashes_total 1\n');
});
