import type { FastifyBaseLogger } from 'fastify';
import { AppError, requestErrors } from '../../errors/index.ts';
import type { Clock } from '../../lib/clock.ts';
import { createTurns } from '../../lib/turns.ts';
import type { Storage } from '../../storage/index.ts';

/** What is known of a workspace: its epoch, and when it was asked for. It was that epoch then, or a moment later. */
export interface RevocationState {
  readonly workspaceId: string;
  readonly epoch: number;
  /** Milliseconds of the monotonic clock of this process. */
  readonly readAtMs: number;
  /** Milliseconds UTC. */
  readonly at: number;
}

/** Somebody who wants to know of revocations at once. */
export interface Subscriber {
  readonly workspaceId: string;
  readonly accountId: string;
  /** Subscribers of the same text stand and fall together: one look at the credential is enough for all. */
  readonly credentialId: string;
  /** Milliseconds UTC, when it begins; null when the credential does not expire. */
  readonly expiresAt: number | null;
  /** False when the reader is too slow to go on with. */
  send(state: RevocationState): boolean;
  /** @returns `expiresAt` as of then. @throws auth.* when the credential is no good any more */
  readmit(): Promise<number | null>;
  /** `isCut` breaks off at once; otherwise what was written is still delivered. */
  end(isCut: boolean): void;
}

export interface RevocationHub {
  /** The present epoch, read now. */
  read(workspaceId: string): Promise<RevocationState>;
  /**
   * Tells the present epoch, then each new one at once when this process raised it and within 250 ms when another
   * did, and the same one anew every 480 ms. While the database does not answer, nothing is told.
   *
   * @returns a function that ends the subscription without telling the subscriber
   * @throws request.too_many beyond 500 of an account or 2,000 of a workspace, in this process
   */
  subscribe(subscriber: Subscriber): () => void;
  /** Ends all subscriptions: whoever subscribes anew may come to another process. */
  endAll(): void;
  /** Ends all subscriptions; further ones are refused. */
  close(): void;
}

export interface RevocationHubDeps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly logger: FastifyBaseLogger;
  readonly streamsMax?: { readonly perAccount: number; readonly perWorkspace: number };
  readonly pollMs?: number;
}

const STREAMS_MAX = { perAccount: 500, perWorkspace: 2_000 };
// Below the published 250 and 500 ms, as timers are never early and sometimes late.
const POLL_MS = 240;
// Every second poll is a beat, also when it comes a little early.
const BEAT_POLLS = 1.5;

interface Entry {
  readonly subscriber: Subscriber;
  readonly subscribedAtMs: number;
  /** Milliseconds UTC. A regenerated key leaves its old secret until the overlap ends. */
  expiresAt: number | null;
  isGreeted: boolean;
}

/** The subscribers of one workspace. */
interface Group {
  readonly entries: Set<Entry>;
  readonly perAccount: Map<string, number>;
  epoch: number | null;
  beatAtMs: number;
  /** Something was revoked since the credentials were looked at. */
  isRecheckDue: boolean;
  isRechecking: boolean;
}

class Hub implements RevocationHub {
  readonly #deps: RevocationHubDeps;
  readonly #pollMs: number;
  readonly #groups = new Map<string, Group>();
  #timer: NodeJS.Timeout | undefined;
  #isPolling = false;
  #isPollWanted = false;
  #isClosed = false;
  #isFaultLogged = false;

  constructor(deps: RevocationHubDeps) {
    this.#deps = deps;
    this.#pollMs = deps.pollMs ?? POLL_MS;
  }

  async read(workspaceId: string): Promise<RevocationState> {
    const at = this.#deps.clock.now();
    const { epochs, readAtMs } = await this.#deps.storage.epochGuard.ask([workspaceId]);
    return { workspaceId, epoch: epochs.get(workspaceId) ?? 0, readAtMs, at };
  }

  subscribe(subscriber: Subscriber): () => void {
    if (this.#isClosed) throw requestErrors.unavailable({ headers: { 'retry-after': '1' } });
    const group = this.#requireRoom(subscriber);
    const { workspaceId, accountId, expiresAt } = subscriber;
    const entry: Entry = { subscriber, subscribedAtMs: performance.now(), expiresAt, isGreeted: false };
    if (this.#groups.size === 0) {
      this.#deps.storage.raiseListeners.add(this.#poll);
      this.#deps.storage.epochGuard.changeListeners.add(this.#poll);
    }
    this.#groups.set(workspaceId, group);
    group.entries.add(entry);
    group.perAccount.set(accountId, (group.perAccount.get(accountId) ?? 0) + 1);
    this.#poll();
    return () => this.#remove(group, entry);
  }

  endAll(): void {
    for (const group of this.#groups.values())
      for (const entry of group.entries) this.#end(group, entry, false);
  }

  close(): void {
    this.#isClosed = true;
    this.endAll();
  }

  #requireRoom({ workspaceId, accountId }: Subscriber): Group {
    const { perAccount, perWorkspace } = this.#deps.streamsMax ?? STREAMS_MAX;
    const group: Group = this.#groups.get(workspaceId) ?? {
      entries: new Set(),
      perAccount: new Map(),
      epoch: null,
      beatAtMs: 0,
      isRecheckDue: false,
      isRechecking: false,
    };
    const isFull = group.entries.size >= perWorkspace || (group.perAccount.get(accountId) ?? 0) >= perAccount;
    if (!isFull) return group;
    throw requestErrors.too_many({
      detail: `At most ${perAccount} streams of an account and ${perWorkspace} of a workspace may be open at this server. Share one verifier in each process.`,
      headers: { 'retry-after': '30' },
    });
  }

  #remove(group: Group, entry: Entry): void {
    if (!group.entries.delete(entry)) return;
    const { workspaceId, accountId } = entry.subscriber;
    const left = (group.perAccount.get(accountId) ?? 1) - 1;
    if (left === 0) group.perAccount.delete(accountId);
    else group.perAccount.set(accountId, left);
    if (group.entries.size === 0) this.#groups.delete(workspaceId);
    if (this.#groups.size > 0) return;
    clearTimeout(this.#timer);
    this.#deps.storage.raiseListeners.delete(this.#poll);
    this.#deps.storage.epochGuard.changeListeners.delete(this.#poll);
  }

  #end(group: Group, entry: Entry, isCut: boolean): void {
    this.#remove(group, entry);
    entry.subscriber.end(isCut);
  }

  /** Also a listener of the storage: a commit of this process is a reason to look, never the proof. */
  readonly #poll = (): void => {
    this.#isPollWanted = true;
    if (!this.#isPolling) void this.#pollUntilDone();
  };

  async #pollUntilDone(): Promise<void> {
    this.#isPolling = true;
    const startedAtMs = performance.now();
    try {
      while (this.#isPollWanted && this.#groups.size > 0) {
        this.#isPollWanted = false;
        await this.#pollOnce();
      }
      this.#isFaultLogged = false;
    } catch (error) {
      // Once for each outage: it would be written four times a second.
      if (!this.#isFaultLogged)
        this.#deps.logger.error({ err: error }, 'the revocation epochs cannot be read');
      this.#isFaultLogged = true;
    }
    this.#isPolling = false;
    clearTimeout(this.#timer);
    if (this.#groups.size === 0) return;
    const pauseMs = Math.max(0, startedAtMs + this.#pollMs - performance.now());
    this.#timer = setTimeout(this.#poll, pauseMs).unref();
  }

  async #pollOnce(): Promise<void> {
    const at = this.#deps.clock.now();
    const { epochs, readAtMs } = await this.#deps.storage.epochGuard.ask(this.#groups.keys());
    for (const [workspaceId, group] of this.#groups) {
      const epoch = epochs.get(workspaceId);
      if (epoch === undefined) continue;
      const isRaised = group.epoch !== null && group.epoch !== epoch;
      const isBeat = readAtMs - group.beatAtMs >= BEAT_POLLS * this.#pollMs;
      group.epoch = epoch;
      if (isRaised) group.isRecheckDue = true;
      if (isRaised || isBeat) group.beatAtMs = readAtMs;
      await this.#tell(group, { workspaceId, epoch, readAtMs, at }, isRaised || isBeat);
      if (group.isRecheckDue && !group.isRechecking) void this.#recheck(group);
    }
  }

  /** Everybody, or only those who have not been told anything yet. Gives way to others between two subscribers. */
  async #tell(group: Group, state: RevocationState, isForAll: boolean): Promise<void> {
    const turns = createTurns();
    for (const entry of group.entries) {
      if (entry.isGreeted && !isForAll) continue;
      await turns.step();
      // What was read before somebody came may be older than his stream.
      if (!group.entries.has(entry) || entry.subscribedAtMs > state.readAtMs) continue;
      const { expiresAt } = entry;
      if (expiresAt !== null && this.#deps.clock.now() >= expiresAt) this.#end(group, entry, false);
      else if (!entry.subscriber.send(state)) this.#end(group, entry, true);
      else entry.isGreeted = true;
    }
  }

  /** What was revoked may have been the credential of a subscriber. */
  async #recheck(group: Group): Promise<void> {
    group.isRechecking = true;
    group.isRecheckDue = false;
    const turns = createTurns();
    const byCredential = Map.groupBy(group.entries, ({ subscriber }) => subscriber.credentialId);
    for (const [, [first, ...others]] of byCredential) {
      await turns.step();
      if (first === undefined) continue;
      try {
        const expiresAt = await first.subscriber.readmit();
        for (const entry of [first, ...others]) entry.expiresAt = expiresAt;
      } catch (error) {
        const isRefused = error instanceof AppError && [401, 403].includes(error.status);
        // When the database did not answer, the next poll that gets one looks again.
        if (!isRefused) group.isRecheckDue = true;
        else for (const entry of [first, ...others]) this.#end(group, entry, false);
      }
    }
    group.isRechecking = false;
  }
}

/** @see RevocationHub */
export function createRevocationHub(deps: RevocationHubDeps): RevocationHub {
  return new Hub(deps);
}
