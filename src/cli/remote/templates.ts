import { ANYTHING, TEMPLATE, TEMPLATES, type TemplateAnswer } from './answers.ts';
import type { ApiClient } from './http.ts';
import { idOf } from './named.ts';
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

export async function createTemplate(file: string, flags: SaveFlags): Promise<void> {
  const client = await openClient(flags);
  const body = await bodyOf(client, file);
  const template = await client.json(TEMPLATE, { method: 'POST', path: '/api/simulator/templates', body });
  saySaved('created', template, flags);
}

export async function updateTemplate(named: string, file: string, flags: SaveFlags): Promise<void> {
  const client = await openClient(flags);
  const id = await templateId(client, named);
  const body = await bodyOf(client, file);
  const path = `/api/simulator/templates/${id}`;
  const template = await client.json(TEMPLATE, { method: 'PUT', path, body });
  saySaved('updated', template, flags);
}

export async function deleteTemplate(named: string, flags: ServerFlags): Promise<void> {
  const client = await openClient(flags);
  const id = await templateId(client, named);
  await client.json(ANYTHING, { method: 'DELETE', path: `/api/simulator/templates/${id}` });
  say(`template ${id} is deleted`);
}

/** What reads and checks files is loaded when it is needed, so that other commands start without it. */
async function bodyOf(client: ApiClient, file: string): Promise<unknown> {
  const { templateBodyFor } = await import('./template-upload.ts');
  return await templateBodyFor(client, file);
}

type SaveFlags = ServerFlags & { format: 'table' | 'json' };

function saySaved(what: string, template: TemplateAnswer, { format }: SaveFlags): void {
  if (format === 'json') printJson(template);
  else
    say(
      `template ${template.id} is ${what}: ${printable(template.name)} (${printable(stepNames(template))})`,
    );
}

/** @throws {YeeterError} USAGE */
export function templateId(client: ApiClient, named: string): Promise<number> {
  return idOf(named, 'template', () => readTemplates(client));
}

function readTemplates(client: ApiClient): Promise<TemplateAnswer[]> {
  return client.json(TEMPLATES, { path: '/api/simulator/templates' });
}

function stepNames({ steps }: TemplateAnswer): string {
  return steps.map(({ step_type: type }) => type).join(', ');
}
