import type { Endpoint } from '../../domain/endpoint.ts';
import { ENDPOINT_OF_STEP } from '../../domain/named-endpoints.ts';
import type { Template } from '../../domain/template.ts';
import { describePath, type Fault, type FaultPath, suggestion } from '../../domain/template-faults.ts';
import { validateTemplate } from '../../domain/validate-template.ts';
import { checkGenerator } from '../../steps/generate-hl7.ts';
import type {
  EndpointRecord,
  GeneratorRecord,
  NewTemplate,
  ServerStore,
  StepDefinition,
} from '../../storage/server-port.ts';
import { type RequestFault, RequestFaults } from '../http/refusals.ts';
import { NO_ORDER } from './template-wire.ts';

export type TemplateStore = Pick<ServerStore, 'listEndpoints' | 'listGenerators' | 'getGenerator'>;

type Definition = Pick<NewTemplate, 'name' | 'description' | 'settings' | 'steps'>;

interface Named {
  id: number;
  name: string;
}

/** Rows that a template refers to, each under a name that no other of them has. */
interface Names<Row extends Named> {
  /** The name that a reference stands for; itself where no row is meant. */
  nameOf(reference: unknown): unknown;
  used(): [name: string, row: Row][];
}

const isNumber = (reference: unknown): boolean =>
  typeof reference === 'number' || (typeof reference === 'string' && /^\d{1,15}$/.test(reference));

/**
 * References are numbers of rows, as the server's clients give them, or names where one row alone has that name. Two
 * rows that share a name are told apart by their numbers.
 */
function createNames<Row extends Named>(rows: readonly Row[], references: readonly unknown[]): Names<Row> {
  const byId = new Map(rows.map((row) => [row.id, row]));
  const find = (reference: unknown): Row | undefined => {
    if (isNumber(reference)) return byId.get(Number(reference));
    const named = rows.filter(({ name }) => name === reference);
    return named.length === 1 ? named[0] : undefined;
  };
  const used = new Set(references.flatMap((reference) => find(reference) ?? []));
  const uniqueName = (row: Row): string => {
    const sharing = [...used].filter(({ name }) => name === row.name);
    return sharing.length > 1 ? `${row.name} (${row.id})` : row.name;
  };
  return {
    nameOf: (reference) => {
      const row = find(reference);
      return row ? uniqueName(row) : reference;
    },
    used: () => [...used].map((row) => [uniqueName(row), row]),
  };
}

/** What a step sends to: what it names, else the usual endpoint of its type. */
function endpointOf({ stepType, parameters }: StepDefinition): unknown {
  return parameters.endpoint_id ?? (ENDPOINT_OF_STEP as Record<string, { usual: string }>)[stepType]?.usual;
}

/** Parameters with names in place of numbers; the rest as it was sent. */
function resolveParameters(
  step: StepDefinition,
  endpoints: Names<EndpointRecord>,
  generators: Names<GeneratorRecord>,
): Record<string, unknown> {
  const resolved: Record<string, unknown> = { ...step.parameters };
  const { generator_template_id: generator } = step.parameters;
  if (generator !== undefined) resolved.generator_template_id = generators.nameOf(generator);
  const endpoint = endpointOf(step);
  if (endpoint !== undefined) resolved.endpoint_id = endpoints.nameOf(endpoint);
  return resolved;
}

function dropNulls(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}

function stepToWire(step: StepDefinition, parameters: Record<string, unknown>): Record<string, unknown> {
  const { stepOrder, stepType, execution, queue, jobType, retry, metadata } = step;
  const head = {
    step_type: stepType,
    step_order: stepOrder === NO_ORDER ? null : stepOrder,
    execution,
    queue,
    job_type: jobType,
    retry,
    metadata,
  };
  return { ...dropNulls(head), parameters };
}

function endpointToWire(row: EndpointRecord): Record<string, unknown> {
  const { endpointType, hostname, port, aeTitle, callingAeTitle } = row;
  return { endpoint_type: endpointType, hostname, port, ae_title: aeTitle, aet_title: callingAeTitle };
}

/** Generators as they are referred to: by number one by one, since their contents are long; by name all of them. */
async function readGenerators(
  store: TemplateStore,
  steps: readonly StepDefinition[],
): Promise<GeneratorRecord[]> {
  const references = steps
    .map(({ parameters }) => parameters.generator_template_id)
    .filter((r) => r !== undefined);
  if (!references.every(isNumber)) return await store.listGenerators();
  const rows: GeneratorRecord[] = [];
  for (const id of new Set(references.map(Number))) {
    const row = await store.getGenerator(id);
    if (row) rows.push(row);
  }
  return rows;
}

interface Known {
  endpoints: readonly EndpointRecord[];
  generators: readonly GeneratorRecord[];
}

/** The validator knows names alone; who sent a number is told of numbers. */
function messageOf(fault: Fault, definition: Definition, known: Known): string {
  const [head, index, , field] = fault.path;
  if (head !== 'steps' || typeof index !== 'number') return fault.message;
  const reference = definition.steps[index]?.parameters[String(field)];
  if (!isNumber(reference) || !/^no (endpoint|generator) is named/.test(fault.message)) return fault.message;
  const rows: readonly Named[] = field === 'endpoint_id' ? known.endpoints : known.generators;
  const what = field === 'endpoint_id' ? 'endpoint' : 'generator';
  const numbers = rows.slice(0, 20).map(({ id, name }) => `${id} (${name})`);
  return `no ${what} has the number ${String(reference)}: ${suggestion('', numbers)}`;
}

function toRequestFault(fault: Fault, definition: Definition, known: Known): RequestFault {
  const line = fault.contentLine === undefined ? '' : `line ${fault.contentLine}: `;
  const loc: FaultPath = fault.path;
  return {
    loc: [...loc],
    msg: `${describePath(fault.path)}: ${line}${messageOf(fault, definition, known)}`,
    type: 'template_invalid',
  };
}

export interface ResolvedTemplate {
  template: Template;
  /** By their names in the template. */
  endpoints: Readonly<Record<string, Endpoint>>;
}

/**
 * A stored template as the engine plays it: numbers of endpoints and generators become names with their definitions.
 * @throws {RequestFaults} all faults at once, each naming its step and field
 */
export async function resolveTemplate(
  store: TemplateStore,
  definition: Definition,
): Promise<ResolvedTemplate> {
  const { name, description, settings, steps } = definition;
  const known = { endpoints: await store.listEndpoints(), generators: await readGenerators(store, steps) };
  const endpoints = createNames(known.endpoints, [
    ...steps.map(endpointOf),
    ...destinationsOf(settings.stations),
  ]);
  const generators = createNames(
    known.generators,
    steps.map(({ parameters }) => parameters.generator_template_id),
  );
  const resolved = steps.map((step) => stepToWire(step, resolveParameters(step, endpoints, generators)));
  const wire = {
    ...settings,
    name,
    description,
    steps: resolved,
    endpoints: Object.fromEntries(endpoints.used().map(([key, row]) => [key, endpointToWire(row)])),
    generators: Object.fromEntries(
      generators.used().map(([key, row]) => [key, { message_type: row.messageType, content: row.content }]),
    ),
  };
  const result = validateTemplate(wire, {
    strict: false,
    implicitEndpoints: {},
    checkGenerator,
    readGenerator: null,
  });
  if (!result.ok) throw new RequestFaults(result.faults.map((one) => toRequestFault(one, definition, known)));
  return { template: result.template, endpoints: result.template.endpoints };
}

/** Names of endpoints that stations send to; what is not well formed is the validator's. */
function destinationsOf(stations: unknown): unknown[] {
  if (!Array.isArray(stations)) return [];
  return stations.flatMap((station: unknown) => {
    const destinations =
      typeof station === 'object' && station !== null && 'destinations' in station
        ? station.destinations
        : [];
    return Array.isArray(destinations) ? (destinations as unknown[]) : [];
  });
}
