import { type CommandEntry, listOffers, listValueFlags, type Values } from './tree.ts';

// Only words of the program itself come here: letters, digits, `-` and blanks between them.
const offer = ({ choices, isFile }: Values) => (isFile ? 'files=1' : `offered='${choices.join(' ')}'`);

function toCase(entry: CommandEntry): string {
  const { place, commands, options, values } = entry;
  const words = [...commands.map(({ name }) => name), ...values.choices];
  const flags = options.flatMap((option) => option.flags);
  return `    '${place}') words='${words.join(' ')}' flags='${flags.join(' ')}' is_file=${values.isFile ? 1 : 0} ;;\n`;
}

function toValueCases(entry: CommandEntry): string {
  return listOffers(entry)
    .map(
      (option) =>
        `    ${option.flags.map((flag) => `'${entry.place}:${flag}'`).join('|')}) ${offer(option)} ;;\n`,
    )
    .join('');
}

/** A script for bash 3.2 and later, with or without the package bash-completion. */
export function toBash(entries: readonly CommandEntry[]): string {
  const places = entries.map(({ place }) => `'${place}'`).join('|');
  return `# bash completion of keyreeve. Load it with: source <(keyreeve completion bash)
_keyreeve() {
  local current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]}
  local place='' word next index=1 words='' flags='' is_file=0 offered='' files=0
  # Readline parts words at "=": --format=json comes as three.
  if [[ $current == '=' ]]; then current=''
  elif [[ $before == '=' ]]; then before=\${COMP_WORDS[COMP_CWORD-2]}; fi
  while (( index < COMP_CWORD )); do
    word=\${COMP_WORDS[index]}
    index=$(( index + 1 ))
    case $word in
      ${listValueFlags(entries).join('|')})
        [[ \${COMP_WORDS[index]} == '=' ]] && index=$(( index + 1 ))
        index=$(( index + 1 ))
        continue ;;
      -*) continue ;;
    esac
    next=\${place:+$place }$word
    case $next in ${places}) place=$next ;; esac
  done
  case $place in
${entries.map(toCase).join('')}  esac
  COMPREPLY=()
  case $before in
    ${listValueFlags(entries).join('|')})
      case "$place:$before" in
${entries.map(toValueCases).join('')}      esac
      words='' flags='' is_file=$files
      [[ -n $offered ]] && words=$offered ;;
  esac
  if [[ $current == -* ]]; then words=$flags is_file=0; fi
  COMPREPLY=( $(compgen -W "$words" -- "$current") )
  if (( is_file )); then
    compopt -o filenames 2>/dev/null
    # Not in an array at once, where a file named "*" would stand for all others.
    while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "$current")
  fi
}
complete -F _keyreeve keyreeve
`;
}
