import type { Cluster } from 'node:cluster';
import { EventEmitter } from 'node:events';
import { stat } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MemoryRateCounter, type RateCounter } from './rate-counter.ts';
import { createSharedRateCounter } from './shared-rate-counter.ts';
import { createWorkerRateCounter, serveRateCounters } from './worker-rate-counter.ts';

const MINUTE_MS = 60_000;
const clock = { time: 0, now: () => clock.time };

beforeEach(() => {
  clock.time = 1_000_000;
});

describe('counting in memory', () => {
  it('begins a window with its first request, and another when that has ended', () => {
    const counter = new MemoryRateCounter(clock);
    expect(counter.countNow('a', MINUTE_MS)).toEqual({ count: 1, resetMs: MINUTE_MS });
    clock.time += MINUTE_MS - 1;
    expect(counter.countNow('a', MINUTE_MS)).toEqual({ count: 2, resetMs: 1 });
    expect(counter.countNow('b', MINUTE_MS).count).toBe(1);
    clock.time += 1;
    expect(counter.countNow('a', MINUTE_MS)).toEqual({ count: 1, resetMs: MINUTE_MS });
  });

  it('makes no window longer, and begins none, when the clock is set back', () => {
    const counter = new MemoryRateCounter(clock);
    counter.countNow('a', MINUTE_MS);
    clock.time -= 10 * MINUTE_MS;
    expect(counter.countNow('a', MINUTE_MS)).toEqual({ count: 2, resetMs: MINUTE_MS });
  });

  it('keeps at most 100,000 windows, and drops those first that have ended', () => {
    const counter = new MemoryRateCounter(clock);
    counter.countNow('ended', 1);
    for (let name = 0; name < 99_999; name += 1) counter.countNow(String(name), MINUTE_MS);
    clock.time += 1;
    counter.countNow('another', MINUTE_MS);
    expect(counter.countNow('0', MINUTE_MS).count).toBe(2);
    counter.countNow('one more', MINUTE_MS);
    expect(counter.countNow('0', MINUTE_MS).count).toBe(1);
  });
});

describe('counting in memory of many keys', () => {
  it('does not look through all windows for each new one', () => {
    const counter = new MemoryRateCounter(clock);
    for (let name = 0; name < 100_000; name += 1) counter.countNow(String(name), MINUTE_MS);
    let asked = 0;
    const entries = vi.spyOn(Map.prototype, Symbol.iterator).mockImplementation(function iterate(
      this: Map<unknown, unknown>,
    ) {
      asked += 1;
      return this.entries();
    });
    for (let name = 0; name < 1_000; name += 1) counter.countNow(`new ${name}`, MINUTE_MS);
    entries.mockRestore();
    expect(asked).toBeLessThanOrEqual(2);
  });
});

describe('the workers of one machine', () => {
  /** As `cluster` passes messages on, on both sides as copies. */
  function startWorkers(count: number) {
    const primary = new EventEmitter();
    serveRateCounters(primary as unknown as Cluster, clock);
    return Array.from({ length: count }, () => {
      const heard = new EventEmitter();
      const worker = {
        isConnected: () => true,
        send: (message: object) => heard.emit('message', structuredClone(message)),
      };
      return createWorkerRateCounter({
        send: (message) => primary.emit('message', worker, structuredClone(message)),
        onMessage: (listener) => heard.on('message', listener),
      });
    });
  }

  it('count together, once for all', async () => {
    const workers = startWorkers(3);
    const counts = await Promise.all(
      Array.from({ length: 30 }, async (_none, index) => await workers[index % 3]?.count('a', MINUTE_MS)),
    );
    expect(counts.map((counted) => counted?.count).toSorted((a = 0, b = 0) => a - b)).toEqual(
      Array.from({ length: 30 }, (_none, index) => index + 1),
    );
  });

  it('leave other messages between the processes alone', async () => {
    const primary = new EventEmitter();
    serveRateCounters(primary as unknown as Cluster, clock);
    const send = vi.fn();
    for (const message of [null, 'text', { kind: 'hello' }])
      primary.emit('message', { isConnected: () => true, send }, message);
    expect(send).not.toHaveBeenCalled();
  });
});

describe('a shared counter whose answer has come', () => {
  it('is believed also when this process could not read it in time', async () => {
    const shared: RateCounter = {
      count: async () => {
        await stat('.');
        return { count: 7, resetMs: 1 };
      },
      close: () => Promise.resolve(),
    };
    const logger = { warn: vi.fn(), info: vi.fn() };
    const counter = createSharedRateCounter({ shared, clock, logger, name: 'redis' });
    const counted = counter.count('a', MINUTE_MS);
    // As a long pause of the process does: the timer is due by then, and so is the answer.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 150);
    expect((await counted).count).toBe(7);
    expect(counter.state()).toEqual({ isUp: true, countedAlone: 0 });
  });
});

describe('a shared counter that does not answer', () => {
  const logger = { warn: vi.fn(), info: vi.fn() };
  let answers: boolean;
  let asked: number;

  const shared: RateCounter = {
    count: () => {
      asked += 1;
      return answers ? Promise.resolve({ count: 100 + asked, resetMs: 1 }) : new Promise(() => {});
    },
    close: () => Promise.resolve(),
  };

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    vi.clearAllMocks();
    answers = false;
    asked = 0;
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('makes a request wait 100 ms once in a second, and all others not at all; each process counts alone', async () => {
    const counter = createSharedRateCounter({ shared, clock, logger, name: 'redis' });
    const first = counter.count('a', MINUTE_MS);
    await vi.advanceTimersByTimeAsync(100);
    expect((await first).count).toBe(1);
    for (let more = 2; more <= 50; more += 1) expect((await counter.count('a', MINUTE_MS)).count).toBe(more);
    expect(asked).toBe(1);
    expect(counter.state()).toEqual({ isUp: false, countedAlone: 50 });
    await vi.advanceTimersByTimeAsync(1_000);
    const probe = counter.count('a', MINUTE_MS);
    expect((await counter.count('a', MINUTE_MS)).count).toBe(51);
    await vi.advanceTimersByTimeAsync(100);
    expect((await probe).count).toBe(52);
    expect(asked).toBe(2);
    expect(logger.warn).toHaveBeenCalledTimes(1);
  });

  it('is asked again, and counts for all from its first answer on', async () => {
    const counter = createSharedRateCounter({ shared, clock, logger, name: 'redis' });
    const first = counter.count('a', MINUTE_MS);
    await vi.advanceTimersByTimeAsync(1_100);
    await first;
    answers = true;
    expect((await counter.count('a', MINUTE_MS)).count).toBe(102);
    expect(counter.state().isUp).toBe(true);
    expect(logger.info).toHaveBeenCalledTimes(1);
  });
});
