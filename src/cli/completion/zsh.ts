import { type CommandWords, choicesOf, offeredFlags, quoted, stepsOf, valuedOf } from './command-words.ts';

/** A completion script for zsh, to be evaluated or put into `fpath` as `_yeeter`. */
export function zshCompletion(tree: readonly CommandWords[]): string {
  const choices = choicesOf(tree).map(
    ({ at, choices: values }) => `      (${patterns(at)}) found=(${values.map(quoted).join(' ')}) ;;`,
  );
  const flags = tree.map((command) => {
    const offered = offeredFlags(command).map(({ flag, description }) => described(flag, description));
    return `      (${quoted(command.path)}) found=(${offered.join(' ')}) ;;`;
  });
  const commands = tree
    .filter((command) => command.commands.length > 0)
    .map((command) => {
      const offered = command.commands.map(({ name, description }) => described(name, description));
      return `    (${quoted(command.path)}) found=(${offered.join(' ')}) ;;`;
    });
  return `#compdef yeeter
# zsh completion of yeeter: eval "$(yeeter completion zsh)"
_yeeter() {
  local at=yeeter option='' word
  local -i i=2
  local -a found
  while (( i < CURRENT )); do
    word=\${words[i]}
    case "$at $word" in
      (${patterns(stepsOf(tree))}) at="$at $word" ;;
      (${patterns(valuedOf(tree))}) option="$at $word"; (( i++ )) ;;
    esac
    (( i++ ))
  done
  if (( i > CURRENT )); then
    case "$option" in
${choices.join('\n')}
    esac
    if (( $#found )); then compadd -a found; else _files; fi
    return
  fi
  if [[ \${words[CURRENT]} == -* ]]; then
    case "$at" in
${flags.join('\n')}
    esac
    _describe -o option found
    return
  fi
  case "$at" in
${commands.join('\n')}
  esac
  if (( $#found )); then _describe command found; else _files; fi
}
compdef _yeeter yeeter
[[ "$funcstack[1]" == _yeeter ]] && _yeeter "$@"
true
`;
}

function described(word: string, description: string): string {
  return quoted(`${word}:${description}`);
}

function patterns(texts: readonly string[]): string {
  return texts.map(quoted).join('|');
}
