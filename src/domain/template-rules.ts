import type { EndpointType } from './endpoint.ts';
import { ENDPOINT_OF_STEP } from './named-endpoints.ts';
import type { ParametersIn, StepIn } from './step-schema.ts';
import type { StepType } from './template.ts';
import { type FaultPath, type Report, suggestion } from './template-faults.ts';
import { type HandOff, toHandOff, toRetry } from './template-mapper.ts';

/** A step as far as it could be read: what is null has been reported. */
export type ReadStep = {
  [T in StepType]: {
    stepType: T;
    /** Where it stands in the file, from 0. */
    index: number;
    head: StepIn | null;
    parameters: ParametersIn[T] | null;
  };
}[StepType];

/** What the steps of a template may refer to. */
export interface References {
  /** Null is the type of an endpoint whose own is at fault. */
  endpoints: ReadonlyMap<string, EndpointType | null>;
  generators: ReadonlySet<string>;
  /** Also report what has no effect: files are written by hand, and a field without effect is a mistake there. */
  strict: boolean;
}

/** The endpoint that a step sends to: the one it names, else `mllp` or `dicom`; empty for steps without one. */
export function endpointOf(step: ReadStep): string {
  const { parameters } = step;
  const named = parameters !== null && 'endpoint_id' in parameters ? parameters.endpoint_id : undefined;
  return named ?? ENDPOINT_OF_STEP[step.stepType]?.usual ?? '';
}

function checkEndpoint(step: ReadStep, at: FaultPath, references: References, report: Report): void {
  const wanted = ENDPOINT_OF_STEP[step.stepType];
  if (!wanted || step.parameters === null) return;
  const name = endpointOf(step);
  const type = references.endpoints.get(name);
  const path = [...at, 'parameters', 'endpoint_id'];
  const names = [...references.endpoints].filter(([, t]) => t === wanted.type).map(([n]) => n);
  if (type === undefined) {
    const todo =
      names.length === 0 ? `there is none of type ${wanted.type}, make it` : suggestion(name, names);
    report(path, `no endpoint is named "${name}": ${todo}`);
  } else if (type !== null && type !== wanted.type)
    report(
      path,
      `${step.stepType} needs an endpoint of type ${wanted.type}, but "${name}" is ${type}: choose another`,
    );
}

function checkGenerate(
  parameters: ParametersIn['GENERATE_HL7'],
  at: FaultPath,
  references: References,
  report: Report,
): void {
  const path = [...at, 'parameters'];
  const name = parameters.generator_template_id;
  if (!references.generators.has(name))
    report(
      [...path, 'generator_template_id'],
      `no generator is named "${name}": ${suggestion(name, [...references.generators])}`,
    );
  const custom = parameters.custom_accession_field;
  if (parameters.accession_field === 'CUSTOM' && !custom)
    report([...path, 'accession_field'], 'CUSTOM needs custom_accession_field, for example "ZDS.1"');
  if (parameters.accession_field !== 'CUSTOM' && custom && references.strict)
    report([...path, 'custom_accession_field'], 'has no effect: set accession_field to CUSTOM, or remove it');
  if (!references.strict || parameters.queue_async === true) return;
  for (const key of Object.keys(parameters))
    if (/^(queue_|async_|max_attempts|retry_delay_ms)/.test(key) && key !== 'queue_async')
      report([...path, key], 'has no effect without queue_async: true: set that, or remove it');
}

function checkHead(head: StepIn, at: FaultPath, strict: boolean, report: Report): void {
  if (head.retry) {
    const policy = toRetry(head.retry);
    if (policy.maxDelayMs < policy.delayMs)
      report(
        [...at, 'retry', 'max_delay_ms'],
        `must not be less than delay_ms (${policy.delayMs}): raise it or lower delay_ms`,
      );
  }
  if (!strict || head.execution === 'async') return;
  for (const key of ['queue', 'job_type'] as const)
    if (head[key])
      report([...at, key], 'has no effect on an inline step: set execution: async, or remove it');
}

/** `label` and `repeat` may stand beside the parameters or in them, but not differ. */
function checkTwice(step: ReadStep, at: FaultPath, report: Report): void {
  for (const key of ['label', 'repeat'] as const) {
    const outer = step.head?.[key] ?? null;
    const inner = step.parameters?.[key] ?? null;
    if (outer !== null && inner !== null && JSON.stringify(outer) !== JSON.stringify(inner))
      report([...at, key], `is given twice, here and in parameters, with different values: keep one`);
  }
}

/** What has happened in the iteration before a step; null where faults of the steps before leave it open. */
interface Progress {
  message: boolean | null;
  study: boolean | null;
  /** A performed procedure step has begun and not ended. */
  performing: boolean | null;
  inJob: boolean | null;
  handOff: HandOff | 'unknown' | null;
}

const NOTHING: Progress = { message: false, study: false, performing: false, inJob: false, handOff: null };

/** After a step of which nothing is known: what has happened, has. */
function afterUnknown({ message, study, inJob }: Progress): Progress {
  return {
    message: message || null,
    study: study || null,
    performing: null,
    inJob: inJob || null,
    handOff: 'unknown',
  };
}

function checkProgress(step: ReadStep, at: FaultPath, before: Progress, report: Report): void {
  if (step.stepType === 'SEND_MLLP' && before.message === false)
    report([...at, 'step_type'], 'nothing to send: put a GENERATE_HL7 step before this one');
  if (step.stepType === 'SEND_DICOM' && before.study === false)
    report([...at, 'step_type'], 'nothing to send: put a GENERATE_DICOM step before this one');
  if (step.head?.retry && before.inJob === false)
    report(
      [...at, 'retry'],
      'this step is in no job, so nothing would be tried again: set execution: async on it or on a step before it, ' +
        'or remove retry',
    );
}

/** A performed procedure step begins once and ends once, with what was made in between. */
function checkPerformedStep(
  { parameters, head }: Extract<ReadStep, { stepType: 'MPPS_UPDATE' }>,
  at: FaultPath,
  before: Progress,
  report: Report,
): void {
  if (parameters === null) {
    before.performing = null;
    return;
  }
  const { mpps_status: status } = parameters;
  const path = [...at, 'parameters', 'mpps_status'];
  if (status === 'IN PROGRESS' && before.performing === true)
    report(
      path,
      'begins a second step while the first is in progress: put COMPLETED or DISCONTINUED between them',
    );
  if (status !== 'IN PROGRESS' && before.performing === false)
    report(
      path,
      `${status} ends a step that has not begun: put an MPPS_UPDATE with IN PROGRESS before this one`,
    );
  else if (status === 'COMPLETED' && before.study === false)
    report(
      path,
      'COMPLETED lists the images that were made: put a GENERATE_DICOM step before this one, or say DISCONTINUED',
    );
  if (((parameters.repeat ?? head?.repeat)?.count ?? 1) > 1)
    report([...at, 'repeat'], 'a performed step begins and ends once: remove repeat');
  before.performing = status === 'IN PROGRESS';
}

/**
 * Faults that lie between fields: references, contradictions and the order of steps, which are given in the order of
 * execution, with null for those that could not be read. What only follows from faults that were reported is none. Also
 * finds which steps an older `queue_async` hands on (the step after it).
 */
export function checkSteps(
  steps: readonly (ReadStep | null)[],
  references: References & {
    /** False where the order of execution is itself at fault. */
    isOrdered: boolean;
  },
  report: Report,
): Map<ReadStep, HandOff> {
  const handOffs = new Map<ReadStep, HandOff>();
  let before = references.isOrdered ? { ...NOTHING } : afterUnknown(NOTHING);
  for (const step of steps) {
    if (step === null) {
      before = afterUnknown(before);
      continue;
    }
    const at: FaultPath = ['steps', step.index];
    const { handOff } = before;
    before.handOff = references.isOrdered ? null : 'unknown';
    if (step.head?.execution === 'async' || (handOff !== null && handOff !== 'unknown')) before.inJob = true;
    else if (handOff === 'unknown' || step.head === null) before.inJob ||= null;
    if (handOff !== null && handOff !== 'unknown') handOffs.set(step, handOff);
    checkProgress(step, at, before, report);
    checkEndpoint(step, at, references, report);
    checkTwice(step, at, report);
    if (step.head) checkHead(step.head, at, references.strict && handOff === null, report);
    if (step.stepType === 'GENERATE_HL7') {
      before.message = true;
      if (step.parameters) checkGenerate(step.parameters, at, references, report);
      if (references.isOrdered) before.handOff = step.parameters ? toHandOff(step.parameters) : 'unknown';
    }
    if (step.stepType === 'MPPS_UPDATE') checkPerformedStep(step, at, before, report);
    if (step.stepType === 'GENERATE_DICOM') {
      before.study = true;
      if (step.parameters?.burn_patient_info && !step.parameters.generate_pixels)
        report(
          [...at, 'parameters', 'burn_patient_info'],
          'contradicts generate_pixels: false, which makes images of 8 x 8: keep one of them',
        );
    }
  }
  return handOffs;
}
