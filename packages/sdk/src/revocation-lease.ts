/** Time as this machine sees it; tests hand in clocks that they move themselves. */
export interface Clocks {
  /** Milliseconds that no correction of the time moves. May stand still while the machine sleeps. */
  monotonic(): number;
  /** Milliseconds UTC. Goes on while the machine sleeps, and may be set. */
  wall(): number;
}

export const SYSTEM_CLOCKS: Clocks = { monotonic: () => performance.now(), wall: () => Date.now() };

/** An event of `GET /v1/revocations`. */
export interface EpochEvent {
  readonly workspaceId: string;
  readonly epoch: number;
  /** Milliseconds of the monotonic clock of the server, as `openedAtMs`. */
  readonly readAtMs: number;
  /** Milliseconds UTC of the server. */
  readonly at: number;
}

/** The time during which nothing was revoked, as far as is known: answers are compared by it, as one object. */
export interface Term {
  readonly epoch: number;
  /** Its first event came then, by our monotonic clock: the last revocation was before. */
  readonly sinceMs: number;
}

/** Longer than four beats of the server, and the published bound. */
const LEASE_MS = 2_000;
/** What the clocks of both sides may drift apart during one stream, and more. */
const AHEAD_MS_MAX = 1_000;

/** The server rounds to the safe side. */
const ROUNDING_MS = 1;

interface Stream {
  readonly sentAtMs: number;
  readonly sentAtWall: number;
  openedAtMs: number | null;
  last: EpochEvent | null;
  /** No later than the moment at which the server read `last`, by either clock of this machine. */
  knownAtMs: number;
  knownAtWall: number;
}

/**
 * What may be known about revocations, and until when.
 *
 * The server stamps each epoch with the time at which it had read it, counted from the arrival of our request. We
 * sent that request before it arrived, so the epoch was read no earlier than as long after we sent it. From there,
 * not from the arrival of the event, the lease counts: an event that a stalled proxy or a paused process delivers
 * late is as old as it is, and renews nothing.
 */
export class RevocationLease {
  readonly #clocks: Clocks;
  #stream: Stream | null = null;
  #term: Term | null = null;
  #workspaceId: string | null = null;

  constructor(clocks: Clocks) {
    this.#clocks = clocks;
  }

  /** To be called before the request for a stream is sent. All that was known before is forgotten. */
  begin(): void {
    const [sentAtMs, sentAtWall] = [this.#clocks.monotonic(), this.#clocks.wall()];
    this.#stream = {
      sentAtMs,
      sentAtWall,
      openedAtMs: null,
      last: null,
      knownAtMs: sentAtMs,
      knownAtWall: sentAtWall,
    };
    this.#term = null;
  }

  /** The stream is over: from now on nothing is known. */
  end(): void {
    this.#stream = null;
    this.#term = null;
  }

  /** @returns false when the server contradicts itself; then nothing of this stream is to be believed */
  open(openedAtMs: number): boolean {
    const stream = this.#stream;
    if (stream === null || stream.openedAtMs !== null || !Number.isSafeInteger(openedAtMs)) return false;
    stream.openedAtMs = openedAtMs;
    return true;
  }

  /** @returns false as `open` */
  accept(event: EpochEvent): boolean {
    const stream = this.#stream;
    if (stream === null || stream.openedAtMs === null || !isPlausible(event)) return false;
    const { last, openedAtMs, sentAtMs, sentAtWall } = stream;
    const elapsedMs = event.readAtMs - openedAtMs;
    const now = this.#clocks.monotonic();
    const isBackwards = last !== null && (event.epoch < last.epoch || event.readAtMs < last.readAtMs);
    const isForeign = this.#workspaceId !== null && this.#workspaceId !== event.workspaceId;
    const isAhead = elapsedMs < -ROUNDING_MS || sentAtMs + elapsedMs > now + AHEAD_MS_MAX;
    if (isBackwards || isForeign || isAhead) return false;
    this.#workspaceId = event.workspaceId;
    stream.knownAtMs = Math.min(sentAtMs + elapsedMs, now);
    stream.knownAtWall = Math.min(sentAtWall + elapsedMs, this.#clocks.wall());
    if (last === null || last.epoch !== event.epoch) this.#term = { epoch: event.epoch, sinceMs: now };
    stream.last = event;
    return true;
  }

  /** The present term, or null when too little is known to use an answer once more. */
  current(): Term | null {
    return this.#term !== null && this.#ageMs() < LEASE_MS ? this.#term : null;
  }

  /** The time of the server in milliseconds UTC, or a little later; null when too little is known. */
  serverNow(): number | null {
    const last = this.#stream?.last ?? null;
    return last === null ? null : last.at + this.#ageMs();
  }

  /** The wall clock notices that the machine has slept, the other one that the wall clock was set back. */
  #ageMs(): number {
    if (this.#stream === null) return Number.POSITIVE_INFINITY;
    const { knownAtMs, knownAtWall } = this.#stream;
    return Math.max(this.#clocks.monotonic() - knownAtMs, this.#clocks.wall() - knownAtWall);
  }
}

function isPlausible({ workspaceId, epoch, readAtMs, at }: EpochEvent): boolean {
  return (
    typeof workspaceId === 'string' &&
    workspaceId !== '' &&
    Number.isSafeInteger(epoch) &&
    epoch >= 0 &&
    Number.isSafeInteger(readAtMs) &&
    Number.isFinite(at)
  );
}
