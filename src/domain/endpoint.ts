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
}
