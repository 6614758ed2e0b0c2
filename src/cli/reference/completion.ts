/** Completion for bash and zsh, generated from the flag table. Pure. The packages install it. */
import { type Command, commandNames, commands, type Flag, flagTable } from '../flags.js';
import { flagsOf } from './flags-table.js';

const program = 'filebeat-port-exporter';
const flags: [string, Flag][] = Object.entries(flagTable);

type Completed = { kind: 'file' } | { kind: 'folder' } | { kind: 'words'; words: string[] } | { kind: 'nothing' };

/** How the value of a flag is completed. */
function completedBy(flag: Exclude<Flag, { kind: 'toggle' }>): Completed {
  if (flag.placeholder === 'FILE') return { kind: 'file' };
  if (flag.placeholder === 'DIR') return { kind: 'folder' };
  if (flag.placeholder.includes('|')) return { kind: 'words', words: flag.placeholder.split('|') };
  return { kind: 'nothing' };
}

function bashCase([name, flag]: [string, Flag]): string[] {
  if (flag.kind === 'toggle') return [];
  const value = completedBy(flag);
  const how = {
    file: '_fpe_files -f',
    folder: '_fpe_files -d',
    words: value.kind === 'words' ? `_fpe_words "${value.words.join(' ')}"` : '',
    nothing: ':',
  }[value.kind];
  return [`    --${name}) ${how}; return ;;`];
}

const bashFlags = (command: Command) =>
  flagsOf(command)
    .map(([name, flag]) => `--${name}${flag.kind === 'toggle' ? '' : '='}`)
    .join(' ');

/** Content of `/usr/share/bash-completion/completions/filebeat-port-exporter`; needs only bash. */
export function bashCompletion(): string {
  return `# bash completion for ${program}, generated from its flag table

_fpe_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur"); }

_fpe_files() {
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen "$1" -- "$cur")
}

_fpe() {
  local cur=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} command='' i
  COMPREPLY=()
  # bash cuts --flag=value into three words
  if [[ $cur == = ]]; then
    cur=''
  elif [[ $before == = && $COMP_CWORD -gt 2 ]]; then
    before=\${COMP_WORDS[COMP_CWORD-2]}
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in
    --) _fpe_files -f; return ;;
    ${commandNames.join('|')}) [[ -n $command ]] || command=\${COMP_WORDS[i]} ;;
    esac
  done
  case $before in
${flags.flatMap(bashCase).join('\n')}
  esac
  if [[ $cur == -* ]]; then
    case \${command:-serve} in
${commandNames.map((name) => `    ${name}) _fpe_words "${bashFlags(name)}" ;;`).join('\n')}
    esac
    [[ \${#COMPREPLY[@]} -eq 1 && \${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
  elif [[ -z $command ]]; then
    _fpe_words "${commandNames.join(' ')}"
  fi
}

complete -F _fpe ${program}
`;
}

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
const plain = (text: string) => text.replace(/[[\]:\\]/g, '\\$&');

function zshSpec([name, flag]: [string, Flag]): string {
  if (flag.kind === 'toggle') return quoted(`--${name}[${plain(flag.help)}]`);
  const value = completedBy(flag);
  const action = {
    file: '_files',
    folder: '_files -/',
    words: value.kind === 'words' ? `(${value.words.join(' ')})` : '',
    nothing: ' ',
  }[value.kind];
  const spec = `--${name}=[${plain(flag.help)}]:${plain(flag.placeholder)}:${action}`;
  return quoted(flag.kind === 'many' ? `*${spec}` : spec);
}

/** Content of `_filebeat-port-exporter` in a directory of zsh completions. */
export function zshCompletion(): string {
  return `#compdef ${program}
# generated from the flag table of ${program}

local command=serve word
local -a commands specs
commands=(
${commandNames.map((name) => `  ${quoted(`${name}:${plain(commands[name])}`)}`).join('\n')}
)
for word in \${words[2,CURRENT-1]}; do
  case $word in
    --) _files; return ;;
    ${commandNames.join('|')}) command=$word; break ;;
  esac
done
case $command in
${commandNames
  .map(
    (name) =>
      `  ${name})\n    specs=(\n${flagsOf(name)
        .map((flag) => `      ${zshSpec(flag)}`)
        .join('\n')}\n    ) ;;`,
  )
  .join('\n')}
esac
_arguments -S : $specs '1:command:{_describe command commands}' '*: :'
`;
}
