import type { Routes } from '../../src/api/contract/routes.ts';
import type { Person, Success, TestApi } from '../support/api.ts';

/** A message of three lines with sound cues. */
export const ORDER = [
  'MSH|^~\\&|YEETER|HOSP|RIS|HOSP|{$Faker.Context.MessageTimestamp}||ORM^O01|1|T|2.3.1',
  'PID|1||{$Faker.Patient.MRN}||{$Faker.Person.LastName}^{$Faker.Person.FirstName}||{$Faker.Person.DOB}',
  'OBR|1|{$Faker.Order.PlacerOrderNumber}|{$Faker.Order.AccessionNumber}|CT^{$Faker.Order.StudyDescription}',
  '',
].join('\r');

export function generatorBody(change: Record<string, unknown> = {}) {
  return { name: 'order', message_type: 'ORM^O01', content: ORDER, ...change };
}

export interface MadeTemplate {
  template: Success<Routes['createTemplate']>;
  generatorId: number;
  endpointId: number;
}

export interface TemplateChange {
  generateParameters?: Record<string, unknown>;
  /** Fields of the step that sends. */
  send?: Record<string, unknown>;
  hostname?: string;
  /** Fields of the template. */
  settings?: Record<string, unknown>;
}

/** An order that is generated and sent to an MLLP endpoint, each stored. */
export async function makeTemplate(
  api: TestApi,
  as: Person,
  { generateParameters, send, hostname = '127.0.0.1', settings }: TemplateChange = {},
): Promise<MadeTemplate> {
  const generator = await api.ok('createGenerator', { body: generatorBody() });
  const endpoint = await api.ok('createEndpoint', {
    body: { name: 'ris', endpoint_type: 'MLLP', hostname, port: 2575 },
  });
  const template = await api.ok('createTemplate', {
    as,
    body: {
      name: 'orders',
      description: null,
      ...settings,
      steps: [
        {
          step_type: 'GENERATE_HL7',
          step_order: 1,
          parameters: { generator_template_id: generator.id, ...generateParameters },
        },
        { step_type: 'SEND_MLLP', step_order: 2, parameters: { endpoint_id: endpoint.id }, ...send },
      ],
    },
  });
  return { template, generatorId: generator.id, endpointId: endpoint.id };
}

/** Starts a run of a template of its own. @returns its id */
export async function startRun(
  api: TestApi,
  as: Person,
  body: Record<string, unknown> = {},
): Promise<number> {
  const { template } = await makeTemplate(api, as);
  return (await api.ok('startRun', { as, body: { template_id: template.id, ...body } })).run_id;
}
