import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { ENDPOINT_OF_STEP } from '../domain/named-endpoints.ts';
import type { StepType } from '../domain/template.ts';
import type { EndpointRecord, NewEndpoint, NewTemplate, ServerStore } from '../storage/server-port.ts';
import { SINK_AE_TITLE, type SinkPorts } from './sink-process.ts';

type SeedStore = Pick<
  ServerStore,
  | 'createEndpoint'
  | 'updateEndpoint'
  | 'createGenerator'
  | 'createTemplate'
  | 'getSetting'
  | 'putSetting'
  | 'listUsers'
>;

const SETTING = 'examples';

/** What was made, so that it is made once and what people change of it stays. */
interface Seeded {
  mllpId: number;
  dicomId: number;
}

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
 * Makes the first run one click: the built-in sinks are endpoints and the example templates are there, owned by the
 * first administrator. Without an administrator nothing happens yet; where it has happened, only the ports of the
 * sinks are brought up to date.
 */
export async function seedExamples(store: SeedStore, ports: SinkPorts): Promise<void> {
  const seeded = (await store.getSetting(SETTING)) as Seeded | null;
  if (seeded) {
    await store.updateEndpoint(seeded.mllpId, { port: ports.mllpPort });
    await store.updateEndpoint(seeded.dicomId, { port: ports.dicomPort });
    return;
  }
  const admin = (await store.listUsers()).find(({ isAdmin }) => isAdmin);
  if (!admin) return;
  const userId = admin.id;
  const mllp = await store.createEndpoint(sinkEndpoint(userId, 'MLLP', ports.mllpPort));
  const dicom = await store.createEndpoint(sinkEndpoint(userId, 'DICOM_SCP', ports.dicomPort));
  const generators = new Map<string, Promise<number>>();
  for (const name of readdirSync(TEMPLATES).sort()) {
    const template = parse(readFileSync(path.join(TEMPLATES, name), 'utf8')) as TemplateFile;
    const ids = new Map<string, number>();
    for (const [as, { file, message_type: messageType }] of Object.entries(template.generators ?? {})) {
      const id = generators.get(file) ?? seedGenerator(store, userId, file, messageType);
      generators.set(file, id);
      ids.set(as, await id);
    }
    await store.createTemplate(newTemplate(userId, template, ids, { mllp, dicom }));
  }
  await store.putSetting(SETTING, { mllpId: mllp.id, dicomId: dicom.id } satisfies Seeded);
}

function sinkEndpoint(userId: number, endpointType: NewEndpoint['endpointType'], port: number): NewEndpoint {
  const isDicom = endpointType === 'DICOM_SCP';
  return {
    userId,
    name: isDicom ? 'Built-in DICOM receiver' : 'Built-in HL7 receiver',
    endpointType,
    hostname: '127.0.0.1',
    port,
    aeTitle: isDicom ? SINK_AE_TITLE : null,
    callingAeTitle: null,
  };
}

async function seedGenerator(
  store: SeedStore,
  userId: number,
  file: string,
  messageType: string | undefined,
): Promise<number> {
  const content = readFileSync(path.resolve(TEMPLATES, file), 'utf8');
  const name = path.basename(file, '.hl7');
  const { id } = await store.createGenerator({
    userId,
    name,
    messageType: messageType ?? messageTypeOf(content),
    content,
  });
  return id;
}

/** MSH-9 of the text. */
function messageTypeOf(content: string): string {
  return content.split(/\r|\n/, 1)[0]!.split('|')[8] ?? 'HL7';
}

function newTemplate(
  userId: number,
  file: TemplateFile,
  generators: ReadonlyMap<string, number>,
  sinks: { mllp: EndpointRecord; dicom: EndpointRecord },
): NewTemplate {
  const { name, description, generators: _, endpoints: __, steps, ...settings } = file;
  return {
    userId,
    name,
    description: description ?? null,
    settings,
    steps: steps.map((step, index) => {
      const parameters: Record<string, unknown> = { ...step.parameters };
      if (step.label !== undefined) parameters.label = step.label;
      const endpoint = ENDPOINT_OF_STEP[step.step_type];
      if (endpoint) parameters.endpoint_id = (endpoint.type === 'MLLP' ? sinks.mllp : sinks.dicom).id;
      const generator = parameters.generator_template_id;
      if (generator !== undefined) parameters.generator_template_id = generators.get(String(generator));
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
