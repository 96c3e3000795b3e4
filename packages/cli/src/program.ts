import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { addAccountCommands } from './commands/all-accounts.ts';
import { addAuditCommand } from './commands/audit.ts';
import { addCompletionCommand } from './commands/completion.ts';
import { addImportCommand } from './commands/import-keys.ts';
import { addKeyCommands } from './commands/keys.ts';
import { addPackageCommands } from './commands/packages.ts';
import { addScanCommand } from './commands/scan.ts';
import { addServerCommands } from './commands/server.ts';
import { addServiceAccountCommands } from './commands/service-accounts.ts';
import { addSessionCommands } from './commands/session.ts';
import { addSigningKeyCommands } from './commands/signing-keys.ts';
import { addTokenCommands } from './commands/tokens.ts';
import { addUserCommands } from './commands/users.ts';
import { addVerifyCommand } from './commands/verify.ts';
import { addWorkspaceCommands } from './commands/workspace.ts';
import { type CliError, EXIT, type ExitCode, formatFailure, toFailure, usageError } from './failures.ts';
import type { Outcome } from './run.ts';
import { bondOfSecretKey } from './scan/key-shape.ts';
import type { World } from './world.ts';

const HELP = `
Environment:
  KEYREEVE_URL      address of the server (http://localhost:8080)
  KEYREEVE_API_KEY  a full key; goes before a session

Secrets are read from the environment, from stdin or at a prompt, never from the command line.

Exit codes: 0 done, 1 refused, 2 wrong usage, 3 no usable answer from the server, 130 interrupted.
`;

function readVersion(): string {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return manifest.version;
}

// Commander repeats what it cannot place; that may be a secret.
function hideValues(text: string): string {
  return text
    .replace(/('--?[\w-]+=)[^']*'/, "$1…'")
    .replace(/( but got \d+): [^]*?\.\n/, '$1.\n')
    .replace(/((?:argument|value) )'[^]*?'( is invalid)/, '$1…$2');
}

const FULL_KEY = /[a-z]{2,8}_[0-9A-Za-z]{16}_[0-9A-Za-z]{49}/;
const SECRET_KEY = /^(?:.*[=:])?([0-9A-Za-z]{49})$/;

function isSecret(word: string): boolean {
  const secretKey = SECRET_KEY.exec(word)?.[1];
  return FULL_KEY.test(word) || (secretKey !== undefined && bondOfSecretKey(secretKey) !== null);
}

/** Arguments are seen by everybody on the machine, kept by shells, and some of them end in addresses and logs. */
function refuseSecrets(words: readonly string[]): void {
  if (!words.some(isSecret)) return;
  throw usageError(
    'A secret key stands on the command line: others can read it there, and the shell keeps it in its history.',
    'Regenerate that key. Hand keys over on stdin or in KEYREEVE_API_KEY.',
  );
}

/** The program with all its commands. With `isJson`, it leaves errors to whoever runs it. */
export function createProgram(world: World, outcome: Outcome, isJson = false): Command {
  const program = new Command('keyreeve')
    .description('Keeps API keys: accounts, keys, settings and imports of a Keyreeve server.')
    .version(readVersion())
    .option('--url <address>', 'address of the server, instead of KEYREEVE_URL')
    .option('--json', 'results and errors as JSON, for scripts')
    .option('-y, --yes', 'do not ask before what cannot be undone')
    .showHelpAfterError(isJson ? false : 'See --help.')
    .addHelpText('after', HELP)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => world.stdout.write(text),
      writeErr: (text) => void (isJson || world.stderr.write(text)),
      outputError: (text, writeError) => writeError(hideValues(text)),
    });
  const setting = { world, outcome };
  addSessionCommands(program, setting);
  addAccountCommands(program, setting);
  addUserCommands(program, setting);
  addServiceAccountCommands(program, setting);
  addKeyCommands(program, setting);
  addVerifyCommand(program, setting);
  addTokenCommands(program, setting);
  addSigningKeyCommands(program, setting);
  addScanCommand(program, setting);
  addCompletionCommand(program, setting);
  addImportCommand(program, setting);
  addWorkspaceCommands(program, setting);
  addAuditCommand(program, setting);
  addPackageCommands(program, setting);
  addServerCommands(program, setting);
  return program;
}

/** What commander found wrong, for scripts; people have read it already. */
function toUsageError({ code, message }: CommanderError): CliError {
  const text =
    code === 'commander.help' ? 'A command is missing.' : hideValues(message).replace(/^error: /, '');
  return usageError(text, 'See --help.');
}

function report(world: World, thrown: unknown, isJson: boolean): ExitCode {
  if (thrown instanceof CommanderError && (thrown.exitCode === 0 || !isJson))
    return thrown.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const error = thrown instanceof CommanderError ? toUsageError(thrown) : thrown;
  const failure = toFailure(error);
  if (failure === null) throw error;
  const { exitCode, code, message, ...rest } = failure;
  world.stderr.write(
    isJson ? `${JSON.stringify({ error: { code, message, ...rest } })}\n` : formatFailure(failure),
  );
  return exitCode;
}

/**
 * Runs one command.
 *
 * @param words what the user typed after the name of the program
 * @returns the exit code; everything was printed
 * @throws what is a fault of the program itself
 */
export async function runProgram(world: World, words: readonly string[]): Promise<ExitCode> {
  const outcome: Outcome = { exitCode: EXIT.ok };
  // Errors of usage come before any option is known.
  const isJson = words.includes('--json');
  const program = createProgram(world, outcome, isJson);
  try {
    refuseSecrets(words);
    await program.parseAsync(words, { from: 'user' });
    return outcome.exitCode;
  } catch (error) {
    return report(world, error, isJson);
  }
}
