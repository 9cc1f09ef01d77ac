import type { EndpointType } from './endpoint.ts';
import type { Template } from './template.ts';

/** Names that the template's steps and stations send to, with the type that is meant. */
export function namedEndpoints(template: Pick<Template, 'steps' | 'stations'>): Map<string, EndpointType> {
  const names = new Map<string, EndpointType>();
  for (const step of template.steps) {
    if (step.stepType === 'SEND_MLLP') names.set(step.parameters.endpoint, 'MLLP');
    if (step.stepType === 'SEND_DICOM') names.set(step.parameters.endpoint, 'DICOM_SCP');
  }
  for (const station of template.stations) {
    for (const name of station.destinations) names.set(name, 'DICOM_SCP');
  }
  return names;
}
