import type { Command } from 'commander';
import { OUTPUT_FORMATS } from '../remote/output.ts';
import { listTemplates, showTemplate } from '../remote/templates.ts';
import { addExamples } from './options.ts';
import { serverFlags, withFormat, withServer } from './server-options.ts';

const EXAMPLES = `
Examples:
  $ yeeter templates list
  $ yeeter templates show order-to-image --format json`;

export function addTemplatesCommand(program: Command): void {
  const templates = program.command('templates').description('your templates on a server');
  const list = withFormat(withServer(templates.command('list')), OUTPUT_FORMATS)
    .description('show your templates and their steps')
    .action((flags) => listTemplates({ ...flags, ...serverFlags(list) }));
  const show = withFormat(withServer(templates.command('show')), ['table', 'json'])
    .description('show one template with the parameters of its steps')
    .argument('<template>', 'id or name')
    .action((named: string, flags) => showTemplate(named, { ...flags, ...serverFlags(show) }));
  addExamples(templates, EXAMPLES);
}
