import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { CliError, type ExitCode } from '../failures.ts';
import type { Setting } from '../run.ts';
import type { World } from '../world.ts';

/** Commands of the server itself take their settings from the environment that the server takes them from. */
const HELP = `
Runs on the machine of the server, with the same KEYREEVE_… variables (or .env file) and as the same user.
`;

function findServer(): string {
  try {
    return fileURLToPath(import.meta.resolve('@keyreeve/server/main'));
  } catch {
    throw new CliError('cli.server_not_installed', 'The package @keyreeve/server is not installed here.', {
      remedy: 'Run this command on the machine of the server, where the package is.',
    });
  }
}

function hasTerminal(): boolean {
  return [process.stdin, process.stdout, process.stderr].some(({ isTTY }) => isTTY);
}

/**
 * Runs one command of the server as a child that has our terminal, gets our signals, and whose exit code is ours.
 *
 * @returns 128 and the number of the signal when one ended it, as a shell says it
 */
async function runServerCommand(world: World, words: readonly string[]): Promise<ExitCode> {
  const child = spawn(process.execPath, [findServer(), ...words], {
    env: { ...world.env },
    stdio: 'inherit',
  });
  const pass = (signal: NodeJS.Signals) => {
    // A terminal hands Ctrl-C to both of us; a second one would cut short what the child ends in order.
    if (signal !== 'SIGINT' || !hasTerminal()) child.kill(signal);
  };
  const signals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.on(signal, pass);
  try {
    return await new Promise<ExitCode>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        const exitCode = signal === null ? code : 128 + constants.signals[signal];
        resolve((exitCode ?? 1) as ExitCode);
      });
    });
  } finally {
    for (const signal of signals) process.off(signal, pass);
  }
}

type Options = Readonly<Record<string, unknown>>;

/** The options that the user gave, spelled again: `withoutPackages: true` is `--without-packages`. */
function spellOptions(options: Options): string[] {
  return Object.entries(options).flatMap(([name, value]) => {
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    if (value === true) return [flag];
    return typeof value === 'string' ? [`${flag}=${value}`] : [];
  });
}

/** Adds a command that the server runs; what commander knows of it serves help and completion. */
export function addServerCommand(
  program: Command,
  setting: Setting,
  spelling: string,
  description: string,
  /** Words that stand before the name, where it is a command of another one. */
  before: readonly string[] = [],
): Command {
  return program
    .command(spelling)
    .description(description)
    .addHelpText('after', HELP)
    .action(async (...parameters: unknown[]) => {
      const command = parameters.at(-1) as Command;
      const isJson = command.optsWithGlobals<{ json?: boolean }>().json === true;
      const words = [
        ...before,
        command.name(),
        ...spellOptions(command.opts()),
        ...(isJson ? ['--json'] : []),
        ...(command.args.length === 0 ? [] : ['--', ...command.args]),
      ];
      setting.outcome.exitCode = await runServerCommand(setting.world, words);
    });
}

export function addServerCommands(program: Command, setting: Setting): void {
  addServerCommand(program, setting, 'serve', 'start the server').option(
    '--demo',
    'fill an empty database with a company to look at',
  );
  addServerCommand(
    program,
    setting,
    'backup [file]',
    'write everything but the master key into one file, while the server runs; - for stdout',
  )
    .option('--force', 'replace a file of that name')
    .option('--without-packages', 'leave the files of packages out');
  addServerCommand(
    program,
    setting,
    'restore <file>',
    'put a backup into an empty place; - for stdin',
  ).option('--send-pending', 'send the mails and webhooks that were waiting, which may have been sent');
  addServerCommand(
    program,
    setting,
    'doctor',
    'look for faults of the installation; ends with 1 when it has any',
  );
  addServerCommand(
    program,
    setting,
    'master-key <action>',
    'rotate: put a new master key in the place of the old one',
  );
  addServerCommand(program, setting, 'pepper <action>', 'rotate: store new secrets under a new pepper');
}
