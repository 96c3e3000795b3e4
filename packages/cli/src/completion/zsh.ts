import { type CommandEntry, listOffers, listValueFlags, type Values } from './tree.ts';

/** In single quotes, in which only the quote itself means something. */
const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
/** A word and what it is, divided by the first colon. */
const describe = (word: string, description: string) =>
  quote(`${word.replaceAll(':', '\\:')}:${description}`);
const offer = ({ choices, isFile }: Values) => (isFile ? 'files=1' : `offered=(${choices.join(' ')})`);

function toCase({ place, commands, options, values }: CommandEntry): string {
  const words = commands.map(({ name, description }) => describe(name, description));
  const flags = options.flatMap((option) => option.flags.map((flag) => describe(flag, option.description)));
  return `      (${quote(place)})
        commands=(${words.join(' ')})
        flags=(${flags.join(' ')})
        ${offer(values)} ;;
`;
}

function toValueCases(entry: CommandEntry): string {
  return listOffers(entry)
    .map(
      (one) =>
        `        (${one.flags.map((flag) => quote(`${entry.place}:${flag}`)).join('|')}) ${offer(one)} ;;\n`,
    )
    .join('');
}

/** A script that works as the file `_keyreeve` of `fpath`, and when it is sourced after `compinit`. */
export function toZsh(entries: readonly CommandEntry[]): string {
  const valueFlags = listValueFlags(entries).join('|');
  return `#compdef keyreeve
# zsh completion of keyreeve. Load it with: source <(keyreeve completion zsh)
_keyreeve() {
  local place='' word next before=$words[CURRENT-1]
  local -i index=2 files=0
  local -a commands flags offered
  local -a places=(${entries.map(({ place }) => quote(place)).join(' ')})
  if [[ $words[CURRENT] == --*=* ]]; then
    before=\${words[CURRENT]%%=*}
    compset -P '*='
  fi
  while (( index < CURRENT )); do
    word=$words[index]
    (( index += 1 ))
    case $word in
      (${valueFlags}) (( index += 1 )); continue ;;
      (-*) continue ;;
    esac
    next=\${place:+$place }$word
    (( \${places[(Ie)$next]} )) && place=$next
  done
  case $before in
    (${valueFlags})
      case "$place:$before" in
${entries.map(toValueCases).join('')}      esac ;;
    (*)
      case $place in
${entries.map(toCase).join('')}      esac
      if [[ $words[CURRENT] == -* ]]; then
        _describe -t options option flags
        return
      fi ;;
  esac
  (( $#commands )) && _describe -t commands command commands
  (( $#offered )) && compadd -- $offered
  (( files )) && _files
}
if [[ $funcstack[1] == _keyreeve ]]; then _keyreeve "$@"; else compdef _keyreeve keyreeve; fi
`;
}
