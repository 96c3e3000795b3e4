import { AppError, type AppErrorOptions, type ErrorEntry } from './app-error.ts';

type Definition = Omit<ErrorEntry, 'code'>;
type Factories<Definitions> = {
  readonly [Reason in keyof Definitions]: (options?: AppErrorOptions) => AppError;
};

const registry = new Map<string, ErrorEntry>();

/**
 * Declares the errors of one area and returns a factory for each. A code that is declared twice stops the
 * start: two meanings of one code cannot be told apart by a client.
 */
export function defineErrors<const Definitions extends Record<string, Definition>>(
  area: string,
  definitions: Definitions,
): Factories<Definitions> {
  const factories: Record<string, (options?: AppErrorOptions) => AppError> = {};
  for (const [reason, definition] of Object.entries(definitions)) {
    const entry: ErrorEntry = { code: `${area}.${reason}`, ...definition };
    if (registry.has(entry.code)) throw new Error(`The error code ${entry.code} is defined twice.`);
    registry.set(entry.code, entry);
    factories[reason] = (options) => new AppError(entry, options);
  }
  return factories as Factories<Definitions>;
}

/** Every declared code, sorted. The docs pages are generated from it. */
export function listErrorEntries(): readonly ErrorEntry[] {
  return [...registry.values()].toSorted((a, b) => (a.code < b.code ? -1 : 1));
}

export function findErrorEntry(code: string): ErrorEntry | undefined {
  return registry.get(code);
}
