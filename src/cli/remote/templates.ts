import { YeeterError } from '../../lib/errors.ts';
import { TEMPLATE, TEMPLATES, type TemplateAnswer } from './answers.ts';
import type { ApiClient } from './http.ts';
import { describe, type OutputFormat, printJson, printListing, say, tableOf } from './output.ts';
import { printable } from './printable.ts';
import { openClient, type ServerFlags } from './session.ts';

export async function listTemplates(flags: ServerFlags & { format: OutputFormat }): Promise<void> {
  const client = await openClient(flags);
  const templates = await readTemplates(client);
  const rows = templates.map((template) => ({ ...template, steps: stepNames(template) }));
  const columns = ['name', 'id', 'created_at', 'steps'];
  await printListing({ raw: templates, rows, columns, empty: 'you have no templates' }, flags.format);
}

export async function showTemplate(
  named: string,
  flags: ServerFlags & { format: 'table' | 'json' },
): Promise<void> {
  const client = await openClient(flags);
  const id = await templateId(client, named);
  const template = await client.json(TEMPLATE, { path: `/api/simulator/templates/${id}` });
  if (flags.format === 'json') return printJson(template);
  say(
    describe([
      ['template', template.name],
      ['id', template.id],
      ['description', template.description],
      ['created', template.created_at],
    ]),
  );
  const columns = ['step_type', 'step_order', 'execution', 'queue', 'parameters'];
  say(`\n${tableOf(template.steps, columns)}`);
}

/** A template by its id or name, case aside when nothing else fits. @throws {YeeterError} USAGE */
export async function templateId(client: ApiClient, named: string): Promise<number> {
  if (/^\d+$/.test(named)) return Number(named);
  const templates = await readTemplates(client);
  const exact = templates.filter(({ name }) => name === named);
  const lower = named.toLowerCase();
  const found = exact.length > 0 ? exact : templates.filter(({ name }) => name.toLowerCase() === lower);
  if (found.length === 1) return found[0]!.id;
  if (found.length > 1) {
    throw new YeeterError('USAGE', `several templates are called "${named}": say ${idsOf(found)}`);
  }
  const names = templates.map(({ name }) => printable(name)).join(', ');
  const there = names === '' ? 'there are none of yours' : `there are ${names}`;
  throw new YeeterError('USAGE', `you have no template "${named}": ${there}`);
}

function readTemplates(client: ApiClient): Promise<TemplateAnswer[]> {
  return client.json(TEMPLATES, { path: '/api/simulator/templates' });
}

function stepNames({ steps }: TemplateAnswer): string {
  return steps.map(({ step_type: type }) => type).join(', ');
}

function idsOf(templates: readonly TemplateAnswer[]): string {
  return templates.map(({ id }) => String(id)).join(' or ');
}
