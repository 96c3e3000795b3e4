import type { RevocationLease, Term } from './revocation-lease.ts';
import type { KeyAnswer, VerifyAnswer, VerifyQuestion } from './verify-key.ts';

export interface CacheLimits {
  readonly entriesMax: number;
  readonly maxAgeMs: number;
}

export interface CacheDeps {
  readonly ask: (question: VerifyQuestion, signal?: AbortSignal) => Promise<KeyAnswer>;
  readonly lease: RevocationLease;
  readonly monotonic: () => number;
  readonly limits: CacheLimits;
}

interface Entry {
  readonly answer: VerifyAnswer;
  readonly term: Term;
  /** Milliseconds of our monotonic clock. */
  readonly untilMs: number;
  /** Milliseconds UTC of the server's clock; null when the key does not expire. */
  readonly expiresAt: number | null;
  /** For how many answers of usual size it counts. */
  readonly places: number;
}

interface Flight {
  readonly term: Term;
  readonly asked: Promise<KeyAnswer>;
}

type MacKey = Parameters<typeof globalThis.crypto.subtle.sign>[1];

/** Refusals of what is no good key come in floods, each with another text: few are kept, and not for long. */
const REFUSALS_MAX = 256;
const REFUSAL_MS = 1_000;
const REFUSALS: readonly string[] = [
  'malformed',
  'not_found',
  'expired',
  'disabled',
  'account_disabled',
  'ip_not_allowed',
];
const KEPT: readonly string[] = ['valid', 'insufficient_scope'];
/** A key may have 100 long patterns, and whoever holds it may ask about as many resources as he likes. */
const PLACE_CHARACTERS = 2_048;

/** Keeps the newest; what is used counts as new. */
class RecentlyUsed {
  readonly #entries = new Map<string, Entry>();
  readonly #placesMax: number;
  #places = 0;

  constructor(placesMax: number) {
    this.#placesMax = placesMax;
  }

  get(name: string): Entry | undefined {
    const entry = this.#entries.get(name);
    if (entry === undefined) return undefined;
    this.#entries.delete(name);
    this.#entries.set(name, entry);
    return entry;
  }

  set(name: string, entry: Entry): void {
    this.delete(name);
    if (entry.places > this.#placesMax) return;
    this.#entries.set(name, entry);
    this.#places += entry.places;
    for (const oldest of this.#entries.keys()) {
      if (this.#places <= this.#placesMax) return;
      this.delete(oldest);
    }
  }

  delete(name: string): void {
    this.#places -= this.#entries.get(name)?.places ?? 0;
    this.#entries.delete(name);
  }

  clear(): void {
    this.#entries.clear();
    this.#places = 0;
  }
}

/**
 * The server may answer from memory, as of `ageMs` ago. An answer from before the last revocation must not be kept as if
 * it had been given after it: we may have heard of that from another server, sooner than the one that answered.
 */
function isOfTerm({ freshness }: Partial<VerifyAnswer>, { sinceMs }: Term, sentAtMs: number): boolean {
  return freshness === undefined || sentAtMs - freshness.ageMs >= sinceMs;
}

async function newMacKey(): Promise<MacKey> {
  const bytes = globalThis.crypto.getRandomValues(new Uint8Array(32));
  return await globalThis.crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, [
    'sign',
  ]);
}

/** Many callers get one object: none may change what the others see. */
function freeze<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const member of Object.values(value)) freeze(member);
  return Object.freeze(value);
}

async function withSignal<Value>(work: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
  if (signal === undefined) return await work;
  return await new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

/**
 * Answers that were got before. One is used again only in the term in which it was asked for: then nothing was revoked
 * since, as of two seconds ago at most.
 */
export class VerificationCache {
  readonly #deps: CacheDeps;
  readonly #good: RecentlyUsed;
  readonly #refusals = new RecentlyUsed(REFUSALS_MAX);
  readonly #flights = new Map<string, Flight>();
  readonly #encoder = new TextEncoder();
  #mac: Promise<MacKey> | null = null;
  #term: Term | null = null;

  constructor(deps: CacheDeps) {
    this.#deps = deps;
    this.#good = new RecentlyUsed(deps.limits.entriesMax);
  }

  async verify(question: VerifyQuestion, signal?: AbortSignal): Promise<VerifyAnswer> {
    const { lease, ask } = this.#deps;
    signal?.throwIfAborted();
    if (lease.current() === null) return freeze((await ask(question, signal)).answer);
    const name = await this.#nameOf(question);
    // Before anything is asked: of a question that nobody waits for, nobody would take the failure.
    signal?.throwIfAborted();
    // What was known before the name was made may be known no more.
    const term = lease.current();
    if (term === null) return freeze((await ask(question, signal)).answer);
    this.#forgetOthers(term);
    const known = this.#find(name, term);
    if (known !== null) return known;
    const flight = this.#flights.get(name);
    if (flight?.term !== term) return (await withSignal(this.#fly(name, question, term), signal)).answer;
    const asked = await withSignal(flight.asked, signal);
    // An answer that counts one use is for the one who asked.
    return asked.isKeepable ? asked.answer : freeze((await ask(question, signal)).answer);
  }

  clear(): void {
    this.#good.clear();
    this.#refusals.clear();
  }

  #forgetOthers(term: Term): void {
    if (this.#term === term) return;
    this.#term = term;
    this.clear();
  }

  #find(name: string, term: Term): VerifyAnswer | null {
    for (const entries of [this.#good, this.#refusals]) {
      const entry = entries.get(name);
      if (entry === undefined) continue;
      if (entry.term === term && !this.#isOver(entry)) return entry.answer;
      entries.delete(name);
    }
    return null;
  }

  #isOver({ untilMs, expiresAt }: Entry): boolean {
    const serverNow = this.#deps.lease.serverNow();
    return (
      this.#deps.monotonic() >= untilMs ||
      (expiresAt !== null && (serverNow === null || serverNow >= expiresAt))
    );
  }

  /** One question for all who ask the same at the same time; it goes on when one of them gives up. */
  #fly(name: string, question: VerifyQuestion, term: Term): Promise<KeyAnswer> {
    const sentAtMs = this.#deps.monotonic();
    const asked = this.#deps
      .ask(question)
      .then((told) => {
        freeze(told.answer);
        if (isOfTerm(told.answer, term, sentAtMs)) this.#keep(name, told, term);
        return told;
      })
      .finally(() => {
        if (this.#flights.get(name) === flight) this.#flights.delete(name);
      });
    const flight: Flight = { term, asked };
    this.#flights.set(name, flight);
    return asked;
  }

  #keep(name: string, { answer, isKeepable }: KeyAnswer, term: Term): void {
    const { lease, monotonic, limits } = this.#deps;
    if (!isKeepable || lease.current() !== term) return;
    const now = monotonic();
    const expiresAt = answer.expiresAt === null ? null : Date.parse(answer.expiresAt);
    const entry = { answer, term, places: Math.ceil(JSON.stringify(answer).length / PLACE_CHARACTERS) };
    if (KEPT.includes(answer.code))
      this.#good.set(name, { ...entry, untilMs: now + limits.maxAgeMs, expiresAt });
    // A refusal does not become less true by the expiry of the key.
    else if (REFUSALS.includes(answer.code))
      this.#refusals.set(name, { ...entry, untilMs: now + REFUSAL_MS, expiresAt: null });
  }

  /** The question under a key that only this process has and nobody can read: no credential lies in memory for long. */
  async #nameOf(question: VerifyQuestion): Promise<string> {
    const { subtle } = globalThis.crypto;
    this.#mac ??= newMacKey();
    const credential = 'key' in question ? [question.key, null] : [question.apiKey, question.secretKey];
    const { action = null, resource = null, ip = null } = question;
    const text = JSON.stringify([...credential, action, resource, ip]);
    const mac = await subtle.sign('HMAC', await this.#mac, this.#encoder.encode(text));
    return String.fromCharCode(...new Uint8Array(mac));
  }
}
