import { ENDPOINT_OF_STEP } from './named-endpoints.ts';
import type { StepType } from './template.ts';

/** A template as its file has it, once it is known to be without faults. */
export interface TemplateFile {
  name: string;
  description?: string;
  generators?: Record<string, { file?: string; message_type?: string }>;
  steps: StepFile[];
  [setting: string]: unknown;
}

interface StepFile {
  step_type: StepType;
  step_order?: number;
  label?: string;
  repeat?: unknown;
  execution?: string;
  queue?: string;
  job_type?: string;
  retry?: Record<string, unknown>;
  metadata?: Record<string, unknown>;
  parameters?: Record<string, unknown>;
}

/** What generators and endpoints of the file are called where the template goes to. */
export interface TemplateReferences {
  generator(name: string): string | number;
  endpoint(name: string): string | number;
}

/** A template's file as the server takes it, which has generators and endpoints apart. */
export function templateBody(file: TemplateFile, references: TemplateReferences) {
  const { generators: _, endpoints: __, steps, ...rest } = file;
  return { ...rest, steps: steps.map((step) => stepBody(step, references)) };
}

/** `label` and `repeat` are parameters there, and each endpoint is named. */
function stepBody({ label, repeat, ...step }: StepFile, { generator, endpoint }: TemplateReferences) {
  const parameters: Record<string, unknown> = { ...step.parameters };
  if (label !== undefined) parameters.label = label;
  if (repeat !== undefined) parameters.repeat = repeat;
  const { generator_template_id: from, endpoint_id: to = ENDPOINT_OF_STEP[step.step_type]?.usual } =
    parameters;
  if (from !== undefined) parameters.generator_template_id = generator(String(from));
  if (to !== undefined) parameters.endpoint_id = endpoint(String(to));
  return { ...step, parameters };
}
