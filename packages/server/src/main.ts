import { existsSync } from 'node:fs';
import process from 'node:process';
import { COMMANDS, CommandError, commandUsageError, type ServerCommand } from './commands/index.ts';

/** `[command, its arguments]`; without a command, the server is meant. */
function findCommand(words: readonly string[]): readonly [name: string, args: readonly string[]] {
  const [first] = words;
  if (first === undefined || first.startsWith('-')) return ['serve', words];
  return [first, words.slice(1)];
}

function requireCommand(name: string): ServerCommand {
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command !== undefined) return command;
  const list = Object.entries(COMMANDS).map(([known, { summary }]) => `  ${known}: ${summary}`);
  throw commandUsageError(`There is no command ${JSON.stringify(name)}.`, list.join('\n'));
}

function isUsageFault(error: unknown): boolean {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
  return typeof code === 'string' && code.startsWith('ERR_PARSE_ARGS');
}

/** Scripts get the fault as JSON, like those of the command line; people get words. */
async function report(error: unknown, name: string, isJson: boolean): Promise<number> {
  const fault = isUsageFault(error) && error instanceof Error ? commandUsageError(error.message) : error;
  const { explainFault } = await import('./commands/explain-fault.ts');
  const exitCode = fault instanceof CommandError ? fault.exitCode : 1;
  if (isJson) {
    const code = fault instanceof CommandError ? fault.code : 'command.failed';
    const message = fault instanceof CommandError ? fault.message : explainFault(fault);
    const remedy = fault instanceof CommandError ? fault.remedy : null;
    process.stderr.write(`${JSON.stringify({ error: { code, message, remedy } })}\n`);
  } else {
    const what = name === 'serve' ? 'Keyreeve cannot start.' : `keyreeve ${name} did not succeed.`;
    const hint =
      name === 'serve' && exitCode !== 2 ? '\n`keyreeve doctor` looks for more that may be wrong.' : '';
    process.stderr.write(`\n${what}\n${explainFault(fault)}${hint}\n\n`);
  }
  return exitCode;
}

const [name, args] = findCommand(process.argv.slice(2));
try {
  // A `.env` file in the working folder fills in what the environment does not say.
  if (existsSync('.env')) process.loadEnvFile('.env');
  process.exitCode = await requireCommand(name).run(args, process.env);
} catch (error) {
  process.exitCode = await report(error, name, args.includes('--json'));
  // Open handles of a half-started server would keep the process alive.
  setTimeout(() => process.exit(), 500).unref();
}
