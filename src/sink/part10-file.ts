import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type FileMeta, fileError, fileHeader } from '../dicom/part10.ts';

/** A file that grows with its data set and has its name only when it is whole. */
export interface Part10File {
  /** @throws YeeterError DISK_FULL, STORAGE_FAILED */
  write(data: Buffer): void;
  /** @throws YeeterError DISK_FULL, STORAGE_FAILED */
  finish(): void;
  /** Removes what is there of it; may be called more than once, and does nothing after `finish`. */
  discard(): void;
}

/**
 * Starts `<SOP Instance UID>.dcm` (PS3.10 section 7) in `folder`. Writes are synchronous: pieces arrive in a buffer
 * that is used again, and a receiver that keeps files has nothing better to do meanwhile.
 * @param meta its SOP Instance UID names the file, so the caller has checked that it is a UID
 * @param number keeps two data sets of the same instance apart while they arrive
 * @throws YeeterError DISK_FULL, STORAGE_FAILED
 */
export function createPart10File(folder: string, meta: FileMeta, number: number): Part10File {
  const path = join(folder, `${meta.sopInstanceUid}.dcm`);
  const partial = `${path}.${number}.part`;
  let sizeBytes = 0;
  let descriptor: number | null = null;

  const guarded = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      throw fileError(error, path, sizeBytes);
    }
  };
  const write = (data: Buffer): void => {
    sizeBytes += data.length;
    guarded(() => {
      // A device that fills up may take a part of the bytes first.
      for (let at = 0; at < data.length; ) at += writeSync(descriptor!, data, at);
    });
  };
  const close = (): void => {
    if (descriptor !== null) closeSync(descriptor);
    descriptor = null;
  };
  const discard = (): void => {
    if (descriptor === null) return;
    close();
    rmSync(partial, { force: true });
  };

  guarded(() => {
    descriptor = openSync(partial, 'w');
  });
  try {
    write(fileHeader(meta));
  } catch (error) {
    discard();
    throw error;
  }
  return {
    write,
    finish: () =>
      guarded(() => {
        close();
        try {
          renameSync(partial, path);
        } catch (error) {
          rmSync(partial, { force: true });
          throw error;
        }
      }),
    discard,
  };
}
