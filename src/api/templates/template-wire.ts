import type { StepDefinition, StoredStep, TemplateRecord } from '../../storage/server-port.ts';
import { type StepInput, TEMPLATE_SETTINGS } from '../contract/templates.ts';
import { at } from '../time.ts';

function stepToWire(step: StoredStep) {
  return {
    id: step.id,
    step_order: step.stepOrder,
    step_type: step.stepType,
    parameters: { ...step.parameters },
    execution: step.execution ?? 'inline',
    queue: step.queue,
    job_type: step.jobType,
    retry: step.retry && { ...step.retry },
    metadata: { ...step.metadata },
  };
}

export function templateToWire(template: TemplateRecord) {
  const { id, userId, name, description, createdAtMs, settings, steps } = template;
  return {
    id,
    user_id: userId,
    name,
    description,
    created_at: at(createdAtMs),
    steps: steps.map(stepToWire),
    ...settings,
  };
}

/** The order of a step that has none beside others that have. */
export const NO_ORDER = -1;

/** Steps as they were sent; those without a number get their place in the list when none of them has one. */
export function stepsFromWire(steps: readonly StepInput[]): StepDefinition[] {
  const numbered = steps.some(({ step_order: order }) => order !== undefined && order !== null);
  return steps.map((step, index) => ({
    stepOrder: step.step_order ?? (numbered ? NO_ORDER : index + 1),
    stepType: step.step_type,
    parameters: step.parameters ?? {},
    execution: step.execution ?? null,
    queue: step.queue ?? null,
    jobType: step.job_type ?? null,
    retry: step.retry ?? null,
    metadata: step.metadata ?? null,
  }));
}

/** Fields beside name, description and steps that were sent. */
export function settingsFromWire(body: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    TEMPLATE_SETTINGS.flatMap((name) => (body[name] === undefined ? [] : [[name, body[name]]])),
  );
}
