import type { EndpointType } from '../domain/endpoint.ts';
import type { Job } from '../domain/job.ts';
import { namedEndpoints } from '../domain/named-endpoints.ts';
import { isOver } from '../domain/run-state.ts';
import type { BenchSinks } from '../queue/admin-port.ts';
import type { RunRecord } from '../storage/port.ts';

/**
 * The built-in sinks that jobs of a run would send to and that are gone: a bench stops them once its run is over. Null
 * where there are none.
 */
export function goneSinks(
  { id, status, template, endpoints }: Pick<RunRecord, 'id' | 'status' | 'template' | 'endpoints'>,
  jobs: readonly Pick<Job, 'remainingSteps'>[],
): BenchSinks | null {
  if (!isOver(status)) return null;
  const ahead = new Set(jobs.flatMap(({ remainingSteps }) => remainingSteps));
  const steps = template.steps.filter(({ stepOrder }) => ahead.has(stepOrder));
  const stations = steps.some(({ stepType }) => stepType === 'SEND_DICOM') ? template.stations : [];
  const sinks = [...namedEndpoints({ steps, stations }).keys()].flatMap((name) => endpoints[name] ?? []);
  const portOf = (type: EndpointType): number | null =>
    sinks.find(({ endpointType, builtInSink }) => builtInSink && endpointType === type)?.port ?? null;
  const mllpPort = portOf('MLLP');
  const dicomPort = portOf('DICOM_SCP');
  return mllpPort === null && dicomPort === null ? null : { runId: id, mllpPort, dicomPort };
}
