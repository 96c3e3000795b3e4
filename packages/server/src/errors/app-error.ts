/** One field of the request that is at fault: where, what is wrong, and what would pass. */
export interface FieldFault {
  /** Path of the field, for instance `scopes[0].resources[2]`. */
  readonly field: string;
  readonly message: string;
}

export interface AppErrorOptions {
  /** Public text: names the field, the limit and the remedy; never a secret. Default: the entry's remedy. */
  readonly detail?: string;
  readonly fields?: readonly FieldFault[];
  /** For the log only. */
  readonly internal?: string;
  /** Further members of the problem document; documented with the code. */
  readonly extra?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

export interface ErrorEntry {
  /** `area.reason`, unique, never changed once released. */
  readonly code: string;
  readonly status: number;
  /** What happened, the same words each time. */
  readonly title: string;
  /** What to do about it; the body of the docs page of the code. */
  readonly remedy: string;
}

/** The only error that is thrown on purpose. Anything else that reaches the presenter is a bug, and a 500. */
export class AppError extends Error {
  readonly entry: ErrorEntry;
  readonly detail: string;
  readonly fields: readonly FieldFault[];
  readonly internal: string | undefined;
  readonly extra: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(entry: ErrorEntry, options: AppErrorOptions = {}) {
    super(`${entry.code}: ${options.internal ?? options.detail ?? entry.title}`, { cause: options.cause });
    this.name = 'AppError';
    this.entry = entry;
    this.detail = options.detail ?? entry.remedy;
    this.fields = options.fields ?? [];
    this.internal = options.internal;
    this.extra = options.extra ?? {};
    this.headers = options.headers ?? {};
  }

  get code(): string {
    return this.entry.code;
  }

  get status(): number {
    return this.entry.status;
  }
}

export function hasErrorCode(error: unknown, code: string): error is AppError {
  return error instanceof AppError && error.code === code;
}
