import type { Command, Option } from 'commander';

/** What may stand where a value is expected: one of these words, a file, or what no shell can know. */
export interface Values {
  readonly choices: readonly string[];
  readonly isFile: boolean;
}

export interface OptionEntry extends Values {
  /** `--json`, or `-y` and `--yes`. */
  readonly flags: readonly string[];
  readonly description: string;
  readonly hasValue: boolean;
}

export interface CommandEntry {
  /** The words that lead to it: `keys create`; empty for the program itself. */
  readonly place: string;
  readonly commands: readonly { readonly name: string; readonly description: string }[];
  /** Its own and those that every command takes. */
  readonly options: readonly OptionEntry[];
  /** What its arguments may be. */
  readonly values: Values;
}

const FILE_NAME = /^(file|path|folder|archive)\b/;

function toOptionEntry(option: Option): OptionEntry {
  const { short, long, description, argChoices, flags } = option;
  return {
    flags: [short, long].filter((flag) => flag !== undefined),
    description,
    hasValue: option.required || option.optional,
    choices: argChoices ?? [],
    isFile: FILE_NAME.test(/<([^<>]+)>/.exec(flags)?.[1] ?? ''),
  };
}

/** Every command of the program, in the order of its help, for the shells. */
export function listCommands(command: Command, place = ''): CommandEntry[] {
  const help = command.createHelp();
  const commands = help.visibleCommands(command).filter((child) => command.commands.includes(child));
  const options = [...help.visibleOptions(command)];
  for (let parent = command.parent; parent !== null; parent = parent.parent)
    options.push(...parent.options.filter(({ long }) => long !== '--version'));
  const own: CommandEntry = {
    place,
    commands: commands.map((child) => ({ name: child.name(), description: child.description() })),
    options: options.map(toOptionEntry),
    values: {
      choices: command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
      isFile: command.registeredArguments.some((argument) => FILE_NAME.test(argument.name())),
    },
  };
  return [own, ...commands.flatMap((child) => listCommands(child, `${place} ${child.name()}`.trim()))];
}

/** Flags after which a value follows. An option means the same in every command that has it; a test holds it to that. */
export function listValueFlags(entries: readonly CommandEntry[]): string[] {
  const flags = entries.flatMap(({ options }) =>
    options.filter(({ hasValue }) => hasValue).flatMap((one) => one.flags),
  );
  return [...new Set(flags)];
}

/** The options of a command after which something can be offered. */
export function listOffers({ options }: CommandEntry): readonly OptionEntry[] {
  return options.filter(({ choices, isFile }) => choices.length > 0 || isFile);
}
