import { type ClientOptions, createClient, type KeyreeveClient } from './client.ts';
import { type VerifyAnswer, type VerifyQuestion, verifyKey } from './verify-key.ts';

/** Who asks: a client that exists already, or what one is made of. Its credential holds `iam:keys:verify`. */
export type KeyVerifierOptions = { readonly client: KeyreeveClient } | ClientOptions;

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

/**
 * Asks the server about each key that is presented.
 *
 * @throws TypeError when an option cannot be used; the message names it and repeats no value
 */
export function createKeyVerifier(options: KeyVerifierOptions): KeyVerifier {
  const client = 'client' in options ? options.client : createClient(options);
  return {
    verify: (question, callOptions) => verifyKey(client, question, callOptions),
    close: async () => {},
  };
}
