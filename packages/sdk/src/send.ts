import { KeyreeveTransportError } from './errors.ts';
import { atRandom } from './jitter.ts';

/**
 * - `verify`: only the question about a key (`POST /v1/keys/verify`), which changes nothing
 * - `reads`: every GET as well
 * - `none`: nothing
 */
export type RetryMode = 'none' | 'verify' | 'reads';

export interface SendOptions {
  readonly fetch: typeof globalThis.fetch;
  readonly timeoutMs: number;
  readonly retry: RetryMode;
}

const VERIFY_PATH = '/v1/keys/verify';
/** Who asks to wait longer is told on: a caller waits for the answer, and may have another way. */
const PAUSE_MS_MAX = 2_000;
const PAUSE_MS = 100;
/** A key with its 100 patterns has less than 50 kB; what is longer is no answer about a key. */
const ANSWER_BYTES_MAX = 1024 * 1024;

function isVerify(request: Request): boolean {
  return request.method === 'POST' && new URL(request.url).pathname.endsWith(VERIFY_PATH);
}

function isRepeatable(request: Request, retry: RetryMode): boolean {
  if (retry === 'none') return false;
  return isVerify(request) || (retry === 'reads' && request.method === 'GET');
}

/** Milliseconds to wait before the second try, or null when there is none. */
function findPause(response: Response): number | null {
  if (response.status !== 503) return null;
  const header = response.headers.get('retry-after');
  if (header === null) return PAUSE_MS;
  const pauseMs = /^\d{1,6}$/.test(header.trim()) ? Number(header) * 1000 : Number.POSITIVE_INFINITY;
  return pauseMs <= PAUSE_MS_MAX ? Math.max(PAUSE_MS, pauseMs) : null;
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(
      () => {
        signal.removeEventListener('abort', stop);
        resolve();
      },
      atRandom(ms, 1.5 * ms),
    );
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

function withBoundedBody(response: Response): Response {
  if (response.body === null || !response.ok) return response;
  let bytes = 0;
  const limit = new TransformStream<Uint8Array, Uint8Array>({
    transform: (part, controller) => {
      bytes += part.byteLength;
      if (bytes <= ANSWER_BYTES_MAX) controller.enqueue(part);
      else {
        const message = `The answer has more than ${ANSWER_BYTES_MAX} bytes. Is it the address of a Keyreeve server?`;
        controller.error(new KeyreeveTransportError('client.malformed_answer', message));
      }
    },
  });
  const { status, statusText, headers } = response;
  const body = (response.body as ReadableStream<Uint8Array>).pipeThrough(limit);
  return new Response(body, { status, statusText, headers });
}

/**
 * Sends a request within `timeoutMs`, its answer read, and once more when that is safe and may help: no connection,
 * or 503 with a `Retry-After` of at most 2 seconds. Both tries and the pause share the time.
 */
export function createSender(options: SendOptions): (request: Request) => Promise<Response> {
  const sendOnce = async (request: Request, signal: AbortSignal): Promise<Response> => {
    const response = await options.fetch(request, { signal });
    return isVerify(request) ? withBoundedBody(response) : response;
  };
  return async (request) => {
    const signal = AbortSignal.any([request.signal, AbortSignal.timeout(options.timeoutMs)]);
    if (!isRepeatable(request, options.retry)) return await sendOnce(request, signal);
    const again = request.clone();
    let pauseMs = PAUSE_MS;
    try {
      const response = await sendOnce(request, signal);
      const wanted = findPause(response);
      if (wanted === null) return response;
      pauseMs = wanted;
      await response.body?.cancel();
    } catch (error) {
      if (signal.aborted || !(error instanceof TypeError)) throw error;
    }
    await pause(pauseMs, signal);
    return await sendOnce(again, signal);
  };
}
