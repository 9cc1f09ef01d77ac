import { Argument, type Command } from 'commander';
import { bashCompletion } from '../completion/bash.ts';
import { type CommandWords, commandWords } from '../completion/command-words.ts';
import { fishCompletion } from '../completion/fish.ts';
import { zshCompletion } from '../completion/zsh.ts';

const EXAMPLES = `
Examples:
  $ yeeter completion bash > ~/.local/share/bash-completion/completions/yeeter
  $ yeeter completion zsh > ~/.zfunc/_yeeter      # a folder of fpath
  $ yeeter completion fish > ~/.config/fish/completions/yeeter.fish
  $ eval "$(yeeter completion bash)"              # for this shell alone`;

const SHELLS = ['bash', 'zsh', 'fish'] as const;

const SCRIPTS: Record<(typeof SHELLS)[number], (tree: readonly CommandWords[]) => string> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

export function addCompletionCommand(program: Command): void {
  program
    .command('completion')
    .description('print a script with which the shell completes commands and options')
    .addArgument(new Argument('<shell>', 'which one').choices(SHELLS))
    .addHelpText('after', EXAMPLES)
    .action((shell: (typeof SHELLS)[number]) => {
      process.stdout.write(SCRIPTS[shell](commandWords(program)));
    });
}
