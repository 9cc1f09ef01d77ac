import type { Command } from 'commander';

export interface OptionWords {
  /** As typed, for example `-n` and `--patients`. */
  flags: string[];
  description: string;
  takesValue: boolean;
  /** Values that it can have; empty when anything goes. */
  choices: readonly string[];
  /** Not offered, and understood all the same. */
  hidden: boolean;
}

/** What can be typed after a command. */
export interface CommandWords {
  /** From the program on, for example `yeeter runs start`. */
  path: string;
  commands: { name: string; description: string }[];
  options: OptionWords[];
  takesArguments: boolean;
}

/** The words of a program and of all its commands, as its help shows them. */
export function commandWords(command: Command, parentPath = ''): CommandWords[] {
  const help = command.createHelp();
  const path = `${parentPath} ${command.name()}`.trim();
  const commands = help.visibleCommands(command);
  const visible = help.visibleOptions(command);
  const hidden = command.options.filter((option) => !visible.includes(option));
  const own: CommandWords = {
    path,
    commands: commands.map((each) => ({ name: each.name(), description: each.description() })),
    options: [...visible, ...hidden].map((option) => ({
      flags: [option.short, option.long].filter((flag) => flag !== undefined),
      description: option.description,
      takesValue: option.required,
      choices: option.argChoices ?? [],
      hidden: hidden.includes(option),
    })),
    takesArguments: command.registeredArguments.length > 0,
  };
  const below = commands.filter((each) => each.name() !== 'help');
  return [own, ...below.flatMap((each) => commandWords(each, path))];
}

/** Each command below the program, by the path at which its name is typed. */
export function stepsOf(tree: readonly CommandWords[]): string[] {
  return tree.slice(1).map(({ path }) => path);
}

/** Options whose next word is their value, as `path flag`. */
export function valuedOf(tree: readonly CommandWords[]): string[] {
  return tree.flatMap(({ path, options }) =>
    options
      .filter(({ takesValue }) => takesValue)
      .flatMap(({ flags }) => flags.map((flag) => `${path} ${flag}`)),
  );
}

/** Options with closed sets of values: `path flag` for each of their flags, and the values. */
export function choicesOf(tree: readonly CommandWords[]): { at: string[]; choices: readonly string[] }[] {
  return tree.flatMap(({ path, options }) =>
    options
      .filter(({ choices }) => choices.length > 0)
      .map(({ flags, choices }) => ({ at: flags.map((flag) => `${path} ${flag}`), choices })),
  );
}

export function offeredFlags({ options }: CommandWords): { flag: string; description: string }[] {
  return options
    .filter(({ hidden }) => !hidden)
    .flatMap(({ flags, description }) => flags.map((flag) => ({ flag, description })));
}

/** A word of bash and zsh that stands for itself. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
