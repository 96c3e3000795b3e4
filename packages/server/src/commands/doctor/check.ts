import type { Config, Environment } from '../../config/index.ts';

/** What a check found. `code` is stable: monitoring goes by it (docs/operations/doctor.md lists all). */
export interface Finding {
  readonly code: string;
  readonly severity: 'fault' | 'warning';
  /** What was found. */
  readonly message: string;
  readonly remedy: string;
}

export interface Place {
  readonly environment: Environment;
  readonly config: Config;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Whether something listens where the server would. */
  readonly isListening: boolean;
}

export interface Check {
  readonly name: string;
  /** Changes nothing. @returns what is wrong; a text when there was nothing to look at, and why */
  run(place: Place): Promise<readonly Finding[] | string>;
}

export function fault(code: string, message: string, remedy: string): Finding {
  return { code, severity: 'fault', message, remedy };
}

export function warning(code: string, message: string, remedy: string): Finding {
  return { code, severity: 'warning', message, remedy };
}

/** The `code` that Node and the drivers give their errors; empty without one. */
export function codeOf(error: unknown): string {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
  return typeof code === 'string' ? code : '';
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
