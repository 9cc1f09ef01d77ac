import type { Command } from 'commander';
import { checkTemplate } from '../check.ts';
import { templatePath } from '../load-template-file.ts';

const EXAMPLES = `
Exit code: 0 when the template is sound, 2 when it is not.

Examples:
  $ yeeter check examples/templates/order-to-image.yaml`;

export function addCheckCommand(program: Command): void {
  program
    .command('check')
    .description('report all faults of a template at once, with their lines')
    .argument('<template>', 'YAML or JSON file, or the name of a built-in template')
    .addHelpText('after', EXAMPLES)
    .action((file: string) => {
      const checked = checkTemplate(templatePath(file));
      (checked.ok ? process.stdout : process.stderr).write(`${checked.text}\n`);
      if (!checked.ok) process.exitCode = 2;
    });
}
