import { createClient, type KeyreeveClient, KeyreeveError, KeyreeveTransportError } from '@keyreeve/sdk';
import { noteAnswer, noteSilence } from './connection.ts';
import { awaitSignIn, canReauthenticate } from './reauthentication.ts';

const TIMEOUT_MS = 10_000;

/** Straight to the server: for signing in and for everything that must not wait for a sign-in. */
export const plainApi: KeyreeveClient = createClient({
  baseUrl: globalThis.location.origin,
  timeoutMs: TIMEOUT_MS,
});

function isSessionLost(error: unknown): boolean {
  return (
    error instanceof KeyreeveError &&
    error.status === 401 &&
    (error.code === 'auth.required' || error.code === 'auth.session_ended')
  );
}

async function withConnection<T>(call: () => Promise<T>): Promise<T> {
  try {
    const answer = await call();
    noteAnswer();
    return answer;
  } catch (error) {
    if (error instanceof KeyreeveError) noteAnswer();
    if (error instanceof KeyreeveTransportError && error.code !== 'client.malformed_answer') noteSilence();
    throw error;
  }
}

type AnyCall = (...args: readonly unknown[]) => Promise<unknown>;

/** A call refused because the session has ended was not carried out, so it may be sent once more. */
function patient(call: AnyCall): AnyCall {
  return async (...args) => {
    try {
      return await withConnection(() => call(...args));
    } catch (error) {
      if (!isSessionLost(error) || !canReauthenticate()) throw error;
      await awaitSignIn();
      return await withConnection(() => call(...args));
    }
  };
}

/** The API as the pages use it: tells the shell when the server falls silent, waits for a new sign-in. */
export const api = Object.freeze(
  Object.fromEntries(
    Object.entries(plainApi).map(([verb, call]) => [verb, patient(call as unknown as AnyCall)]),
  ),
) as unknown as KeyreeveClient;
