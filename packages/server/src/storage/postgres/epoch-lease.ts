import type { EpochAnswer, EpochGuard, Freshness } from '../epoch-guard.ts';

/** What the database says at one moment. */
export interface EpochQuestionAnswer {
  /** Another text after a restart or a failover: what was known before may have been lost, or come again. */
  readonly incarnation: string;
  readonly epochs: ReadonlyMap<string, number>;
}

export interface EpochLeaseDeps {
  readonly ask: (workspaceIds: readonly string[]) => Promise<EpochQuestionAnswer>;
  /** Tells other processes; a hint, so it may fail. */
  readonly tellOthers: (workspaceIds: readonly string[]) => Promise<void>;
  /** Milliseconds, of a clock that no correction moves. */
  readonly monotonic: () => number;
  /** Milliseconds UTC. It only ever ends a lease. */
  readonly wall: () => number;
  /** `refuse`: a question that failed ends every lease at once. */
  readonly outage: 'refuse' | 'serve';
  readonly onFault: (error: unknown) => void;
}

/** How long an epoch is believed, counted from when the question was sent. */
export const LEASE_MS = 2_000;
// Longer than the 240 ms after which those who follow the revocations ask, so that one question serves both.
const POLL_MS = 250;
/** Questions that hints cause are at least so far apart: a storm of revocations must not become one of questions. */
const HINT_PAUSE_MS = 20;
/** So long after its last use the epoch of a workspace is still read. */
const IN_USE_MS = 5_000;
const FORGET_MS = 60_000;
const READ_TRIES_MAX = 3;
const FRESH: Freshness = { source: 'database', ageMs: 0 };

interface Entry {
  /** Null when nothing that was kept may be used again, whatever the epoch is. */
  epoch: number | null;
  /** Stands for the epoch in this process: after a failover the same epoch may mean something else. */
  stamp: number;
  /** When the question was sent whose answer is believed. */
  askedAtMs: number;
  askedAtWallMs: number;
  /** Answers to questions before this one do not count. */
  firstQuestion: number;
  usedAtMs: number;
}

interface Question {
  readonly number: number;
  readonly ids: ReadonlySet<string>;
  readonly done: Promise<EpochAnswer>;
}

/**
 * On PostgreSQL an epoch is believed for two seconds from when it was asked for. While there is traffic it is asked for
 * anew every 250 ms, for all workspaces in use together. All that can go wrong (a paused process, a cut network, a late
 * answer, a machine that slept) makes the lease end, never last.
 */
export class EpochLease implements EpochGuard {
  readonly changeListeners = new Set<() => void>();
  readonly #deps: EpochLeaseDeps;
  readonly #entries = new Map<string, Entry>();
  #stamps = 0;
  #questions = 0;
  #incarnation: string | null = null;
  #wanted = new Set<string>();
  #next: PromiseWithResolvers<EpochAnswer> | null = null;
  #running: Question | null = null;
  #lastAskedAtMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | null = null;
  #isHinted = false;
  #isClosed = false;
  #isFaultTold = false;
  #untold = new Set<string>();
  #isTelling = false;

  constructor(deps: EpochLeaseDeps) {
    this.#deps = deps;
  }

  peek(workspaceId: string): number | null {
    const entry = this.#use(workspaceId);
    return this.#isHeld(entry) ? entry.stamp : null;
  }

  peekInTurn(workspaceId: string): number | null {
    return this.peek(workspaceId);
  }

  async read(workspaceId: string): Promise<number> {
    for (let tries = 1; tries <= READ_TRIES_MAX; tries += 1) {
      const entry = this.#use(workspaceId);
      if (this.#isHeld(entry)) return entry.stamp;
      const running = this.#running;
      const isJoined =
        running !== null && running.ids.has(workspaceId) && running.number >= entry.firstQuestion;
      await (isJoined ? running.done : this.ask([workspaceId]));
      // Not when it was revoked in the meantime, or the answer took longer than it is believed.
      if (this.#isHeld(entry)) return entry.stamp;
    }
    throw Object.assign(new Error('The revocation epoch could not be read in time.'), { code: '57014' });
  }

  ask(workspaceIds: Iterable<string>): Promise<EpochAnswer> {
    for (const id of workspaceIds) {
      this.#use(id);
      this.#wanted.add(id);
    }
    this.#next ??= Promise.withResolvers();
    const { promise } = this.#next;
    if (this.#running === null) void this.#run();
    return promise;
  }

  freshness(workspaceId: string): Freshness {
    const entry = this.#entries.get(workspaceId);
    if (entry === undefined || !this.#isHeld(entry)) return FRESH;
    return { source: 'lease', ageMs: Math.ceil(this.#deps.monotonic() - entry.askedAtMs) };
  }

  drop(workspaceIds: Iterable<string>): void {
    for (const id of workspaceIds) {
      const entry = this.#entries.get(id);
      if (entry === undefined) continue;
      entry.firstQuestion = this.#questions + 1;
      entry.askedAtMs = Number.NEGATIVE_INFINITY;
    }
  }

  announce(workspaceIds: Iterable<string>): void {
    const ids = [...workspaceIds];
    this.drop(ids);
    for (const id of ids) this.#untold.add(id);
    if (!this.#isTelling) void this.#tellOthers();
  }

  /** Something may have been revoked in this workspace; null when it is not known where. */
  hint(workspaceId: string | null): void {
    if (this.#isClosed || (workspaceId !== null && !this.#entries.has(workspaceId))) return;
    this.#isHinted = true;
    this.#schedule();
  }

  close(): void {
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #use(workspaceId: string): Entry {
    const usedAtMs = this.#deps.monotonic();
    const known = this.#entries.get(workspaceId);
    if (known !== undefined) {
      known.usedAtMs = usedAtMs;
      return known;
    }
    const made: Entry = {
      epoch: null,
      stamp: 0,
      askedAtMs: Number.NEGATIVE_INFINITY,
      askedAtWallMs: 0,
      firstQuestion: 0,
      usedAtMs,
    };
    this.#entries.set(workspaceId, made);
    return made;
  }

  #isHeld({ askedAtMs, askedAtWallMs }: Entry): boolean {
    const { monotonic, wall } = this.#deps;
    // The monotonic clock stands still while the machine sleeps; the other one does not.
    return monotonic() - askedAtMs < LEASE_MS && wall() - askedAtWallMs < LEASE_MS;
  }

  async #run(): Promise<void> {
    while (this.#next !== null) {
      const next = this.#next;
      const ids = new Set([...this.#wanted, ...this.#listInUse()]);
      this.#next = null;
      this.#wanted = new Set();
      this.#isHinted = false;
      // Taken before the question is sent: what it answers was true then, or a moment later.
      const [askedAtMs, at] = [this.#deps.monotonic(), this.#deps.wall()];
      this.#lastAskedAtMs = askedAtMs;
      this.#questions += 1;
      const number = this.#questions;
      this.#running = { number, ids, done: next.promise };
      // Whoever asked has its own copy of the fault; a poll has nobody who waits.
      next.promise.catch(() => {});
      try {
        const { incarnation, epochs } = await this.#deps.ask([...ids]);
        this.#isFaultTold = false;
        if (this.#incarnation !== incarnation) this.#forgetAll();
        this.#incarnation = incarnation;
        this.#accept(ids, epochs, { number, askedAtMs, at });
        next.resolve({ epochs, readAtMs: askedAtMs });
      } catch (error) {
        this.#fail(error);
        next.reject(error);
      }
      this.#running = null;
    }
    this.#schedule();
  }

  #accept(
    ids: ReadonlySet<string>,
    epochs: ReadonlyMap<string, number>,
    question: { readonly number: number; readonly askedAtMs: number; readonly at: number },
  ): void {
    let isChanged = false;
    for (const id of ids) {
      const entry = this.#entries.get(id);
      if (entry === undefined || question.number < entry.firstQuestion) continue;
      const epoch = epochs.get(id) ?? 0;
      if (entry.epoch !== epoch) {
        isChanged = true;
        this.#stamps += 1;
        entry.epoch = epoch;
        entry.stamp = this.#stamps;
      }
      entry.askedAtMs = question.askedAtMs;
      entry.askedAtWallMs = question.at;
    }
    if (isChanged) for (const tell of this.changeListeners) tell();
  }

  #forgetAll(): void {
    for (const entry of this.#entries.values()) {
      entry.epoch = null;
      entry.askedAtMs = Number.NEGATIVE_INFINITY;
    }
  }

  #fail(error: unknown): void {
    if (this.#deps.outage === 'refuse')
      for (const entry of this.#entries.values()) entry.askedAtMs = Number.NEGATIVE_INFINITY;
    // Once for each outage: it would be told four times a second.
    if (!this.#isFaultTold) this.#deps.onFault(error);
    this.#isFaultTold = true;
  }

  #listInUse(): string[] {
    const now = this.#deps.monotonic();
    const inUse: string[] = [];
    for (const [id, { usedAtMs }] of this.#entries) {
      if (now - usedAtMs < IN_USE_MS) inUse.push(id);
      else if (now - usedAtMs > FORGET_MS) this.#entries.delete(id);
    }
    return inUse;
  }

  #schedule(): void {
    if (this.#isClosed || this.#running !== null) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (!this.#isHinted && this.#listInUse().length === 0) return;
    const pauseMs = this.#isHinted ? HINT_PAUSE_MS : POLL_MS;
    const waitMs = Math.max(0, this.#lastAskedAtMs + pauseMs - this.#deps.monotonic());
    this.#timer = setTimeout(() => {
      if (this.#running === null) this.ask([]).catch(() => {});
    }, waitMs).unref();
  }

  async #tellOthers(): Promise<void> {
    this.#isTelling = true;
    while (this.#untold.size > 0 && !this.#isClosed) {
      const ids = [...this.#untold];
      this.#untold = new Set();
      await this.#deps.tellOthers(ids).catch(() => {});
    }
    this.#isTelling = false;
  }
}
