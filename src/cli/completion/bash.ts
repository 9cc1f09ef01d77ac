import { type CommandWords, choicesOf, offeredFlags, quoted, stepsOf, valuedOf } from './command-words.ts';

/** A completion script for bash 3.2 and later. `=` is a word of its own there. */
export function bashCompletion(tree: readonly CommandWords[]): string {
  const choices = choicesOf(tree).map(
    ({ at, choices: values }) => `      ${patterns(at)}) words=${quoted(values.join(' '))} ;;`,
  );
  const words = tree.map((command) => `    ${quoted(command.path)}) words=${quoted(wordsOf(command))} ;;`);
  const flags = tree.map((command) => `    ${quoted(command.path)}) words=${quoted(flagsOf(command))} ;;`);
  return `# bash completion of yeeter: eval "$(yeeter completion bash)"
_yeeter() {
  local cur=\${COMP_WORDS[COMP_CWORD]} at=yeeter option='' words='' word i=1
  COMPREPLY=()
  while [ "$i" -lt "$COMP_CWORD" ]; do
    word=\${COMP_WORDS[i]}
    case "$at $word" in
      ${patterns(stepsOf(tree))}) at="$at $word" ;;
      ${patterns(valuedOf(tree))})
        option="$at $word"
        i=$((i + 1))
        [ "\${COMP_WORDS[i]}" = '=' ] && i=$((i + 1))
        ;;
    esac
    i=$((i + 1))
  done
  if [ "$i" -gt "$COMP_CWORD" ]; then
    [ "$cur" = '=' ] && cur=''
    case "$option" in
${choices.join('\n')}
    esac
  elif [ "\${cur#-}" != "$cur" ]; then
    case "$at" in
${flags.map((line) => `  ${line}`).join('\n')}
    esac
  else
    case "$at" in
${words.map((line) => `  ${line}`).join('\n')}
    esac
  fi
  [ -n "$words" ] && COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _yeeter yeeter
`;
}

/** Nothing where an argument may be a file: bash then completes files. */
function wordsOf(command: CommandWords): string {
  if (command.commands.length > 0) return command.commands.map(({ name }) => name).join(' ');
  return command.takesArguments ? '' : flagsOf(command);
}

function flagsOf(command: CommandWords): string {
  return offeredFlags(command)
    .map(({ flag }) => flag)
    .join(' ');
}

function patterns(texts: readonly string[]): string {
  return texts.map(quoted).join('|');
}
