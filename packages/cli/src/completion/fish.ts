import { type CommandEntry, listValueFlags, type OptionEntry, type Values } from './tree.ts';

/** In single quotes, in which only the quote and the backslash mean something. */
const quote = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

function toOption(place: string, option: OptionEntry): string {
  const flags = option.flags.map((flag) =>
    flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`,
  );
  // Without -x, fish offers files as the value of an option.
  const value = option.hasValue ? (option.isFile ? ' -r' : ' -x') : '';
  return `complete -c keyreeve -n ${at(place)} ${flags.join(' ')}${value}${offer(option)} -d ${quote(option.description)}\n`;
}

const at = (place: string) => quote(`__keyreeve_at ${quote(place)}`);
const offer = ({ choices, isFile }: Values) =>
  isFile ? ' -F' : choices.length > 0 ? ` -a ${quote(choices.join(' '))}` : '';

function toLines({ place, commands, options, values }: CommandEntry): string {
  const words = commands.map(
    ({ name, description }) => `complete -c keyreeve -n ${at(place)} -a ${name} -d ${quote(description)}\n`,
  );
  const own = offer(values);
  return [
    ...words,
    ...(own === '' ? [] : [`complete -c keyreeve -n ${at(place)}${own}\n`]),
    ...options.map((option) => toOption(place, option)),
  ].join('');
}

/** A script for fish 3 and later. */
export function toFish(entries: readonly CommandEntry[]): string {
  return `# fish completion of keyreeve. Load it with: keyreeve completion fish | source
function __keyreeve_at
  set -l place ''
  set -l is_value 0
  for word in (commandline -opc)[2..-1]
    if test $is_value = 1
      set is_value 0
      continue
    end
    switch $word
      case ${listValueFlags(entries).join(' ')}
        set is_value 1
        continue
      case '-*'
        continue
    end
    set -l next (string trim "$place $word")
    if contains -- $next ${entries.map(({ place }) => quote(place)).join(' ')}
      set place $next
    end
  end
  test "$place" = "$argv[1]"
end
complete -c keyreeve -f
${entries.map(toLines).join('')}`;
}
