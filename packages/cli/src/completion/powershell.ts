import { type CommandEntry, listValueFlags, type Values } from './tree.ts';

/** In single quotes, in which only the quote itself means something. */
const quote = (text: string) => `'${text.replaceAll("'", "''")}'`;
const list = (words: readonly string[]) => `@(${words.map(quote).join(', ')})`;
const offer = ({ choices, isFile }: Values) => (isFile ? '$null' : list(choices));

function toEntry({ place, commands, options, values }: CommandEntry): string {
  const words = [
    ...commands.map(({ name, description }) => [name, description]),
    ...values.choices.map((choice) => [choice, choice]),
    ...options.flatMap(({ flags, description }) => flags.map((flag) => [flag, description])),
  ];
  const pairs = words.map(([word = '', description = '']) => `@(${quote(word)}, ${quote(description)})`);
  const offers = options
    .filter(({ hasValue }) => hasValue)
    .flatMap((option) => option.flags.map((flag) => `${quote(flag)} = ${offer(option)}`));
  return `    ${quote(place)} = @{
      Words = @(${pairs.join(', ')})
      Values = @{ ${offers.join('; ')} }
    }
`;
}

/** A script for Windows PowerShell 5.1 and PowerShell 7. Where it offers nothing, PowerShell offers files. */
export function toPowerShell(entries: readonly CommandEntry[]): string {
  return `# PowerShell completion of keyreeve. Load it with: keyreeve completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName keyreeve -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $places = @{
${entries.map(toEntry).join('')}  }
  $valueFlags = ${list(listValueFlags(entries))}
  $place = ''
  $before = ''
  $elements = @($commandAst.CommandElements | Select-Object -Skip 1 | Where-Object { $_.Extent.EndOffset -lt $cursorPosition })
  foreach ($element in $elements) {
    $word = $element.ToString()
    $isValue = $valueFlags -ccontains $before
    $before = $word
    if ($isValue) { $before = ''; continue }
    if ($word.StartsWith('-')) { continue }
    $next = "$place $word".Trim()
    if ($places.ContainsKey($next)) { $place = $next }
  }
  if ($valueFlags -ccontains $before) {
    $words = @($places[$place].Values[$before] | Where-Object { $_ } | ForEach-Object { , @($_, $_) })
  } else {
    $words = $places[$place].Words
  }
  $words | Where-Object { $_[0].StartsWith($wordToComplete) -and ($wordToComplete -or -not $_[0].StartsWith('-')) } | ForEach-Object {
    [System.Management.Automation.CompletionResult]::new($_[0], $_[0], 'ParameterValue', $_[1])
  }
}
`;
}
