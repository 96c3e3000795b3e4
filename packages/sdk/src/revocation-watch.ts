import { readEvents } from './event-stream.ts';
import { atRandom } from './jitter.ts';
import type { Clocks, EpochEvent, RevocationLease } from './revocation-lease.ts';

export interface WatchTimes {
  /** A stream from which nothing timely has come for so long is given up. */
  readonly silenceMs: number;
  /** A stream is opened anew after half so long to so long: the clocks of two machines drift apart. */
  readonly renewMs: number;
  /** Without questions for so long no stream is held. */
  readonly idleMs: number;
  /** The longest pause between two tries. */
  readonly backoffMsMax: number;
  readonly checkMs: number;
}

export const WATCH_TIMES: WatchTimes = {
  silenceMs: 5_000,
  renewMs: 10 * 60_000,
  idleMs: 60_000,
  backoffMsMax: 30_000,
  checkMs: 1_000,
};
const BACKOFF_MS_MIN = 250;

export interface WatchDeps {
  /** Sends the request for a stream. @throws when it is refused or not answered */
  readonly open: (signal: AbortSignal) => Promise<Response>;
  readonly lease: RevocationLease;
  readonly clocks: Clocks;
  readonly times: WatchTimes;
}

/** A timer that lets the process end; what is no Node has no such thing, and needs none. */
function startTimer(run: () => void, ms: number): () => void {
  const timer: unknown = setTimeout(run, ms);
  (timer as { unref?: () => void }).unref?.();
  return () => clearTimeout(timer as Parameters<typeof clearTimeout>[0]);
}

/** Keeps a stream of revocations open while questions come, and hands what it tells to the lease. */
export class RevocationWatch {
  readonly #deps: WatchDeps;
  #stop: AbortController | null = null;
  #askedAtMs = 0;
  #running: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(deps: WatchDeps) {
    this.#deps = deps;
  }

  /** To be called with each question. */
  touch(): void {
    this.#askedAtMs = this.#deps.clocks.monotonic();
    if (this.#stop !== null || this.#isClosed) return;
    const stop = new AbortController();
    this.#stop = stop;
    this.#running = this.#run(stop.signal).finally(() => {
      this.#stop = null;
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#deps.lease.end();
    this.#stop?.abort();
    await this.#running;
  }

  async #run(stop: AbortSignal): Promise<void> {
    let failures = 0;
    while (!stop.aborted && !this.#isIdle()) {
      const end = await this.#follow(stop);
      if (end === 'renew') continue;
      failures = end === 'silent' ? failures + 1 : 1;
      const most = Math.min(this.#deps.times.backoffMsMax, BACKOFF_MS_MIN * 2 ** failures);
      if (!stop.aborted && !this.#isIdle()) await this.#sleep(atRandom(most / 4, most), stop);
    }
  }

  #isIdle(): boolean {
    return this.#deps.clocks.monotonic() - this.#askedAtMs > this.#deps.times.idleMs;
  }

  async #sleep(ms: number, stop: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        cancel();
        stop.removeEventListener('abort', wake);
        resolve();
      };
      const cancel = startTimer(wake, ms);
      stop.addEventListener('abort', wake);
    });
  }

  /** One stream from its request to its end. `silent`: it told nothing that could be used. */
  async #follow(stop: AbortSignal): Promise<'renew' | 'broken' | 'silent'> {
    const { lease, clocks, times } = this.#deps;
    const cut = new AbortController();
    const startedAtMs = clocks.monotonic();
    // Streams that a restart of the server has begun together are not renewed together.
    const renewMs = atRandom(times.renewMs / 2, times.renewMs);
    let [liveAtMs, isHeard, isRenewal] = [startedAtMs, false, false];
    let cancelTimer = (): void => {};
    const check = (): void => {
      const now = clocks.monotonic();
      if (lease.current() !== null) liveAtMs = now;
      isRenewal = now - startedAtMs > renewMs;
      if (isRenewal || this.#isIdle() || now - liveAtMs > times.silenceMs) cut.abort();
      else cancelTimer = startTimer(check, times.checkMs);
    };
    cancelTimer = startTimer(check, times.checkMs);
    lease.begin();
    try {
      const response = await this.#deps.open(AbortSignal.any([stop, cut.signal]));
      const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
      if (!isStream || response.body === null) {
        await response.body?.cancel();
        return 'silent';
      }
      for await (const event of readEvents(response.body as ReadableStream<Uint8Array>)) {
        if (!this.#take(event.name, event.data)) return isHeard ? 'broken' : 'silent';
        isHeard ||= lease.current() !== null;
      }
    } catch {
      // Whatever it is, it says no more than that the stream is over: questions that are asked tell what is wrong.
    } finally {
      cancelTimer();
      lease.end();
      cut.abort();
    }
    return isRenewal ? 'renew' : isHeard ? 'broken' : 'silent';
  }

  #take(name: string, text: string): boolean {
    const { lease } = this.#deps;
    if (name !== 'opened' && name !== 'epoch') return true;
    const data = JSON.parse(text) as Partial<Record<string, unknown>> | null;
    if (typeof data !== 'object' || data === null) return false;
    if (name === 'opened') return lease.open(data['openedAtMs'] as number);
    const event = { ...data, at: Date.parse(String(data['at'])) } as EpochEvent;
    return lease.accept(event);
  }
}
