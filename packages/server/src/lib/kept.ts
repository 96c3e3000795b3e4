import type { Clock } from './clock.ts';

/** Answers that may be a little old, because each costs much and many ask for the same. */
export interface KeptAnswers<Answer> {
  /** The answer that is kept under this key, otherwise what `make` finds; who asks meanwhile waits for the same. */
  get(key: string, make: () => Promise<Answer>): Promise<Answer>;
}

export interface KeptAnswersOptions {
  readonly clock: Clock;
  readonly ttlMs: number;
  /** Of more answers the oldest goes: whoever asks chooses how many there are. */
  readonly answersMax: number;
}

// A longer key is asked anew each time: keys are texts of clients, and take memory.
const KEY_CHARACTERS_MAX = 2_000;

/** @see KeptAnswers */
export function createKeptAnswers<Answer>({
  clock,
  ttlMs,
  answersMax,
}: KeptAnswersOptions): KeptAnswers<Answer> {
  const kept = new Map<string, { readonly askedAt: number; readonly answer: Promise<Answer> }>();
  return {
    async get(key, make) {
      if (key.length > KEY_CHARACTERS_MAX) return await make();
      const known = kept.get(key);
      const age = known === undefined ? Number.NaN : clock.now() - known.askedAt;
      // A clock that was set back must not keep an answer for longer.
      if (known !== undefined && age >= 0 && age < ttlMs) return await known.answer;
      const answer = make();
      const entry = { askedAt: clock.now(), answer };
      kept.delete(key);
      kept.set(key, entry);
      const oldest = kept.keys().next().value;
      if (kept.size > answersMax && oldest !== undefined) kept.delete(oldest);
      try {
        return await answer;
      } catch (error) {
        if (kept.get(key) === entry) kept.delete(key);
        throw error;
      }
    },
  };
}
