import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Endpoint } from '../../domain/endpoint.ts';
import { readSource } from '../../domain/locate-fault.ts';
import type { Generator, Template } from '../../domain/template.ts';
import { type TemplateFile, templateBody } from '../../domain/template-body.ts';
import { YeeterError } from '../../lib/errors.ts';
import { loadTemplateFile, templatePath } from '../load-template-file.ts';
import { createEndpoint, type EndpointAnswer, readEndpoints } from './endpoints.ts';
import type { ApiClient } from './http.ts';

const GENERATOR = z.looseObject({
  id: z.int(),
  name: z.string(),
  message_type: z.string(),
  content: z.string(),
});
type GeneratorAnswer = z.output<typeof GENERATOR>;

const GENERATORS = '/api/simulator/generators';

/**
 * A template's file as the server takes it. Generators and endpoints of the file that the server lacks are made there
 * first, which administrators may.
 * @throws {YeeterError} TEMPLATE_INVALID, TEMPLATE_UNREADABLE with all faults of the file; USAGE when an endpoint of
 * the file is another one on the server
 */
export async function templateBodyFor(client: ApiClient, nameOrPath: string) {
  const known = await readEndpoints(client);
  // Steps may also name what the server has, by its name or number.
  const types = known.flatMap(({ id, name, endpoint_type: type }) => [
    [name, type],
    [String(id), type],
  ]);
  const template = loadTemplateFile(nameOrPath, Object.fromEntries(types));
  const endpoints = await endpointIds(client, template, known);
  const generators = await generatorIds(client, template);
  const { value } = readSource(readFileSync(templatePath(nameOrPath), 'utf8'));
  return templateBody(value as TemplateFile, {
    generator: (name) => generators.get(name) ?? name,
    endpoint: (name) => endpoints.get(name) ?? name,
  });
}

/** Numbers of endpoints by their names; names that several have are left to the server. */
async function endpointIds(
  client: ApiClient,
  template: Template,
  known: readonly EndpointAnswer[],
): Promise<ReadonlyMap<string, number>> {
  const byName = Map.groupBy(known, ({ name }) => name);
  const ids = new Map(
    [...byName].flatMap(([name, [one, ...more]]) => (more.length > 0 ? [] : [[name, one!.id]])),
  );
  const missing: Endpoint[] = [];
  for (const endpoint of Object.values(template.endpoints)) {
    const there = byName.get(endpoint.name) ?? [];
    const same = there.find((one) => addressOf(one) === addressOf(wireOf(endpoint)));
    if (same) ids.set(endpoint.name, same.id);
    else if (there.length === 0) missing.push(endpoint);
    else throw otherEndpoint(endpoint, there[0]!);
  }
  for (const endpoint of missing) ids.set(endpoint.name, (await createEndpoint(client, wireOf(endpoint))).id);
  return ids;
}

function wireOf({ name, endpointType, hostname, port, aeTitle, callingAeTitle }: Endpoint) {
  const at = { name, endpoint_type: endpointType, hostname, port };
  return { ...at, ae_title: aeTitle, aet_title: callingAeTitle };
}

function addressOf(endpoint: Omit<EndpointAnswer, 'id'>): string {
  const { endpoint_type: type, hostname, port, ae_title: called, aet_title: calling } = endpoint;
  const title = called ? `${called}@` : '';
  return `${type} ${title}${hostname}:${port}${calling ? `, called by ${calling}` : ''}`;
}

function otherEndpoint(endpoint: Endpoint, there: EndpointAnswer): YeeterError {
  return new YeeterError(
    'USAGE',
    `endpoint "${endpoint.name}" is ${addressOf(wireOf(endpoint))} in the file and ${addressOf(there)} on the server: ` +
      'give it another name in the file, or leave it out there to use that of the server',
  );
}

/** Numbers of the file's generators; one that the server has with the same content is used again. */
async function generatorIds(client: ApiClient, template: Template): Promise<ReadonlyMap<string, number>> {
  const ids = new Map<string, number>();
  const generators = Object.values(template.generators);
  if (generators.length === 0) return ids;
  const known = await client.json(z.array(GENERATOR), { path: GENERATORS });
  for (const generator of generators) {
    const { name, messageType, content } = generator;
    const same = known.find((one) => one.message_type === messageType && one.content === content);
    const there = same ?? (await createGenerator(client, generator, template.name, known));
    ids.set(name, there.id);
  }
  return ids;
}

/** Under its own name, or with the template's in front where another has that. */
function createGenerator(
  client: ApiClient,
  { name: own, messageType, content }: Generator,
  templateName: string,
  known: readonly GeneratorAnswer[],
): Promise<GeneratorAnswer> {
  const isTaken = known.some(({ name }) => name === own);
  const name = (isTaken ? `${templateName} ${own}` : own).slice(0, 100);
  const body = { name, message_type: messageType, content };
  return client.json(GENERATOR, { method: 'POST', path: GENERATORS, body });
}
