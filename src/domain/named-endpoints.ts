import type { EndpointType } from './endpoint.ts';
import type { StepType, Template } from './template.ts';

/** What steps that use a wire need at its other end, and the name of the endpoint where they give none. */
export const ENDPOINT_OF_STEP: Readonly<Partial<Record<StepType, { type: EndpointType; usual: string }>>> = {
  SEND_MLLP: { type: 'MLLP', usual: 'mllp' },
  DMWL_FIND: { type: 'DICOM_SCP', usual: 'dicom' },
  MPPS_UPDATE: { type: 'DICOM_SCP', usual: 'dicom' },
  SEND_DICOM: { type: 'DICOM_SCP', usual: 'dicom' },
};

/** Names that the template's steps and stations send to, with the type that is meant. */
export function namedEndpoints(template: Pick<Template, 'steps' | 'stations'>): Map<string, EndpointType> {
  const names = new Map<string, EndpointType>();
  for (const { stepType, parameters } of template.steps) {
    const wanted = ENDPOINT_OF_STEP[stepType];
    if (wanted && 'endpoint' in parameters) names.set(parameters.endpoint, wanted.type);
  }
  for (const station of template.stations) {
    for (const name of station.destinations) names.set(name, 'DICOM_SCP');
  }
  return names;
}
