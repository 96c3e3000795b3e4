import { KeyreeveError, KeyreeveTransportError } from '@keyreeve/sdk';
import { cleanText } from './text.ts';

/** Documented in docs/cli.md; scripts depend on them. */
export const EXIT = { ok: 0, refused: 1, usage: 2, network: 3, interrupted: 130 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** A fault that the program itself finds. `message` says what is wrong, `remedy` what to do about it. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly code: string;
  readonly exitCode: ExitCode;
  readonly remedy: string | null;

  constructor(code: `cli.${string}`, message: string, rest: { exitCode?: ExitCode; remedy?: string } = {}) {
    super(message);
    this.code = code;
    this.exitCode = rest.exitCode ?? EXIT.refused;
    this.remedy = rest.remedy ?? null;
  }
}

export function usageError(message: string, remedy?: string): CliError {
  return new CliError('cli.usage', message, {
    exitCode: EXIT.usage,
    ...(remedy === undefined ? {} : { remedy }),
  });
}

/** An error as people and scripts see it. */
export interface Failure {
  readonly code: string;
  readonly exitCode: ExitCode;
  readonly message: string;
  readonly remedy: string | null;
  readonly status: number | null;
  readonly errors: readonly { readonly field: string; readonly message: string }[];
  readonly requestId: string | null;
  readonly docsUrl: string | null;
}

const NOTHING = { remedy: null, status: null, errors: [], requestId: null, docsUrl: null };
const SIGN_IN = 'Sign in with `keyreeve login`, or put a full key into KEYREEVE_API_KEY.';
const TRANSPORT_REMEDY = 'Check that the server runs, and its address in KEYREEVE_URL or --url.';

/** Null for a fault of the program itself, which nobody expected and which needs its stack trace. */
export function toFailure(error: unknown): Failure | null {
  if (error instanceof CliError) {
    return {
      ...NOTHING,
      code: error.code,
      exitCode: error.exitCode,
      message: error.message,
      remedy: error.remedy,
    };
  }
  if (error instanceof KeyreeveTransportError) {
    return {
      ...NOTHING,
      code: error.code,
      exitCode: EXIT.network,
      message: error.message,
      remedy: TRANSPORT_REMEDY,
    };
  }
  if (!(error instanceof KeyreeveError)) return null;
  const { code, status, detail, errors, requestId, docsUrl } = error;
  const isUnauthenticated = code === 'auth.required' || code === 'auth.session_ended';
  const isForeign = error.problem === null;
  const remedy = isUnauthenticated ? SIGN_IN : isForeign ? TRANSPORT_REMEDY : null;
  const exitCode = isForeign ? EXIT.network : EXIT.refused;
  return { code, exitCode, message: detail, remedy, status, errors, requestId, docsUrl };
}

/** The lines for people, for stderr. */
export function formatFailure(failure: Failure): string {
  const isSaid = (text: string) => failure.message.includes(text);
  return [
    `keyreeve: ${failure.code}: ${failure.message}`,
    ...failure.errors
      .filter(({ field, message }) => !isSaid(`${field} ${message}`))
      .map(({ field, message }) => `  ${field}: ${message}`),
    ...(failure.remedy === null ? [] : [`  ${failure.remedy}`]),
    ...(failure.docsUrl === null ? [] : [`  About this error: ${failure.docsUrl}`]),
    ...(failure.requestId === null ? [] : [`  Request: ${failure.requestId}`]),
  ]
    .map((line) => `${cleanText(line)}\n`)
    .join('');
}
