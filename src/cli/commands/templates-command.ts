import type { Command } from 'commander';
import { OUTPUT_FORMATS } from '../remote/output.ts';
import {
  createTemplate,
  deleteTemplate,
  listTemplates,
  showTemplate,
  updateTemplate,
} from '../remote/templates.ts';
import { addExamples } from './options.ts';
import { serverFlags, withFormat, withServer } from './server-options.ts';

const EXAMPLES = `
A file is YAML or JSON, as bench takes it. Its generators and endpoints that the server lacks are made there, which
administrators may; what its steps name beside them the server has to have.

Examples:
  $ yeeter templates list
  $ yeeter templates show order-to-image --format json
  $ yeeter templates create my-template.yaml
  $ yeeter templates update my-template my-template.yaml
  $ yeeter templates delete my-template`;

const TEMPLATE = 'id or name';
const FILE = 'YAML or JSON file, or the name of a built-in template';

export function addTemplatesCommand(program: Command): void {
  const templates = program.command('templates').description('your templates on a server');
  const list = withFormat(withServer(templates.command('list')), OUTPUT_FORMATS)
    .description('show your templates and their steps')
    .action((flags) => listTemplates({ ...flags, ...serverFlags(list) }));
  const show = withFormat(withServer(templates.command('show')), ['table', 'json'])
    .description('show one template with the parameters of its steps')
    .argument('<template>', TEMPLATE)
    .action((named: string, flags) => showTemplate(named, { ...flags, ...serverFlags(show) }));
  const create = withFormat(withServer(templates.command('create')), ['table', 'json'])
    .description('make a template from a file')
    .argument('<file>', FILE)
    .action((file: string, flags) => createTemplate(file, { ...flags, ...serverFlags(create) }));
  const update = withFormat(withServer(templates.command('update')), ['table', 'json'])
    .description('make a template what a file says; settings that the file leaves out stay')
    .argument('<template>', TEMPLATE)
    .argument('<file>', FILE)
    .action((named: string, file: string, flags) =>
      updateTemplate(named, file, { ...flags, ...serverFlags(update) }),
    );
  const remove = withServer(templates.command('delete'))
    .description('delete a template that no run refers to')
    .argument('<template>', TEMPLATE)
    .action((named: string) => deleteTemplate(named, serverFlags(remove)));
  addExamples(templates, EXAMPLES);
}
