import { Argument, type Command } from 'commander';
import { toBash } from '../completion/bash.ts';
import { toFish } from '../completion/fish.ts';
import { toPowerShell } from '../completion/powershell.ts';
import { type CommandEntry, listCommands } from '../completion/tree.ts';
import { toZsh } from '../completion/zsh.ts';
import { type Setting, withRun } from '../run.ts';

const WRITERS: Readonly<Record<string, (entries: readonly CommandEntry[]) => string>> = {
  bash: toBash,
  zsh: toZsh,
  fish: toFish,
  powershell: toPowerShell,
};

const HELP = `
Load it where your shell starts:
  bash        ~/.bashrc:                   source <(keyreeve completion bash)
  zsh         ~/.zshrc, after compinit:    source <(keyreeve completion zsh)
  fish        ~/.config/fish/config.fish:  keyreeve completion fish | source
  PowerShell  $PROFILE:                    keyreeve completion powershell | Out-String | Invoke-Expression
`;

/** Prints what a shell needs to complete commands, options and their values. */
export function addCompletionCommand(program: Command, setting: Setting): void {
  program
    .command('completion')
    .description('print the script that lets your shell complete this command')
    .addArgument(new Argument('<shell>').choices(Object.keys(WRITERS)))
    .addHelpText('after', HELP)
    .action(
      withRun(setting, async (run, shell: string) => {
        const script = WRITERS[shell]?.(listCommands(program)) ?? '';
        await run.result({ shell, script }, script);
      }),
    );
}
