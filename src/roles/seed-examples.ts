import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { ENDPOINT_OF_STEP } from '../domain/named-endpoints.ts';
import type { StepType } from '../domain/template.ts';
import { withMethods } from '../lib/with-methods.ts';
import type { Examples, NewEndpoint, ServerStore } from '../storage/server-port.ts';
import type { LastingSinks } from './lasting-sinks.ts';
import { SINK_AE_TITLE, type SinkPorts } from './sink-process.ts';

type SeedStore = Pick<ServerStore, 'seedExamples' | 'getEndpoint' | 'updateEndpoint'>;

const TEMPLATES = fileURLToPath(new URL('../../examples/templates/', import.meta.url));

/** A template file, as far as it matters here; the tests hold the files to the whole of it. */
interface TemplateFile {
  name: string;
  description?: string;
  generators?: Record<string, { file: string; message_type?: string }>;
  steps: StepFile[];
  [setting: string]: unknown;
}

interface StepFile {
  step_type: StepType;
  label?: string;
  execution?: string;
  queue?: string;
  job_type?: string;
  retry?: Record<string, unknown>;
  metadata?: Record<string, unknown>;
  parameters?: Record<string, unknown>;
}

/**
 * Makes the first run one click: the example templates are there, and where the server has receivers, they are endpoints
 * of the names that templates send to. Without an administrator, who owns them, nothing happens yet.
 */
export async function seedExamples(store: SeedStore, sinks: LastingSinks | null): Promise<void> {
  const ids = await store.seedExamples(readExamples(sinks?.ports ?? null));
  if (!ids || !sinks) return;
  const { ports, before } = sinks;
  await moveEndpoint(store, ids.mllpId, before?.mllpPort, ports.mllpPort);
  await moveEndpoint(store, ids.dicomId, before?.dicomPort, ports.dicomPort);
}

/** The same store, which makes the examples with the first administrator, who may come late. */
export function seedingWithAdmin<Store extends ServerStore>(
  store: Store,
  sinks: LastingSinks | null,
  log: (line: string) => void,
): Store {
  const createUser: ServerStore['createUser'] = async (user) => {
    const created = await store.createUser(user);
    if (created.isAdmin) {
      await seedExamples(store, sinks).catch((error: Error) =>
        log(`the examples could not be made: ${error.message}`),
      );
    }
    return created;
  };
  return withMethods(store, { createUser } as Partial<Store>);
}

/** What people made of the endpoint stays. */
async function moveEndpoint(
  store: SeedStore,
  id: number | undefined,
  before: number | undefined,
  port: number,
): Promise<void> {
  if (id === undefined || before === undefined || before === port) return;
  const endpoint = await store.getEndpoint(id);
  if (endpoint?.port === before) await store.updateEndpoint(id, { port });
}

function readExamples(ports: SinkPorts | null): Examples {
  const generators = new Map<string, Examples['generators'][number]>();
  const templates: Examples['templates'][number][] = [];
  for (const file of readdirSync(TEMPLATES).sort()) {
    const template = parse(readFileSync(path.join(TEMPLATES, file), 'utf8')) as TemplateFile;
    const names = new Map<string, string>();
    for (const [as, { file, message_type: messageType }] of Object.entries(template.generators ?? {})) {
      const content = readFileSync(path.resolve(TEMPLATES, file), 'utf8');
      const name = path.basename(file, '.hl7');
      generators.set(name, { name, messageType: messageType ?? messageTypeOf(content), content });
      names.set(as, name);
    }
    templates.push(newTemplate(template, names));
  }
  return { receivers: ports && receiversAt(ports), generators: [...generators.values()], templates };
}

function receiversAt({ mllpPort, dicomPort }: SinkPorts): Examples['receivers'] {
  const receiver = (stepType: 'SEND_MLLP' | 'SEND_DICOM', port: number, aeTitle: string | null) => {
    const { type: endpointType, usual: name } = ENDPOINT_OF_STEP[stepType]!;
    const at = { hostname: '127.0.0.1', port, aeTitle, callingAeTitle: null };
    return { name, endpointType, ...at } satisfies Omit<NewEndpoint, 'userId'>;
  };
  return {
    mllp: receiver('SEND_MLLP', mllpPort, null),
    dicom: receiver('SEND_DICOM', dicomPort, SINK_AE_TITLE),
  };
}

/** MSH-9 of the text. */
function messageTypeOf(content: string): string {
  return content.split(/\r|\n/, 1)[0]!.split('|')[8] ?? 'HL7';
}

/** @param names of the generators, by those that the file has for them */
function newTemplate(file: TemplateFile, names: ReadonlyMap<string, string>): Examples['templates'][number] {
  const { name, description, generators: _, endpoints: __, steps, ...settings } = file;
  return {
    name,
    description: description ?? null,
    settings,
    steps: steps.map((step, index) => {
      const parameters: Record<string, unknown> = { ...step.parameters };
      if (step.label !== undefined) parameters.label = step.label;
      const endpoint = ENDPOINT_OF_STEP[step.step_type];
      if (endpoint) parameters.endpoint_id = endpoint.usual;
      const generator = parameters.generator_template_id;
      if (generator !== undefined) parameters.generator_template_id = names.get(String(generator));
      return {
        stepOrder: index + 1,
        stepType: step.step_type,
        parameters,
        execution: step.execution ?? null,
        queue: step.queue ?? null,
        jobType: step.job_type ?? null,
        retry: step.retry ?? null,
        metadata: step.metadata ?? null,
      };
    }),
  };
}
