import type { Endpoint, EndpointType } from './endpoint.ts';
import type { Station } from './station.ts';
import { PARAMETER_SCHEMAS, retrySchema, type StepIn, stepSchema } from './step-schema.ts';
import { type Generator, STEP_TYPES, type Step, type StepType, type Template } from './template.ts';
import {
  type Fault,
  type FaultPath,
  parseWith,
  type Report,
  reportUnknown,
  suggestion,
} from './template-faults.ts';
import { toCaseMix, toEndpoint, toStation, toStep } from './template-mapper.ts';
import { checkSteps, endpointOf, type ReadStep, type References } from './template-rules.ts';
import {
  caseMixSchema,
  endpointSchema,
  generatorSchema,
  stationSchema,
  type TemplateIn,
  templateSchema,
} from './template-schema.ts';

export interface ContentFault {
  /** Line of the content, from 1. */
  line: number;
  message: string;
}

export interface ValidateOptions {
  /** Reports unknown fields and fields without effect. The server, whose clients send them, does not. */
  strict: boolean;
  /** Names that are endpoints without being in the template. */
  implicitEndpoints: Readonly<Record<string, EndpointType>>;
  /** Compiles a generator's content and reports what is wrong in it. */
  checkGenerator(content: string): readonly ContentFault[];
  /** Reads a generator's file; null where templates may not name files. */
  readGenerator: ((file: string) => GeneratorFile) | null;
}

export type GeneratorFile = { ok: true; file: string; content: string } | { ok: false; message: string };

export type ValidateResult = { ok: true; template: Template } | { ok: false; faults: readonly Fault[] };

interface Context extends ValidateOptions {
  faults: Fault[];
  report: Report;
}

/** Parses with a schema, and reports unknown fields where the template is read strictly. */
function read<S extends Parameters<typeof reportUnknown>[0]>(
  context: Context,
  schema: S,
  value: unknown,
  path: FaultPath,
): ReturnType<typeof parseWith<S>> {
  if (context.strict) reportUnknown(schema, value, path, context.report);
  return parseWith(schema, value, path, context.report);
}

function field(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}

function entriesOf(value: unknown): [string, unknown][] {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
}

function readEndpoints(context: Context, value: unknown): Record<string, Endpoint> {
  const endpoints: Record<string, Endpoint> = {};
  for (const [name, raw] of entriesOf(value)) {
    const path = ['endpoints', name];
    const parsed = read(context, endpointSchema, raw, path);
    if (!parsed) continue;
    const endpoint = toEndpoint(name, parsed);
    if (endpoint.endpointType === 'DICOM_SCP' && endpoint.aeTitle === null)
      context.report([...path, 'ae_title'], 'is missing: a DICOM_SCP endpoint needs its (called) AE title');
    if (
      context.strict &&
      endpoint.endpointType === 'MLLP' &&
      (endpoint.aeTitle ?? endpoint.callingAeTitle) !== null
    )
      context.report([...path, 'ae_title'], 'has no effect: an MLLP endpoint has no AE titles, remove them');
    endpoints[name] = endpoint;
  }
  return endpoints;
}

/** MSH-9 without its third component, or null: what a generator is when it does not say so itself. */
function messageTypeOf(content: string): string | null {
  const header = content.trimStart();
  if (!header.startsWith('MSH')) return null;
  const type = header.split(/[\r\n]/, 1)[0]!.split(header[3] ?? '|')[8] ?? '';
  const [code, event] = type.split(header[4] ?? '^');
  if (!code) return null;
  return event ? `${code}^${event}` : code;
}

function readContent(
  context: Context,
  path: FaultPath,
  content: unknown,
  file: unknown,
): GeneratorFile | null {
  if (typeof content === 'string' && typeof file === 'string') {
    context.report([...path, 'file'], 'contradicts content: keep one of them');
    return null;
  }
  if (typeof content === 'string') return { ok: true, file: '', content };
  if (typeof file !== 'string') {
    context.report(path, 'is empty: give the message as content, or the path of a file as file');
    return null;
  }
  if (context.readGenerator === null) {
    context.report([...path, 'file'], 'is not allowed here: give the message as content');
    return null;
  }
  const result = context.readGenerator(file);
  if (!result.ok) context.report([...path, 'file'], result.message);
  return result;
}

function readGenerator(context: Context, name: string, raw: unknown): Generator | null {
  const path = ['generators', name];
  const parsed = read(context, generatorSchema, raw, path);
  if (!parsed) return null;
  const source = readContent(context, path, parsed.content, parsed.file);
  if (!source?.ok) return null;
  const at = source.file === '' ? [...path, 'content'] : [...path, 'file'];
  for (const { line, message } of context.checkGenerator(source.content)) {
    const place = source.file === '' ? {} : { file: source.file };
    context.faults.push({ path: at, message, contentLine: line, ...place });
  }
  const messageType = parsed.message_type ?? messageTypeOf(source.content);
  if (messageType === null)
    context.report(
      at,
      'does not begin with an MSH segment that names its type in MSH-9: correct it or give message_type',
    );
  return { name, messageType: messageType ?? '', content: source.content };
}

function readStations(
  context: Context,
  value: unknown,
  endpoints: ReadonlyMap<string, EndpointType | null>,
): Station[] {
  const stations: Station[] = [];
  for (const [i, raw] of (Array.isArray(value) ? value : []).entries()) {
    const path = ['stations', i];
    const parsed = read(context, stationSchema, raw, path);
    if (!parsed) continue;
    if (parsed.ae_title === null)
      context.report([...path, 'ae_title'], 'is empty: a station needs an AE title');
    for (const [n, name] of (parsed.destinations ?? []).entries())
      if ((endpoints.get(name) ?? (endpoints.has(name) ? 'DICOM_SCP' : null)) !== 'DICOM_SCP')
        context.report(
          [...path, 'destinations', n],
          `no DICOM_SCP endpoint is named "${name}": ${suggestion(name, [...endpoints.keys()])}`,
        );
    stations.push(toStation(parsed));
  }
  return stations;
}

function readParameters(
  context: Context,
  stepType: StepType,
  raw: unknown,
  path: FaultPath,
): ReadStep['parameters'] {
  const value = field(raw, 'parameters') ?? {};
  const at = [...path, 'parameters'];
  const nested = field(value, 'repeat');
  if (context.strict && nested !== undefined)
    reportUnknown(stepSchema.shape.repeat.unwrap().unwrap(), nested, [...at, 'repeat'], context.report);
  return read(context, PARAMETER_SCHEMAS[stepType], value, at);
}

function readStep(context: Context, raw: unknown, index: number): ReadStep | null {
  const path = ['steps', index];
  if (context.strict) {
    reportUnknown(retrySchema, field(raw, 'retry'), [...path, 'retry'], context.report);
    reportUnknown(
      stepSchema.shape.repeat.unwrap().unwrap(),
      field(raw, 'repeat'),
      [...path, 'repeat'],
      context.report,
    );
  }
  const head: StepIn | null = read(context, stepSchema, raw, path);
  const type = field(raw, 'step_type');
  if (typeof type !== 'string') return null;
  const stepType = STEP_TYPES.find((known) => known === type);
  if (stepType === undefined) {
    const near = suggestion(type, STEP_TYPES);
    const known = near.startsWith('known') ? near : `${near} Known: ${STEP_TYPES.join(', ')}`;
    context.report([...path, 'step_type'], `unknown step type "${type}": ${known}`);
    return null;
  }
  return { stepType, index, head, parameters: readParameters(context, stepType, raw, path) } as ReadStep;
}

/** `step_order` as a step has it; null where it cannot be read, which has been reported. */
function orderOf(raw: unknown): number | undefined | null {
  if (typeof raw !== 'object' || raw === null) return null;
  const { success, data } = stepSchema.shape.step_order.safeParse(field(raw, 'step_order'));
  return success ? data : null;
}

/**
 * Places of the steps by `step_order` when they carry it, which then runs from 1 without gaps; else as they are listed.
 * Null when faults leave it open which comes first.
 */
function executionOrder(context: Context, list: readonly unknown[]): readonly number[] | null {
  const orders = list.map(orderOf);
  const places = [...list.keys()];
  if (orders.every((order) => typeof order !== 'number')) return places;
  const seen = new Set<number>();
  const faultsBefore = context.faults.length;
  for (const [place, order] of orders.entries()) {
    const path = ['steps', place, 'step_order'];
    if (order === null) continue;
    if (order === undefined) context.report(path, 'is missing: give it to all steps or to none');
    else if (order > list.length)
      context.report(path, `must run from 1 to ${list.length} without gaps, not ${order}`);
    else if (seen.has(order))
      context.report(path, `is ${order} for two steps: number them from 1 to ${list.length}`);
    if (order !== undefined) seen.add(order);
  }
  if (orders.includes(null) || context.faults.length > faultsBefore) return null;
  return places.toSorted((a, b) => orders[a]! - orders[b]!);
}

function readSteps(context: Context, list: readonly unknown[], references: References): Step[] {
  const read = list.map((raw, i) => readStep(context, raw, i));
  const order = executionOrder(context, list);
  const steps = order === null ? read : order.map((place) => read[place]!);
  const handOffs = checkSteps(steps, { ...references, isOrdered: order !== null }, context.report);
  return steps.flatMap((step, i) =>
    !step || step.head === null || step.parameters === null
      ? []
      : [
          toStep(
            step.stepType,
            i + 1,
            step.head,
            step.parameters,
            endpointOf(step),
            handOffs.get(step) ?? null,
          ),
        ],
  );
}

function readCaseMix(context: Context, value: unknown): void {
  if (context.strict) reportUnknown(caseMixSchema, value, ['case_mix'], context.report);
  const shares = entriesOf(value).map(([, share]) => Number(share));
  if (shares.length > 0 && shares.every((share) => share === 0))
    context.report(['case_mix'], 'gives every modality the share 0: give one of them more');
}

function assemble(
  head: TemplateIn,
  parts: Pick<Template, 'steps' | 'endpoints' | 'generators' | 'stations'>,
): Template {
  return {
    name: head.name,
    description: head.description ?? '',
    onFailure: head.on_failure,
    caseMix: toCaseMix(head.case_mix),
    returningShare: head.returning_share,
    proceduresPerOrder: head.procedures_per_order,
    ...(head.name_prefix === undefined ? {} : { namePrefix: head.name_prefix }),
    ...parts,
  };
}

/** Reads a template from its wire form (`snake_case`) and reports everything that is wrong in it at once. */
export function validateTemplate(value: unknown, options: ValidateOptions): ValidateResult {
  const faults: Fault[] = [];
  const context: Context = { ...options, faults, report: (path, message) => faults.push({ path, message }) };
  const head = read(context, templateSchema, value, []);
  readCaseMix(context, field(value, 'case_mix'));
  const endpoints = readEndpoints(context, field(value, 'endpoints'));
  const types = new Map<string, EndpointType | null>(Object.entries(options.implicitEndpoints));
  // An endpoint with faults of its own is still there to be referred to.
  for (const [name, raw] of entriesOf(field(value, 'endpoints'))) {
    const type = field(raw, 'endpoint_type');
    types.set(name, type === 'MLLP' || type === 'DICOM_SCP' ? type : null);
  }
  const generatorsIn = entriesOf(field(value, 'generators'));
  const generators = generatorsIn.flatMap(([name, raw]) => readGenerator(context, name, raw) ?? []);
  const stations = readStations(context, field(value, 'stations'), types);
  const rawSteps = field(value, 'steps');
  const steps = readSteps(context, Array.isArray(rawSteps) ? rawSteps : [], {
    endpoints: types,
    generators: new Set(generatorsIn.map(([name]) => name)),
    strict: options.strict,
  });
  if (head === null || faults.length > 0) return { ok: false, faults };
  const byName = Object.fromEntries(generators.map((generator) => [generator.name, generator]));
  return { ok: true, template: assemble(head, { steps, endpoints, generators: byName, stations }) };
}
