import { type ClientOptions, createClient, type KeyreeveClient, openStream } from './client.ts';
import { RevocationLease, SYSTEM_CLOCKS } from './revocation-lease.ts';
import { RevocationWatch, WATCH_TIMES } from './revocation-watch.ts';
import { VerificationCache } from './verification-cache.ts';
import { askAboutKey, type VerifyAnswer, type VerifyQuestion } from './verify-key.ts';

/** Answers that are kept in the memory of this process: see docs/sdk/verification-cache.md. */
export interface KeyCacheOptions {
  /**
   * Answers kept, 1 to 1,000,000; 10,000 by default, about 20 MB. Those used last stay. A large one, about a key with
   * many patterns, counts as one for each 2 kB.
   */
  readonly entriesMax?: number;
  /**
   * Seconds after which the server is asked anew although nothing was revoked, 1 to 300; 60 by default. The server
   * counts only what it is asked: so old may the last use of a key be that it tells.
   */
  readonly maxAgeSeconds?: number;
}

/** Who asks: a client that exists already, or what one is made of. Its credential holds `iam:keys:verify`. */
export type KeyVerifierOptions = ({ readonly client: KeyreeveClient } | ClientOptions) & {
  /** Left out, each call asks the server. `{}` keeps answers with the defaults. */
  readonly cache?: KeyCacheOptions;
};

/** What a middleware needs: asks about keys that somebody presented. Safe to share by all requests. */
export interface KeyVerifier {
  /**
   * A key that is not good is an answer, not an error: look at `valid`, and at `code` for the reason.
   *
   * @throws KeyreeveError `auth.*` when the verifier itself may not ask, `request.invalid` for a malformed question
   * @throws KeyreeveTransportError when no answer comes: then refuse the key, and say that it was not checked
   * @throws the reason of `signal` when the caller aborts
   */
  verify(question: VerifyQuestion, options?: { readonly signal?: AbortSignal }): Promise<VerifyAnswer>;
  /** Ends what runs in the background. Afterwards each call asks the server. */
  close(): Promise<void>;
}

function readWhole(name: string, value: number, max: number): number {
  if (Number.isInteger(value) && value >= 1 && value <= max) return value;
  throw new TypeError(`cache.${name} must be a whole number from 1 to ${max}.`);
}

/**
 * Asks the server about each key that is presented, or, with `cache`, uses what it answered before while nothing was
 * revoked. A revocation is honoured within 1 second (p99) and never later than 2 seconds, plus the time of a request:
 * when the server cannot be heard, nothing is used again and each call asks. While the cache is in use, a connection to
 * the server stays open; it is closed after a minute without calls.
 *
 * @throws TypeError when an option cannot be used; the message names it and repeats no value
 */
export function createKeyVerifier(options: KeyVerifierOptions): KeyVerifier {
  const client = 'client' in options ? options.client : createClient(options);
  const ask = (question: VerifyQuestion, signal?: AbortSignal) => askAboutKey(client, question, signal);
  if (options.cache === undefined) {
    return {
      verify: async (question, { signal } = {}) => (await ask(question, signal)).answer,
      close: async () => {},
    };
  }
  const { entriesMax = 10_000, maxAgeSeconds = 60 } = options.cache;
  const limits = {
    entriesMax: readWhole('entriesMax', entriesMax, 1_000_000),
    maxAgeMs: readWhole('maxAgeSeconds', maxAgeSeconds, 300) * 1000,
  };
  const clocks = SYSTEM_CLOCKS;
  const lease = new RevocationLease(clocks);
  const open = (signal: AbortSignal) => openStream(client, '/v1/revocations', signal);
  const watch = new RevocationWatch({ open, lease, clocks, times: WATCH_TIMES });
  const cache = new VerificationCache({ ask, lease, monotonic: () => clocks.monotonic(), limits });
  return {
    verify: (question, { signal } = {}) => {
      watch.touch();
      return cache.verify(question, signal);
    },
    close: async () => {
      cache.clear();
      await watch.close();
    },
  };
}
