import createFetchClient, { type Client, type FetchResponse, type MaybeOptionalInit } from 'openapi-fetch';
import { type Credential, toHeader } from './credential.ts';
import { KeyreeveError, KeyreeveTransportError, toKeyreeveError } from './errors.ts';
import type { paths } from './generated/api.ts';
import { readAddress, readTimeout } from './options.ts';
import { createSender, type RetryMode } from './send.ts';

export interface ClientOptions {
  /** Address of the workspace, for instance `https://keys.example.com`; a path in it is kept as a prefix. */
  readonly baseUrl: string;
  /** Without one, requests are anonymous; in a browser they carry the session cookie of the same site. */
  readonly credential?: Credential;
  /** Instead of the global `fetch`, for instance one with its own proxy or certificates. */
  readonly fetch?: typeof globalThis.fetch;
  /** Milliseconds for a whole request, its answer read; 30,000 by default. */
  readonly timeoutMs?: number;
  /**
   * What is sent once more when there was no connection, or the server answered 503 and asks for at most 2 seconds
   * of patience. `verify` by default; what changes anything is never sent twice.
   */
  readonly retry?: RetryMode;
}

export interface Answer<Data> {
  readonly data: Data;
  /** For headers, for instance the `ETag`; its body has been read. */
  readonly response: Response;
}

type Verb = 'get' | 'put' | 'post' | 'patch' | 'delete';
type PathWith<V extends Verb> = {
  [P in keyof paths]: paths[P] extends { [K in V]: unknown } ? P : never;
}[keyof paths];
type OperationOf<P extends keyof paths, V extends Verb> = Extract<
  paths[P][V],
  Record<string | number, unknown>
>;
type DataOf<P extends keyof paths, V extends Verb, Init> = Extract<
  FetchResponse<OperationOf<P, V>, Init, `${string}/${string}`>,
  { error?: never }
>['data'];
type InitArguments<Init> = undefined extends Init ? [init?: Init] : [init: Init];

/**
 * One call of the API: the path as the OpenAPI document spells it, then `{ params: { path, query }, body,
 * headers, signal }`. Types say which of them the path takes, and refuse unknown fields.
 *
 * @throws KeyreeveError when the answer is not a success
 * @throws KeyreeveTransportError when no usable answer comes
 * @throws the reason of `signal` when the caller aborts
 */
export type Call<V extends Verb> = <P extends PathWith<V>, Init extends MaybeOptionalInit<paths[P], V>>(
  path: P,
  ...init: InitArguments<Init>
) => Promise<Answer<DataOf<P, V, Init>>>;

/** The whole API of `docs/api/openapi.json`, typed. Printing or inspecting it shows no credential. */
export interface KeyreeveClient {
  readonly GET: Call<'get'>;
  readonly PUT: Call<'put'>;
  readonly POST: Call<'post'>;
  readonly PATCH: Call<'patch'>;
  readonly DELETE: Call<'delete'>;
}

const DEFAULT_TIMEOUT_MS = 30_000;

/** Runs one call and turns what the platform throws into our errors; an abort by the caller passes through. */
async function withOwnErrors<T>(
  baseUrl: string,
  timeoutMs: number,
  signal: AbortSignal | null,
  call: () => Promise<T>,
): Promise<T> {
  try {
    return await call();
  } catch (error) {
    const isOurs = error instanceof KeyreeveError || error instanceof KeyreeveTransportError;
    if (isOurs || signal?.aborted === true) throw error;
    if (error instanceof SyntaxError) {
      const message = `${baseUrl} answered something that is not JSON. Is it the address of a Keyreeve server?`;
      throw new KeyreeveTransportError('client.malformed_answer', message);
    }
    if (error instanceof Error && error.name === 'TimeoutError') {
      throw new KeyreeveTransportError('client.timeout', `${baseUrl} did not answer within ${timeoutMs} ms.`);
    }
    const reason = error instanceof Error && error.cause instanceof Error ? error.cause.message : '';
    const message = `${baseUrl} cannot be reached${reason === '' ? '' : `: ${reason}`}.`;
    throw new KeyreeveTransportError('client.unreachable', message, { cause: error });
  }
}

/**
 * A client of one workspace. The credential lives in a closure only: it is sent to `baseUrl`, never along a
 * redirect, and appears in no error, log or inspection. Only what `retry` names is ever sent twice.
 *
 * @throws TypeError when an option cannot be used; the message names it and repeats no value
 */
export function createClient(options: ClientOptions): KeyreeveClient {
  const baseUrl = readAddress('baseUrl', options.baseUrl);
  const timeoutMs = readTimeout(options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
  const header = options.credential === undefined ? null : toHeader(options.credential);
  const send = options.fetch ?? globalThis.fetch;
  const client = createFetchClient<paths>({
    baseUrl,
    redirect: 'manual',
    fetch: createSender({ fetch: send, timeoutMs, retry: options.retry ?? 'verify' }),
  });
  client.use({
    onRequest: ({ request }) => {
      request.headers.set('accept', 'application/json, application/problem+json');
      if (header !== null) request.headers.set(...header);
    },
    onResponse: async ({ response }) => {
      if (!response.ok) throw await toKeyreeveError(response);
    },
  });
  const callWith = <V extends Verb>(verb: Uppercase<V>) => wrap<V>(client, verb, { baseUrl, timeoutMs });
  const made: KeyreeveClient = Object.freeze({
    GET: callWith<'get'>('GET'),
    PUT: callWith<'put'>('PUT'),
    POST: callWith<'post'>('POST'),
    PATCH: callWith<'patch'>('PATCH'),
    DELETE: callWith<'delete'>('DELETE'),
  });
  STREAMS.set(made, (path, signal) => {
    const headers = new Headers({ accept: 'text/event-stream' });
    if (header !== null) headers.set(...header);
    return send(new Request(`${baseUrl}${path}`, { headers, redirect: 'manual', signal }));
  });
  return made;
}

/** Kept apart from the client: it has no deadline, and is for this package alone. */
const STREAMS = new WeakMap<KeyreeveClient, (path: string, signal: AbortSignal) => Promise<Response>>();

/**
 * An answer that does not end by itself, with the credential of the client.
 *
 * @throws KeyreeveError when it is refused; TypeError for a client that `createClient` has not made
 */
export async function openStream(
  client: KeyreeveClient,
  path: string,
  signal: AbortSignal,
): Promise<Response> {
  const open = STREAMS.get(client);
  if (open === undefined) throw new TypeError('client must have been made by createClient.');
  const response = await open(path, signal);
  if (!response.ok) throw await toKeyreeveError(response);
  return response;
}

type LooseCall = (path: string, init?: { signal?: AbortSignal | null }) => Promise<Answer<unknown>>;

function wrap<V extends Verb>(
  client: Client<paths>,
  verb: Uppercase<V>,
  place: { baseUrl: string; timeoutMs: number },
): Call<V> {
  // The types of the two sides say the same, but only for each path by itself; refusals were thrown above.
  const call = client[verb] as unknown as LooseCall;
  const wrapped: LooseCall = (path, init) =>
    withOwnErrors(place.baseUrl, place.timeoutMs, init?.signal ?? null, async () => {
      const { data, response } = await call(path, init);
      return { data, response };
    });
  return wrapped as unknown as Call<V>;
}

/**
 * The header of an edit: it applies only while the thing is still in the version that was seen.
 *
 * @param seen `version` of the thing, or the `ETag` of its answer
 */
export function ifMatch(seen: number | string): { 'if-match': string } {
  return { 'if-match': typeof seen === 'number' ? `"${seen}"` : seen };
}
