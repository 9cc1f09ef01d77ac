import type { Endpoint, EndpointType } from '../domain/endpoint.ts';
import { namedEndpoints } from '../domain/named-endpoints.ts';
import type { Template } from '../domain/template.ts';
import type { Closeable } from '../lib/lifecycle.ts';
import { SINK_AE_TITLE, type SinkCounts, startSinkProcess } from '../roles/sink-process.ts';
import type { DicomAddress, HostPort } from './address.ts';

export interface ResolvedEndpoints extends Closeable {
  /** Every endpoint that a step or a station names. */
  endpoints: Record<string, Endpoint>;
  /** Those of them that are built-in sinks. */
  sinkNames: readonly string[];
  onlySinks: boolean;
  /** Stops the sinks. @returns what they received; null without sinks */
  stopSinks(): Promise<SinkCounts | null>;
}

export interface EndpointFlags {
  mllp: HostPort | null;
  dicom: DicomAddress | null;
}

/**
 * Finds an address for every endpoint that the template uses: the flag of its type, else the template's own, else a
 * built-in sink, which is started.
 */
export async function resolveEndpoints(template: Template, flags: EndpointFlags): Promise<ResolvedEndpoints> {
  const endpoints: Record<string, Endpoint> = {};
  const unresolved: [name: string, type: EndpointType][] = [];
  for (const [name, type] of namedEndpoints(template)) {
    const own = template.endpoints[name] ?? null;
    const flagged = type === 'MLLP' ? flags.mllp : flags.dicom;
    if (flagged) endpoints[name] = fromFlag(name, type, flagged, own);
    else if (own) endpoints[name] = own;
    else unresolved.push([name, type]);
  }
  const sink = unresolved.length > 0 ? await startSinkProcess() : null;
  for (const [name, type] of unresolved) {
    endpoints[name] = {
      name,
      endpointType: type,
      hostname: '127.0.0.1',
      port: type === 'MLLP' ? sink!.ports.mllpPort : sink!.ports.dicomPort,
      aeTitle: type === 'MLLP' ? null : SINK_AE_TITLE,
      callingAeTitle: null,
      builtInSink: true,
    };
  }
  const stopSinks = async (): Promise<SinkCounts | null> => (sink ? sink.stop() : null);
  const close = async (): Promise<void> => {
    await stopSinks();
  };
  return {
    endpoints,
    sinkNames: unresolved.map(([name]) => name),
    onlySinks: unresolved.length === Object.keys(endpoints).length,
    stopSinks,
    close,
    [Symbol.asyncDispose]: close,
  };
}

function fromFlag(
  name: string,
  type: EndpointType,
  flag: HostPort | DicomAddress,
  own: Endpoint | null,
): Endpoint {
  return {
    name,
    endpointType: type,
    hostname: flag.host,
    port: flag.port,
    aeTitle: 'aeTitle' in flag ? flag.aeTitle : null,
    callingAeTitle: own?.callingAeTitle ?? null,
  };
}
