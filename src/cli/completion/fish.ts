import { type CommandWords, stepsOf, valuedOf } from './command-words.ts';

/** A completion script for fish. */
export function fishCompletion(tree: readonly CommandWords[]): string {
  const lines = tree.flatMap(({ path, commands, options }) => {
    const at = `complete -c yeeter -n ${quoted(`__yeeter_at ${quoted(path)}`)}`;
    return [
      ...commands.map(({ name, description }) => `${at} -f -a ${quoted(name)} -d ${quoted(description)}`),
      ...options
        .filter(({ hidden }) => !hidden)
        .map(({ flags, description, takesValue, choices }) => {
          const names = flags.map((flag) =>
            flag.startsWith('--') ? `-l ${quoted(flag.slice(2))}` : `-s ${quoted(flag.slice(1))}`,
          );
          const value =
            choices.length > 0 ? [`-x -a ${quoted(choices.join(' '))}`] : takesValue ? ['-r'] : [];
          return [at, ...names, ...value, `-d ${quoted(description)}`].join(' ');
        }),
    ];
  });
  return `# fish completion of yeeter: yeeter completion fish | source
function __yeeter_at
  set -l at yeeter
  set -l is_value 0
  for word in (commandline -opc)[2..-1]
    if test $is_value = 1
      set is_value 0
      continue
    end
    switch "$at $word"
      case ${stepsOf(tree).map(quoted).join(' ')}
        set at "$at $word"
      case ${valuedOf(tree).map(quoted).join(' ')}
        set is_value 1
    end
  end
  test "$at" = "$argv[1]"
end
${lines.join('\n')}
`;
}

/** A word of fish that stands for itself. */
function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
