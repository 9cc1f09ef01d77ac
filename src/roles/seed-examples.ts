import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { settingsFromWire, stepsFromWire } from '../api/templates/template-wire.ts';
import { ENDPOINT_OF_STEP } from '../domain/named-endpoints.ts';
import { type TemplateFile, templateBody } from '../domain/template-body.ts';
import { withMethods } from '../lib/with-methods.ts';
import type { Examples, NewEndpoint, ServerStore } from '../storage/server-port.ts';
import type { LastingSinks } from './lasting-sinks.ts';
import { SINK_AE_TITLE, type SinkPorts } from './sink-process.ts';

type SeedStore = Pick<ServerStore, 'seedExamples' | 'getEndpoint' | 'updateEndpoint'>;

const TEMPLATES = fileURLToPath(new URL('../../examples/templates/', import.meta.url));

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
    for (const [as, generator] of Object.entries(template.generators ?? {})) {
      const { file, message_type: messageType } = generator as { file: string; message_type?: string };
      const content = readFileSync(path.resolve(TEMPLATES, file), 'utf8');
      const name = path.basename(file, '.hl7');
      generators.set(name, { name, messageType: messageType ?? messageTypeOf(content), content });
      names.set(as, name);
    }
    const body = templateBody(template, {
      generator: (as) => names.get(as)!,
      endpoint: (name) => name,
    });
    templates.push({
      name: body.name,
      description: body.description ?? null,
      settings: settingsFromWire(body),
      steps: stepsFromWire(body.steps),
    });
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
