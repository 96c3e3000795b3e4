import type { AppError } from '../../errors/index.ts';
import type { Caller } from '../../http/index.ts';
import type { Clock } from '../../lib/clock.ts';
import { toNetwork } from '../../lib/ip-list.ts';
import { type Executor, inTransaction, type Storage, type Tx } from '../../storage/index.ts';
import {
  type Attempts,
  deleteAttempts,
  findAttempts,
  listOldBuckets,
  saveAttempts,
} from './attempts.repo.ts';
import { createLane } from './lane.ts';
import { sessionErrors } from './sessions.errors.ts';
import {
  findPause,
  KNOWN_ADDRESS_MS,
  PAUSE_RULES,
  type PauseKind,
  toBucket,
  WINDOW_RULES,
} from './throttle.rules.ts';

interface Entry {
  readonly bucket: string;
  readonly kind: PauseKind;
}

/** A try that was counted as a failure before it was judged. */
export interface Reservation {
  readonly at: number;
  readonly entries: readonly (Entry & { readonly previousAt: number })[];
  /** Where a success is remembered, so that guesses from elsewhere do not make this address wait. */
  readonly knownBucket: string | null;
}

/**
 * Brakes on guessing, kept in the database. A try counts as a failure before it is judged, in its own
 * transaction: neither a crash nor two hundred tries at once get one more guess.
 */
export interface Throttle {
  /**
   * Counts a try to prove the password of a login. The same for known and unknown ones.
   *
   * @throws session.throttled with `Retry-After`; such a try is not counted and does not make the pause longer
   */
  reserveSignIn(caller: Caller, login: string): Promise<Reservation>;
  /** The same for the setup code. @throws session.throttled */
  reserveSetup(caller: Caller): Promise<Reservation>;
  /** Takes a try back that was not judged at all: the server was busy. */
  release(reservation: Reservation): Promise<void>;
  /** Takes a try back that was right, and forgets the failures before it from the same address. */
  settle(tx: Tx, reservation: Reservation): Promise<void>;
  /**
   * Counts a request for a mail to an address. False when this one gets no more mails for now.
   *
   * @throws session.throttled when the caller asks for too many mails, to whomever
   */
  takeMail(caller: Caller, email: string): Promise<boolean>;
  /** Deletes what no rule looks at any more. */
  sweep(): Promise<void>;
}

// Counting happens one by one: on PostgreSQL, transactions that count in the same row at once would fail and be
// run again and again.
const COUNTING = { runningMax: 1, waitingMax: 1_000, retryAfterSeconds: 2 };
const SWEEP_ROWS = 500;

function throttled(waitMs: number): AppError {
  const seconds = Math.max(1, Math.ceil(waitMs / 1_000));
  return sessionErrors.throttled({
    detail: `There were too many failed tries. Try again in ${seconds} ${seconds === 1 ? 'second' : 'seconds'}.`,
    headers: { 'retry-after': String(seconds) },
  });
}

class DatabaseThrottle implements Throttle {
  readonly #storage: Storage;
  readonly #clock: Clock;
  readonly #lane = createLane(COUNTING);

  constructor(storage: Storage, clock: Clock) {
    this.#storage = storage;
    this.#clock = clock;
  }

  async reserveSignIn(caller: Caller, login: string): Promise<Reservation> {
    const workspaceId = caller.workspace.id;
    const network = toNetwork(caller.ip);
    const entries: Entry[] = [
      { kind: 'pair', bucket: toBucket('pair', workspaceId, login, network) },
      { kind: 'login', bucket: toBucket('login', workspaceId, login) },
      { kind: 'address', bucket: toBucket('address', workspaceId, network) },
    ];
    return await this.#reserve(entries, toBucket('known', workspaceId, login, network));
  }

  async reserveSetup(caller: Caller): Promise<Reservation> {
    return await this.#reserve(
      [{ kind: 'setup', bucket: toBucket('setup', caller.workspace.id, toNetwork(caller.ip)) }],
      null,
    );
  }

  async release(reservation: Reservation): Promise<void> {
    await this.#lane.run(() =>
      inTransaction(this.#storage, (tx) => this.#takeBack(tx, reservation, reservation.entries)),
    );
  }

  async settle(tx: Tx, reservation: Reservation): Promise<void> {
    const isOwn = (entry: Entry): boolean => entry.kind === 'pair' || entry.kind === 'setup';
    await deleteAttempts(
      tx,
      reservation.entries.filter(isOwn).map((entry) => entry.bucket),
    );
    await this.#takeBack(
      tx,
      reservation,
      reservation.entries.filter((entry) => !isOwn(entry)),
    );
    if (reservation.knownBucket !== null) {
      await saveAttempts(tx, {
        bucket: reservation.knownBucket,
        failures: 0,
        lastFailureAt: this.#clock.now(),
      });
    }
  }

  async takeMail(caller: Caller, email: string): Promise<boolean> {
    const own = toBucket('mail-from', caller.workspace.id, toNetwork(caller.ip));
    const target = toBucket('mail-to', caller.workspace.id, email);
    return await this.#lane.run(() =>
      inTransaction(this.#storage, async (tx) => {
        const waitMs = await this.#takeFromWindow(tx, own, WINDOW_RULES.mailAddress);
        if (waitMs > 0) throw throttled(waitMs);
        return (await this.#takeFromWindow(tx, target, WINDOW_RULES.mail)) === 0;
      }),
    );
  }

  async sweep(): Promise<void> {
    const before = this.#clock.now() - KNOWN_ADDRESS_MS;
    for (;;) {
      const buckets = await listOldBuckets(this.#storage.read, before, SWEEP_ROWS);
      await inTransaction(this.#storage, (tx) => deleteAttempts(tx, buckets));
      if (buckets.length < SWEEP_ROWS) return;
    }
  }

  async #reserve(entries: readonly Entry[], knownBucket: string | null): Promise<Reservation> {
    // A flood of tries that must wait anyway is refused by reading alone.
    await this.#check(this.#storage.read, entries, knownBucket);
    return await this.#lane.run(() =>
      inTransaction(this.#storage, async (tx) => {
        const found = await this.#check(tx, entries, knownBucket);
        const now = this.#clock.now();
        const counted: (Entry & { previousAt: number })[] = [];
        for (const entry of entries) {
          const before = found.get(entry.bucket);
          const isForgotten =
            before === undefined || now - before.lastFailureAt >= PAUSE_RULES[entry.kind].forgetMs;
          await saveAttempts(tx, {
            bucket: entry.bucket,
            failures: isForgotten ? 1 : before.failures + 1,
            lastFailureAt: now,
          });
          counted.push({ ...entry, previousAt: isForgotten ? now : before.lastFailureAt });
        }
        return { at: now, entries: counted, knownBucket };
      }),
    );
  }

  /** @throws session.throttled with the longest of the pauses */
  async #check(
    exec: Executor,
    entries: readonly Entry[],
    knownBucket: string | null,
  ): Promise<ReadonlyMap<string, Attempts>> {
    const buckets = [...entries.map((entry) => entry.bucket), ...(knownBucket === null ? [] : [knownBucket])];
    const found = new Map((await findAttempts(exec, buckets)).map((attempts) => [attempts.bucket, attempts]));
    const now = this.#clock.now();
    const known = knownBucket === null ? undefined : found.get(knownBucket);
    const isKnown = known !== undefined && now - known.lastFailureAt < KNOWN_ADDRESS_MS;
    const pauses = entries
      .filter((entry) => entry.kind !== 'login' || !isKnown)
      .map((entry) => findPause(PAUSE_RULES[entry.kind], found.get(entry.bucket), now));
    const waitMs = Math.max(...pauses);
    if (waitMs > 0) throw throttled(waitMs);
    return found;
  }

  async #takeBack(tx: Tx, reservation: Reservation, entries: Reservation['entries']): Promise<void> {
    const found = await findAttempts(
      tx,
      entries.map((entry) => entry.bucket),
    );
    for (const entry of entries) {
      const attempts = found.find((row) => row.bucket === entry.bucket);
      if (attempts === undefined) continue;
      if (attempts.failures <= 1) await deleteAttempts(tx, [entry.bucket]);
      else {
        // When nobody has failed since, the pause goes on from where it was before this try.
        const isLast = attempts.lastFailureAt === reservation.at;
        await saveAttempts(tx, {
          bucket: entry.bucket,
          failures: attempts.failures - 1,
          lastFailureAt: isLast ? entry.previousAt : attempts.lastFailureAt,
        });
      }
    }
  }

  /** 0 when there was room; otherwise the milliseconds until the window ends. */
  async #takeFromWindow(
    tx: Tx,
    bucket: string,
    rule: { readonly limit: number; readonly windowMs: number },
  ): Promise<number> {
    const now = this.#clock.now();
    const [found] = await findAttempts(tx, [bucket]);
    const isOpen = found !== undefined && now - found.lastFailureAt < rule.windowMs;
    if (isOpen && found.failures >= rule.limit) return found.lastFailureAt + rule.windowMs - now;
    await saveAttempts(tx, {
      bucket,
      failures: isOpen ? found.failures + 1 : 1,
      lastFailureAt: isOpen ? found.lastFailureAt : now,
    });
    return 0;
  }
}

export function createThrottle(deps: { readonly storage: Storage; readonly clock: Clock }): Throttle {
  return new DatabaseThrottle(deps.storage, deps.clock);
}
