import type { Environment } from '../config/index.ts';

/** One command of the server's entry: what an operator runs beside, before or instead of the server. */
export interface ServerCommand {
  /** One line for the list of commands. */
  readonly summary: string;
  /**
   * @param args what stands behind the name of the command
   * @param environment the variables of the process, a `.env` file included
   * @returns the exit code (docs/cli.md)
   * @throws CommandError, or a fault of the configuration, for the operator to read
   */
  run(args: readonly string[], environment: Environment): Promise<number>;
}

export const EXIT = { ok: 0, refused: 1, usage: 2 } as const;

/** A fault that the operator can mend. `message` says what is wrong, `remedy` what to do about it. */
export class CommandError extends Error {
  readonly code: string;
  readonly exitCode: number;
  readonly remedy: string | null;

  constructor(
    code: string,
    message: string,
    rest: { exitCode?: number; remedy?: string; cause?: unknown } = {},
  ) {
    super(message, { cause: rest.cause });
    this.name = 'CommandError';
    this.code = code;
    this.exitCode = rest.exitCode ?? EXIT.refused;
    this.remedy = rest.remedy ?? null;
  }
}

export function commandUsageError(message: string, remedy?: string): CommandError {
  return new CommandError('command.usage', message, {
    exitCode: EXIT.usage,
    ...(remedy === undefined ? {} : { remedy }),
  });
}
