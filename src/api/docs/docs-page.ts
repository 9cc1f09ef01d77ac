import { createHash } from 'node:crypto';
import { STYLE } from './style.ts';

interface Schema {
  type?: string | string[];
  description?: string;
  default?: unknown;
  enum?: unknown[];
  const?: unknown;
  format?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  anyOf?: Schema[];
}

interface Content {
  content?: Record<string, { schema: Schema }>;
}

interface Operation {
  operationId: string;
  tags: string[];
  summary: string;
  'x-who-may': string;
  parameters: { name: string; in: string; required: boolean; schema: Schema }[];
  requestBody?: Content;
  responses: Record<string, Content & { description: string }>;
}

export interface OpenApiDocument {
  info: { title: string; version: string; description: string };
  paths: Record<string, Record<string, Operation>>;
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

const code = (text: string): string => `<code>${escapeHtml(text)}</code>`;

/** A schema in a few words: `integer 1..1000`, `"asc" or "desc"`, `list of objects`. */
function inWords(schema: Schema): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' or ');
  if (schema.anyOf) return [...new Set(schema.anyOf.map(inWords))].join(' or ');
  if (schema.items) return `list of ${inWords(schema.items)}`;
  const type = [schema.type ?? 'any'].flat().join(' or ');
  const { minimum, maximum, minLength, maxLength, format } = schema;
  const low = minimum ?? minLength;
  const high = [maximum ?? maxLength].find((value) => value !== undefined && value < Number.MAX_SAFE_INTEGER);
  const range = low === undefined && high === undefined ? '' : ` ${low ?? ''}..${high ?? ''}`;
  return `${type}${format ? ` (${format})` : ''}${range}`;
}

function fieldRow(name: string, schema: Schema, required: boolean, depth: number): string {
  const usual = schema.default === undefined ? '' : `, ${JSON.stringify(schema.default)} unless given`;
  const note = `${inWords(schema)}${usual}${required ? '' : ', optional'}`;
  const own = `<tr><td class="depth-${Math.min(depth, 3)}">${code(name)}</td><td>${escapeHtml(note)}</td></tr>`;
  return own + rows(schema.items?.properties ? schema.items : schema, depth + 1);
}

function rows({ properties, required = [] }: Schema, depth = 0): string {
  if (depth > 3) return '';
  return Object.entries(properties ?? {})
    .map(([name, schema]) => fieldRow(name, schema, required.includes(name), depth))
    .join('');
}

function table(title: string, body: string): string {
  return body === '' ? '' : `<h4>${title}</h4><table>${body}</table>`;
}

function answers(operation: Operation): string {
  return Object.entries(operation.responses)
    .map(([status, { description, content }]) => {
      const schema = content?.['application/json']?.schema;
      const isSuccess = status.startsWith('2');
      const fields = schema && isSuccess ? rows(schema.items ?? schema) : '';
      const detail =
        fields === '' ? '' : `<details><summary>Fields</summary><table>${fields}</table></details>`;
      return `<li><b>${status}</b> ${escapeHtml(description)}${detail}</li>`;
    })
    .join('');
}

const WHO: Readonly<Record<string, string>> = {
  anyone: 'anyone',
  user: 'signed in',
  admin: 'administrators',
};

function section(path: string, method: string, operation: Operation): string {
  const parameters = operation.parameters
    .map(({ name, schema, required, in: place }) => fieldRow(`${name} (${place})`, schema, required, 0))
    .join('');
  const body = operation.requestBody?.content?.['application/json']?.schema;
  return [
    `<article id="${escapeHtml(operation.operationId)}">`,
    `<h3><span class="method ${method}">${method.toUpperCase()}</span> ${code(path)}</h3>`,
    `<p>${escapeHtml(operation.summary)}. <span class="who">${WHO[operation['x-who-may']] ?? ''}</span></p>`,
    table('Parameters', parameters),
    table('Body', body ? rows(body) : ''),
    `<h4>Answers</h4><ul>${answers(operation)}</ul></article>`,
  ].join('');
}

/** What the page's style is known by in its Content-Security-Policy. */
export const STYLE_HASH = `'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`;

/** The contract as a page for people: no script, all of it at once, so that the browser's search finds everything. */
export function docsPage(document: OpenApiDocument): string {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const byTag = Map.groupBy(operations, ({ operation }) => operation.tags[0] ?? '');
  const contents = [...byTag].map(([tag, of]) => {
    const links = of.map(
      ({ path, method, operation }) =>
        `<li><a href="#${escapeHtml(operation.operationId)}">${method.toUpperCase()} ${escapeHtml(path)}</a></li>`,
    );
    return `<li>${escapeHtml(tag)}<ul>${links.join('')}</ul></li>`;
  });
  const sections = [...byTag].map(
    ([tag, of]) =>
      `<section><h2>${escapeHtml(tag)}</h2>${of.map((one) => section(one.path, one.method, one.operation)).join('')}</section>`,
  );
  const { title, version, description } = document.info;
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escapeHtml(title)} API</title><style>${STYLE}</style></head><body>`,
    `<header><h1>${escapeHtml(title)} API <small>${escapeHtml(version)}</small></h1><p>${escapeHtml(description)} `,
    'Sign in with <code>POST /api/auth/login</code> and send <code>Authorization: Bearer TOKEN</code>, ',
    'or an API key as <code>X-API-Key</code>. ',
    'The same for programs: <a href="/api/openapi.json">openapi.json</a>.</p></header>',
    `<nav aria-label="Routes"><ul>${contents.join('')}</ul></nav><main>${sections.join('')}</main></body></html>`,
  ].join('');
}
