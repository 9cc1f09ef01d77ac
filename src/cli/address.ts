import { checkAeTitle } from '../dicom/upper-layer/ae-title.ts';
import { YeeterError } from '../lib/errors.ts';

export interface HostPort {
  host: string;
  port: number;
}

export interface DicomAddress extends HostPort {
  aeTitle: string;
}

/** Parses `HOST:PORT`, also `[::1]:2575`. @throws {YeeterError} USAGE */
export function parseHostPort(text: string, what: string): HostPort {
  const match = /^(?:\[([^\]]+)\]|([^:\s]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port < 1 || port > 65_535) {
    throw new YeeterError('USAGE', `${what}: "${text}" is not HOST:PORT, for example 127.0.0.1:2575`);
  }
  return { host: (match[1] ?? match[2])!, port };
}

/** Parses `AET@HOST:PORT`. @throws {YeeterError} USAGE, DICOM_AE_TITLE */
export function parseDicomAddress(text: string, what: string): DicomAddress {
  const at = text.indexOf('@');
  if (at < 1) {
    throw new YeeterError(
      'USAGE',
      `${what}: "${text}" is not AET@HOST:PORT, for example ORTHANC@127.0.0.1:4242`,
    );
  }
  const aeTitle = text.slice(0, at);
  const fault = checkAeTitle(aeTitle, what);
  if (fault) throw new YeeterError(fault.code, fault.message);
  return { aeTitle, ...parseHostPort(text.slice(at + 1), what) };
}

export interface TargetAddress extends HostPort {
  aeTitle: string | null;
}

/** `AET@HOST:PORT` is a DICOM system, `HOST:PORT` an MLLP one. @throws {YeeterError} USAGE, DICOM_AE_TITLE */
export function parseTarget(text: string): TargetAddress {
  return text.includes('@')
    ? parseDicomAddress(text, 'the target')
    : { aeTitle: null, ...parseHostPort(text, 'the target') };
}
