import { readBoundedText } from './bounded-text.ts';
import type { components } from './generated/api.ts';

/** Ours have less than 20 kB, with a hundred faulty fields. */
const PROBLEM_BYTES_MAX = 256 * 1024;

/** The body of a refusal (RFC 9457): `code` is stable and has a docs page at `type`; `instance` is the request id. */
export type Problem = components['schemas']['Problem'];

/** One faulty field of a request: `field` in the spelling of the request, for instance `scopes[0].actions`. */
export interface FieldFault {
  readonly field: string;
  readonly message: string;
}

/** Code of a refusal whose body is no problem document: a proxy, a redirect, or another server answered. */
export const UNEXPECTED_ANSWER = 'client.unexpected_answer';

/**
 * The server refused, or something between refused for it. The message names what is wrong and never contains
 * a credential: neither the request nor its headers are kept.
 */
export class KeyreeveError extends Error {
  override readonly name = 'KeyreeveError';
  /** Stable, for programs: `area.reason`. {@link UNEXPECTED_ANSWER} when the answer was no problem document. */
  readonly code: string;
  /** HTTP status. */
  readonly status: number;
  readonly title: string;
  /** For people: what is wrong and what to do about it. */
  readonly detail: string;
  /** Empty unless single fields are at fault. */
  readonly errors: readonly FieldFault[];
  /** To be named to whoever runs the server; null when it did not send one. */
  readonly requestId: string | null;
  /** Docs page of the code, or null. */
  readonly docsUrl: string | null;
  /** Seconds after which the server asks to try again (`Retry-After`), or null. */
  readonly retryAfterSeconds: number | null;
  /** The whole document, with members that only some codes have; null when there was none. */
  readonly problem: Problem | null;

  constructor(
    status: number,
    problem: Problem | null,
    rest: { detail?: string; retryAfterSeconds?: number | null } = {},
  ) {
    const detail = problem?.detail ?? rest.detail ?? `The server answered ${status}.`;
    super(problem === null ? detail : `${problem.code}: ${detail}`);
    this.code = problem?.code ?? UNEXPECTED_ANSWER;
    this.status = status;
    this.title = problem?.title ?? 'Unexpected answer';
    this.detail = detail;
    this.errors = problem?.errors ?? [];
    this.requestId = problem?.instance ?? null;
    this.docsUrl = problem?.type ?? null;
    this.retryAfterSeconds = rest.retryAfterSeconds ?? null;
    this.problem = problem;
  }
}

/**
 * - `client.timeout`: no whole answer within `timeoutMs`; whether the server acted is not known
 * - `client.unreachable`: no connection, or it broke; whether the server acted is not known unless it refused
 *   the connection
 * - `client.malformed_answer`: a success whose body is not JSON, so not from a Keyreeve server
 */
export type TransportCode = 'client.timeout' | 'client.unreachable' | 'client.malformed_answer';

/** No usable answer came. `cause` is what the platform said; it holds no header of the request. */
export class KeyreeveTransportError extends Error {
  override readonly name = 'KeyreeveTransportError';
  readonly code: TransportCode;

  constructor(code: TransportCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

function isProblem(value: unknown): value is Problem {
  if (typeof value !== 'object' || value === null) return false;
  const { code, status, detail, title } = value as Partial<Record<string, unknown>>;
  return (
    typeof code === 'string' &&
    typeof status === 'number' &&
    typeof detail === 'string' &&
    typeof title === 'string'
  );
}

function readRetryAfter(response: Response): number | null {
  const header = response.headers.get('retry-after')?.trim() ?? '';
  return /^\d{1,6}$/.test(header) ? Number(header) : null;
}

async function readJson(response: Response): Promise<unknown> {
  try {
    return JSON.parse((await readBoundedText(response, PROBLEM_BYTES_MAX)) ?? '');
  } catch {
    return null;
  }
}

/**
 * The error of an answer that is not a success. Never throws: what cannot be read becomes
 * {@link UNEXPECTED_ANSWER}, and a body of unknown origin is not repeated.
 */
export async function toKeyreeveError(response: Response): Promise<KeyreeveError> {
  const retryAfterSeconds = readRetryAfter(response);
  const body = await readJson(response);
  if (isProblem(body)) return new KeyreeveError(response.status, body, { retryAfterSeconds });
  const isRedirect = response.type === 'opaqueredirect' || (response.status >= 300 && response.status < 400);
  const detail = isRedirect
    ? 'The address redirects; credentials are not sent on. Use the address to which it leads.'
    : `The server answered ${response.status} without saying why; perhaps a proxy did, or it is not a Keyreeve server.`;
  return new KeyreeveError(response.status, null, { detail, retryAfterSeconds });
}
