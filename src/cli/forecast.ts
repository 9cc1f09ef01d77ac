import type { RunIdentity } from '../domain/identity.ts';
import type { Template } from '../domain/template.ts';
import { plannedStudies } from '../steps/draw-ahead.ts';
import { instanceBytes } from '../steps/study-factory.ts';
import { formatBytes, formatCount } from './format.ts';

/** What a run is going to send. */
export interface Forecast {
  messages: number;
  studies: number;
  instances: number;
  bytes: number;
  /** False when it was reckoned from the first patients. */
  exact: boolean;
}

const MAX_SAMPLE = 500;

/** Counts what the first patients would be sent and scales it up. */
export function forecast(template: Template, identity: RunIdentity, patients: number): Forecast {
  const sample = Math.min(patients, MAX_SAMPLE);
  const sum = { messages: 0, studies: 0, instances: 0, bytes: 0 };
  for (let iteration = 1; iteration <= sample; iteration++) addIteration(sum, template, identity, iteration);
  const scale = patients / sample;
  return {
    messages: Math.round(sum.messages * scale),
    studies: Math.round(sum.studies * scale),
    instances: Math.round(sum.instances * scale),
    bytes: Math.round(sum.bytes * scale),
    exact: sample === patients,
  };
}

function addIteration(
  sum: Omit<Forecast, 'exact'>,
  template: Template,
  identity: RunIdentity,
  iteration: number,
): void {
  const planned = plannedStudies(template, identity, iteration);
  for (const step of template.steps) {
    const times = step.repeat.count;
    if (step.stepType === 'SEND_MLLP') sum.messages += times;
    if (step.stepType !== 'SEND_DICOM') continue;
    sum.studies += planned.length * times;
    for (const study of planned) {
      for (const series of study.series) {
        sum.instances += series.instanceCount * times;
        sum.bytes += series.instanceCount * times * instanceBytes(study, series);
      }
    }
  }
}

/** One line, for example "to send: 1,000 messages, 1,000 studies, 4,000 instances, about 2.1 GB". */
export function formatForecast(forecasted: Forecast): string {
  const { messages, studies, instances, bytes, exact } = forecasted;
  const parts = [`${formatCount(messages)} messages`];
  if (instances > 0) {
    parts.push(`${formatCount(studies)} studies`, `${formatCount(instances)} instances`, formatBytes(bytes));
  }
  return `to send: ${exact ? '' : 'about '}${parts.join(', ')}`;
}
