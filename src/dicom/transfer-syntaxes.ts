import { EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN } from './uids.ts';

/** Storage SOP classes stand below this (PS3.4 Table B.5-1), retired ones too. */
const STORAGE_ROOT = '1.2.840.10008.5.1.4.1.1.';
/** Storage SOP classes outside that root: hanging protocol, colour palette, implant templates and others. */
const STORAGE_ELSEWHERE = /^1\.2\.840\.10008\.5\.1\.4\.(38\.1|39\.1|43\.1|44\.1|45\.1|34\.7|34\.10)$/;

export function isStorageSopClass(uid: string): boolean {
  return uid.startsWith(STORAGE_ROOT) || STORAGE_ELSEWHERE.test(uid);
}

/** What a receiver that only keeps bytes can take: PS3.5 Annex A. */
export const STORABLE_TRANSFER_SYNTAXES: readonly string[] = [
  EXPLICIT_VR_LITTLE_ENDIAN,
  IMPLICIT_VR_LITTLE_ENDIAN,
  '1.2.840.10008.1.2.1.99', // Deflated Explicit VR Little Endian
  '1.2.840.10008.1.2.2', // Explicit VR Big Endian (retired)
  '1.2.840.10008.1.2.4.50', // JPEG Baseline
  '1.2.840.10008.1.2.4.51', // JPEG Extended
  '1.2.840.10008.1.2.4.57', // JPEG Lossless
  '1.2.840.10008.1.2.4.70', // JPEG Lossless, first-order prediction
  '1.2.840.10008.1.2.4.80', // JPEG-LS Lossless
  '1.2.840.10008.1.2.4.81', // JPEG-LS Near-lossless
  '1.2.840.10008.1.2.4.90', // JPEG 2000 Lossless
  '1.2.840.10008.1.2.4.91', // JPEG 2000
  '1.2.840.10008.1.2.4.100', // MPEG2 Main Profile / Main Level
  '1.2.840.10008.1.2.4.102', // MPEG-4 AVC/H.264 High Profile
  '1.2.840.10008.1.2.4.201', // HTJ2K Lossless
  '1.2.840.10008.1.2.4.203', // HTJ2K
  '1.2.840.10008.1.2.5', // RLE Lossless
];
