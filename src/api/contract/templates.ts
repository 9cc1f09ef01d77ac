import { z } from 'zod';
import { expects, integer, line, record as recordIn, text as textIn } from '../../domain/schema-fields.ts';
import { idParams, objectId, record, text, time } from './fields.ts';
import { json, messageSchema, NOTHING, route } from './route.ts';

/**
 * A step around its fields; what they mean is the validator's of the domain, which knows the whole template. Unknown
 * fields stay out, and `parameters` come back as they were sent.
 */
export const stepIn = z.object(
  {
    step_order: integer(0, 1295).nullish(),
    step_type: z.string({ error: expects('the type of the step') }).max(100),
    parameters: recordIn().nullish(),
    execution: z.string({ error: expects('inline or async') }).nullish(),
    queue: z.string({ error: expects('the name of a queue') }).nullish(),
    job_type: z.string({ error: expects('text') }).nullish(),
    retry: recordIn().nullish(),
    metadata: recordIn().nullish(),
  },
  { error: expects('a step: step_type and parameters') },
);
export type StepInput = z.output<typeof stepIn>;

/** Fields of a template beside name, description and steps, which the domain reads. */
export const TEMPLATE_SETTINGS = [
  'on_failure',
  'case_mix',
  'returning_share',
  'procedures_per_order',
  'name_prefix',
  'stations',
] as const;

const settings = Object.fromEntries(
  TEMPLATE_SETTINGS.map((name) => [name, z.unknown().optional()]),
) as Record<(typeof TEMPLATE_SETTINGS)[number], z.ZodOptional<z.ZodUnknown>>;

const MAX_STEPS = 200;
const stepsIn = z
  .array(stepIn, { error: expects('a list of steps') })
  .max(MAX_STEPS, { error: `must hold at most ${MAX_STEPS} steps` });

const step = z.object({
  id: objectId,
  step_order: z.int(),
  step_type: text,
  parameters: record,
  execution: text,
  /** Null where none was given: the default one, or that of an older hand-off before it. */
  queue: text.nullable(),
  job_type: text.nullable(),
  retry: record.nullable(),
  metadata: record,
});

const template = z.looseObject({
  id: objectId,
  user_id: objectId,
  name: text,
  description: text.nullable(),
  created_at: time,
  steps: z.array(step),
});

const templateIn = { name: line(100), description: textIn(10_000).nullish(), steps: stepsIn, ...settings };

export const templateRoutes = {
  listTemplates: route({
    method: 'GET',
    path: '/api/simulator/templates',
    tag: 'Templates',
    summary: 'Your simulation templates, by name',
    who: 'user',
    answers: { 200: json('The templates.', z.array(template)) },
  }),
  createTemplate: route({
    method: 'POST',
    path: '/api/simulator/templates',
    tag: 'Templates',
    summary: 'Keeps a simulation template; its steps are validated first',
    who: 'user',
    body: z.object(templateIn),
    answers: { 201: json('The template.', template) },
  }),
  getTemplate: route({
    method: 'GET',
    path: '/api/simulator/templates/:id',
    tag: 'Templates',
    summary: 'One simulation template',
    who: 'user',
    params: idParams,
    answers: { 200: json('The template.', template) },
  }),
  updateTemplate: route({
    method: 'PUT',
    path: '/api/simulator/templates/:id',
    tag: 'Templates',
    summary: 'Changes a template in part; `steps` replaces all of them',
    who: 'user',
    params: idParams,
    body: z.object(templateIn).partial(),
    answers: { 200: json('The template.', template) },
  }),
  deleteTemplate: route({
    method: 'DELETE',
    path: '/api/simulator/templates/:id',
    tag: 'Templates',
    summary: 'Deletes a template that no run refers to',
    who: 'user',
    params: idParams,
    answers: { 204: NOTHING },
    errors: { 409: 'Runs refer to it.' },
  }),
  listMessageTemplates: route({
    method: 'GET',
    path: '/api/templates',
    tag: 'HL7 tools',
    summary: 'Message templates of the HL7 editor; there are none',
    who: 'anyone',
    answers: { 200: json('An empty list.', z.array(messageSchema)) },
  }),
} as const;
