export const ENDPOINT_TYPES = ['MLLP', 'DICOM_SCP'] as const;
export type EndpointType = (typeof ENDPOINT_TYPES)[number];

/** A system under test, or one of our sinks. */
export interface Endpoint {
  name: string;
  endpointType: EndpointType;
  hostname: string;
  port: number;
  /** Called AE title; null for MLLP. */
  aeTitle: string | null;
  /** Calling AE title; null means the station's. */
  callingAeTitle: string | null;
  /** One of our sinks, which whoever started the run stops at its end. @default false */
  builtInSink?: boolean;
}

/** What an endpoint may be asked for. Null means no limit. */
export interface EndpointLimits {
  /** MLLP connections, or DICOM associations, open at a time. */
  maxConnections: number;
  /** Messages, or instances, a second. */
  maxPerSecond: number | null;
  /** Of messages and data sets, for the whole run. */
  maxBytes: number | null;
  /** Begins with one connection and allows one more a second. */
  ramp: boolean;
  /** Whether they hold for all processes and runs together, as those of a registered system do. @default false */
  shared?: boolean;
}
