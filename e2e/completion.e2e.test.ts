import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from './run.ts';

const CLI = path.resolve(import.meta.dirname, '../packages/cli/src/bin.ts');
const SHELLS = ['bash', 'zsh', 'fish', 'powershell'] as const;

/** Names that a shell would run, or take for all files of the folder. */
const ODD_FILES = ['odd $(touch ran)', 'odd*', 'odd;touch ran', 'odd`touch ran`', 'oddly'];

let folder: string;
const scripts: Partial<Record<(typeof SHELLS)[number], string>> = {};

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'keyreeve-completion-'));
  writeFileSync(path.join(folder, 'keys of mine.csv'), '');
  mkdirSync(path.join(folder, 'source'));
  for (const name of ODD_FILES) writeFileSync(path.join(folder, name), '');
  for (const shell of SHELLS) {
    const { code, stdout, output } = await run(process.execPath, [CLI, 'completion', shell]);
    expect(code, output).toBe(0);
    scripts[shell] = stdout;
    writeFileSync(path.join(folder, shell), stdout);
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function runShell(file: string, words: readonly string[]): Promise<string> {
  const ended = await run(file, words, {
    cwd: folder,
    env: { HOME: folder, TERM: 'xterm' },
    timeoutMs: 30_000,
  });
  expect(ended.stderr).toBe('');
  return ended.stdout;
}

/** What is typed before the completion, and all that is offered. `=` parts words only in bash. */
const OFFERS: readonly (readonly [typed: string, offered: readonly string[]])[] = [
  ['wh', ['whoami']],
  ['keys re', ['regenerate', 'revoke-self']],
  ['--json keys --url http://127.0.0.1 sho', ['show']],
  ['keys list --status e', ['expired', 'expiring']],
  ['keys list --acc', ['--account']],
  ['keys list --account keys sh', []],
  ['users create --role ', ['admin', 'member']],
  ['scan --format=s', ['sarif']],
  ['scan --fail-on ', ['found', 'live']],
  ['completion p', ['powershell']],
  ['import-keys key', ['keys of mine.csv']],
  ['restore odd', ODD_FILES],
  ['import-keys --format ', ['csv', 'jsonl']],
  ['whoami --y', ['--yes']],
];

const BASH_LOADERS = [
  ['alone', 'source ./bash'],
  [
    'with bash-completion, which finds it by its name',
    'source /usr/share/bash-completion/bash_completion; _completion_loader keyreeve',
  ],
] as const;

describe.each(BASH_LOADERS)('bash %s', (_name, load) => {
  it('offers commands, options, their values and files', async () => {
    const completions = path.join(folder, '.local/share/bash-completion/completions');
    mkdirSync(completions, { recursive: true });
    writeFileSync(path.join(completions, 'keyreeve'), scripts.bash ?? '');
    const asks = OFFERS.map(([typed]) => {
      const words = ['keyreeve', ...typed.replace('=', ' = ').split(' ')].map((word) => `'${word}'`);
      return `COMP_WORDS=(${words.join(' ')}) COMP_CWORD=${words.length - 1}; $function; printf '%s\\n' "\${COMPREPLY[@]}" --`;
    });
    const find = `function=$(complete -p keyreeve | sed 's/.* -F \\([^ ]*\\) .*/\\1/')`;
    const output = await runShell('/bin/bash', [
      '--norc',
      '--noprofile',
      '-c',
      [load, find, ...asks].join('\n'),
    ]);
    const offered = output
      .split('--\n')
      .slice(0, -1)
      .map((text) => text.split('\n').filter(Boolean).toSorted());
    expect(offered).toEqual(OFFERS.map(([, words]) => words));
    expect(existsSync(path.join(folder, 'ran'))).toBe(false);
  });
});

describe('fish', () => {
  it('offers commands, options, their values and files', async () => {
    const asks = OFFERS.map(([typed]) => `complete -C 'keyreeve ${typed}'; echo ==`);
    const output = await runShell('/usr/bin/fish', [
      '--no-config',
      '-c',
      ['source ./fish', ...asks].join('\n'),
    ]);
    const offered = output
      .split('==\n')
      .slice(0, -1)
      // What follows the tab is the description; a value after `=` comes with its option.
      .map((text) =>
        text
          .split('\n')
          .filter(Boolean)
          .map((line) => line.replace(/\t.*$/, '').replace(/^--\w+=/, '')),
      )
      .map((words) => words.toSorted());
    expect(offered).toEqual(OFFERS.map(([, words]) => words));
    expect(existsSync(path.join(folder, 'ran'))).toBe(false);
  });
});

/** Types into a shell at a terminal of its own, presses Tab, and prints the line as it is then. */
const DRIVER = `
zmodload zsh/zpty
zpty shell "$1"
zpty -w shell "stty columns 200; $2; print_ready() { printf '%s' rea; echo dy; }; print_ready"
zpty -r shell output '*ready*'
for typed in "\${@:3}"; do
  zpty -w -n shell "$typed"$'\\t\\x07'
  zpty -r shell output '*@@*@@*'
  print -r -- "\${\${output##*@@keyreeve }%%@@*}"
done
zpty -d shell
`;

describe.each([
  [
    'zsh',
    'zsh -f -i',
    'autoload -Uz compinit; compinit -u -D; source ./zsh; show() { print -r -- "@@$BUFFER@@"; BUFFER=; }; zle -N show; bindkey "^G" show',
  ],
  [
    'bash',
    'bash --norc --noprofile -i',
    `unset HISTFILE; source ./bash; show() { printf '@@%s@@\\n' "$READLINE_LINE"; READLINE_LINE=; }; bind -x '"\\C-g": show'`,
  ],
])('at a terminal, %s', (_name, command, load) => {
  it('completes what has one end', async () => {
    const typed = [
      'keyreeve wh',
      'keyreeve users cr',
      'keyreeve keys list --status=d',
      'keyreeve scan --fo',
      'keyreeve import-keys ke',
    ];
    const output = await runShell('/usr/bin/zsh', ['-f', '-c', DRIVER, 'driver', command, load, ...typed]);
    expect(
      output
        .split('\n')
        .map((line) => line.trimEnd())
        .filter(Boolean),
    ).toEqual([
      'whoami',
      'users create',
      'keys list --status=disabled',
      'scan --format',
      'import-keys keys\\ of\\ mine.csv',
    ]);
  });
});

// There is no PowerShell in Debian: what it would read is looked at, not run.
describe('PowerShell', () => {
  it('gets every command, its options and their values', () => {
    const script = scripts.powershell ?? '';
    expect(script).toContain('Register-ArgumentCompleter -Native -CommandName keyreeve');
    for (const text of ["'keys create' = @{", "@('--format', '", "'--fail-on' = @('found', 'live')"])
      expect(script).toContain(text);
    expect(script.split("'").length % 2).toBe(1);
  });
});
