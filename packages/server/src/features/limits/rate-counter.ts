import type { Clock } from '../../lib/clock.ts';

export interface RateCount {
  /** Requests in the present window, this one among them. */
  readonly count: number;
  /** Milliseconds until the window ends. */
  readonly resetMs: number;
}

/** Counts requests in windows that begin with their first request. */
export interface RateCounter {
  /** Counts one request under this name. */
  count(name: string, windowMs: number): Promise<RateCount>;
  /** The same at once, where nobody else must be asked. */
  countNow?(name: string, windowMs: number): RateCount;
  close(): Promise<void>;
}

interface Window {
  count: number;
  endsAt: number;
}

// About 20 MiB. Only keys whose secret was right are counted, so nobody fills it from outside.
const WINDOWS_MAX = 100_000;
// To look for windows that have ended takes a millisecond, which must not be the cost of each new one.
const WINDOWS_BETWEEN_SWEEPS = WINDOWS_MAX / 100;

/** Counts of one process. */
export class MemoryRateCounter implements RateCounter {
  readonly #clock: Clock;
  readonly #windows = new Map<string, Window>();
  #madeSinceSweep = WINDOWS_BETWEEN_SWEEPS;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  countNow(name: string, windowMs: number): RateCount {
    const now = this.#clock.now();
    const known = this.#windows.get(name);
    if (known !== undefined && known.endsAt > now) {
      // A clock that was set back must not make a window longer than it is.
      known.endsAt = Math.min(known.endsAt, now + windowMs);
      known.count += 1;
      return { count: known.count, resetMs: known.endsAt - now };
    }
    this.#windows.delete(name);
    if (this.#windows.size >= WINDOWS_MAX) this.#makeRoom(now);
    this.#madeSinceSweep += 1;
    this.#windows.set(name, { count: 1, endsAt: now + windowMs });
    return { count: 1, resetMs: windowMs };
  }

  async count(name: string, windowMs: number): Promise<RateCount> {
    return this.countNow(name, windowMs);
  }

  async close(): Promise<void> {
    this.#windows.clear();
  }

  /** Drops what has ended, and when that is nothing, the window that began first. */
  #makeRoom(now: number): void {
    if (this.#madeSinceSweep >= WINDOWS_BETWEEN_SWEEPS) {
      this.#madeSinceSweep = 0;
      for (const [name, { endsAt }] of this.#windows) if (endsAt <= now) this.#windows.delete(name);
    }
    const oldest = this.#windows.keys().next().value;
    if (this.#windows.size >= WINDOWS_MAX && oldest !== undefined) this.#windows.delete(oldest);
  }
}
