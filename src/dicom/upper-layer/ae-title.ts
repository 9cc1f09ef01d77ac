import { type Failure, failure } from '../../lib/errors.ts';

/**
 * An application entity title (PS3.5 section 6.2, VR AE; PS3.8 section 9.3.2): 1 to 16 characters of the basic
 * ISO 646 set without backslash and control characters, not of spaces alone. Case counts; leading and trailing
 * spaces do not.
 * @returns null, or a `DICOM_AE_TITLE` failure that names the parameter
 */
export function checkAeTitle(title: string, parameter: string): Failure | null {
  const shown = JSON.stringify(title);
  const refuse = (reason: string): Failure =>
    failure(
      'DICOM_AE_TITLE',
      `${parameter} ${shown} ${reason}: an AE title has 1 to 16 printable characters`,
    );
  if (title.length > 16) return refuse(`has ${title.length} characters`);
  if (title.trim() === '') return refuse(title === '' ? 'is empty' : 'consists of spaces');
  if (title.includes('\\')) return refuse('contains a backslash');
  if (!/^[\x20-\x7e]*$/.test(title)) return refuse('contains a control or non-ASCII character');
  return null;
}
