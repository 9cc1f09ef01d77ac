import type { Template } from '../../src/domain/template.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { Failure } from '../../src/lib/errors.ts';
import { createRecorder } from '../../src/metrics/recorder.ts';
import type { Clients, MllpClient } from '../../src/steps/clients.ts';
import { compileGenerators } from '../../src/steps/generate-hl7.ts';
import type { StepEnvironment } from '../../src/steps/step.ts';
import { createStudyFactory } from '../../src/steps/study-factory.ts';
import { TEST_IDENTITY } from './job.ts';

/** A minimal message with a control id of its own. */
export const TEST_GENERATOR = {
  name: 'order',
  messageType: 'ORM^O01',
  content: [
    'MSH|^~\\&|YEETER|TEST|RIS|TEST|{$Faker.Context.MessageTimestamp}||ORM^O01|{$Faker.Context.MessageControlId}|T|2.3.1',
    'PID|||{$Faker.Patient.MRN}||{$Faker.Person.LastName}^{$Faker.Person.FirstName}',
    'OBR||{$Faker.Order.PlacerOrderNumber}|{$Faker.Order.AccessionNumber}|CT1^CT head',
  ].join('\n'),
};

export interface TestEnvironmentOptions {
  template: Template;
  /** Answers each send; called with the number of the send, from 1. */
  answer?: (n: number) => Failure | null;
  signal?: AbortSignal;
}

/** An environment whose MLLP endpoint answers from a function instead of a wire. */
export function testEnvironment({ template, answer, signal }: TestEnvironmentOptions): StepEnvironment {
  let sends = 0;
  const client: MllpClient = {
    send: async () => {
      sends++;
      const failed = answer?.(sends) ?? null;
      return failed ? { ...failed, serviceUs: 100 } : { ok: true, serviceUs: 100 };
    },
  };
  const clients: Clients = {
    mllp: () => client,
    dicom: () => {
      throw new Error('this environment has no DICOM endpoint');
    },
    close: async () => {},
    [Symbol.asyncDispose]: async () => {},
  };
  return {
    template,
    identity: TEST_IDENTITY,
    generators: compileGenerators(template),
    clients,
    studies: createStudyFactory(),
    recorder: createRecorder({ runId: 1, processId: 'test', clock: systemClock }),
    clock: systemClock,
    studyDir: null,
    signal: signal ?? new AbortController().signal,
  };
}
