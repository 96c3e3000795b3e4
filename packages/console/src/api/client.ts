import { createClient, type KeyreeveClient, KeyreeveError, KeyreeveTransportError } from '@keyreeve/sdk';
import { noteAnswer, noteSilence } from './connection.ts';
import { accountOfPage, EXPECTED_ACCOUNT_HEADER, noteOtherAccount } from './page-account.ts';
import { awaitSignIn } from './reauthentication.ts';

const TIMEOUT_MS = 10_000;

type AnyCall = (...args: readonly unknown[]) => Promise<unknown>;

function wrapCalls(client: KeyreeveClient, wrap: (call: AnyCall) => AnyCall): KeyreeveClient {
  const calls = Object.entries(client).map(([verb, call]): [string, AnyCall] => [
    verb,
    wrap(call as unknown as AnyCall),
  ]);
  return Object.freeze(Object.fromEntries(calls)) as unknown as KeyreeveClient;
}

type Send = (request: Request) => Promise<Response>;

function createPlainApi(send: Send, timeoutMs: number): KeyreeveClient {
  const namingClient = createClient({
    baseUrl: globalThis.location.origin,
    timeoutMs,
    fetch: (input, init) => {
      const request = new Request(input, init);
      const accountId = accountOfPage();
      if (accountId !== null) request.headers.set(EXPECTED_ACCOUNT_HEADER, accountId);
      return send(request);
    },
  });
  return wrapCalls(namingClient, (call) => async (...args) => {
    try {
      return await call(...args);
    } catch (error) {
      if (error instanceof KeyreeveError && error.code === 'auth.other_account') noteOtherAccount();
      throw error;
    }
  });
}

/** Straight to the server: for signing in and for everything that must not wait for a sign-in. */
export const plainApi = createPlainApi((request) => fetch(request), TIMEOUT_MS);

export function isSessionLost(error: unknown): boolean {
  return (
    error instanceof KeyreeveError &&
    error.status === 401 &&
    (error.code === 'auth.required' || error.code === 'auth.session_ended')
  );
}

/** Tells the shell whether the server answers, by what becomes of a call. */
export async function withConnection<T>(call: () => Promise<T>): Promise<T> {
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

function createPatientApi(plain: KeyreeveClient): KeyreeveClient {
  return wrapCalls(plain, (call) => async (...args) => {
    try {
      return await withConnection(() => call(...args));
    } catch (error) {
      // Only a page that was signed in has a session to lose; sign-in pages get their refusals as they are.
      if (!isSessionLost(error) || accountOfPage() === null) throw error;
      await awaitSignIn();
      return await withConnection(() => call(...args));
    }
  });
}

/**
 * The API as the pages use it: tells the shell when the server falls silent, and waits for a new sign-in. A call
 * refused because the session has ended was not carried out, so it may be sent once more.
 */
export const api = createPatientApi(plainApi);

/** The same with another way to send: for what takes longer, or tells how far it is. */
export function createApi(send: Send, timeoutMs: number): KeyreeveClient {
  return createPatientApi(createPlainApi(send, timeoutMs));
}
