import { open } from 'node:fs/promises';
import { YeeterError } from '../lib/errors.ts';
import { DataSetWriter } from './dataset.ts';
import { IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME } from './implementation.ts';

/** Files (PS3.10 section 7): preamble, File Meta Information, data set. */

export interface FileMeta {
  sopClassUid: string;
  sopInstanceUid: string;
  transferSyntaxUid: string;
}

/** The 128 zero bytes, the prefix and the File Meta Information, which is Explicit VR whatever the data set is. */
export function fileHeader(meta: FileMeta): Buffer {
  const writer = new DataSetWriter('explicit', 512);
  writer.dataSet({
    FileMetaInformationVersion: Buffer.from([0, 1]),
    MediaStorageSOPClassUID: meta.sopClassUid,
    MediaStorageSOPInstanceUID: meta.sopInstanceUid,
    TransferSyntaxUID: meta.transferSyntaxUid,
    ImplementationClassUID: IMPLEMENTATION_CLASS_UID,
    ImplementationVersionName: IMPLEMENTATION_VERSION_NAME,
  });
  const group = writer.toBuffer();
  writer.reset();
  writer.raw(PREAMBLE);
  writer.dataSet({ FileMetaInformationGroupLength: group.length });
  writer.raw(group);
  return writer.toBuffer();
}

const PREAMBLE = Buffer.concat([Buffer.alloc(128), Buffer.from('DICM', 'latin1')]);

/**
 * Writes one file from its pieces, without joining them.
 * @returns the file's size in bytes
 * @throws YeeterError DISK_FULL when no room is left, STORAGE_FAILED for any other fault of the file system
 */
export async function writePart10(path: string, meta: FileMeta, parts: readonly Buffer[]): Promise<number> {
  const pieces = [fileHeader(meta), ...parts];
  let sizeBytes = 0;
  for (const piece of pieces) sizeBytes += piece.length;
  try {
    await using file = await open(path, 'w');
    let written = 0;
    for (let from = 0; from < pieces.length; from += MAX_PIECES) {
      const { bytesWritten } = await file.writev(pieces.slice(from, from + MAX_PIECES));
      written += bytesWritten;
    }
    // A device that fills up may take a part of the bytes and report no error for that call.
    if (written !== sizeBytes) throw Object.assign(new Error('short write'), { code: 'ENOSPC' });
  } catch (error) {
    throw fileError(error, path, sizeBytes);
  }
  return sizeBytes;
}

/** The kernel takes at most 1024 pieces in one call (IOV_MAX). */
const MAX_PIECES = 512;

/** Maps a fault of the file system to an error that says what to do. */
export function fileError(error: unknown, path: string, sizeBytes: number): YeeterError {
  if (error instanceof YeeterError) return error;
  const errno = (error as NodeJS.ErrnoException | null)?.code ?? '';
  if (errno === 'ENOSPC' || errno === 'EDQUOT')
    return new YeeterError(
      'DISK_FULL',
      `${path}: no room for a file of ${sizeBytes} bytes: free some space or choose another folder`,
      { cause: error },
    );
  const reason = error instanceof Error ? error.message : String(error);
  return new YeeterError('STORAGE_FAILED', `${path}: cannot be written: ${reason}`, { cause: error });
}
