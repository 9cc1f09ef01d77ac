import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type BuildInstance, createInstanceBuilder } from './iods/build-instance.ts';
import { fileError, writePart10 } from './part10.ts';
import { createPixelPool } from './pixels/pool.ts';
import type { StudyInput } from './study.ts';

export interface WrittenStudy {
  /** The study's folder, within the one that was given. */
  directory: string;
  files: number;
  sizeBytes: number;
}

/**
 * Writes a study as files, one object after the other: `DIR/<Study Instance UID>/<series number>/<instance>.dcm`.
 * @param build reuse one over many studies, so that pictures are drawn once
 * @throws YeeterError DISK_FULL, STORAGE_FAILED, DICOM_DATASET
 */
export async function writeStudy(
  study: StudyInput,
  dir: string,
  build: BuildInstance = createInstanceBuilder(createPixelPool()),
): Promise<WrittenStudy> {
  const written: WrittenStudy = { directory: join(dir, study.studyInstanceUid), files: 0, sizeBytes: 0 };
  for (const series of study.series) {
    const folder = join(written.directory, String(series.seriesNumber).padStart(4, '0'));
    await makeFolder(folder);
    for (let number = 1; number <= series.instanceCount; number++) {
      const instance = build(study, series, number);
      const path = join(folder, `${String(number).padStart(5, '0')}.dcm`);
      written.sizeBytes += await writePart10(path, instance, instance.parts);
      written.files++;
    }
  }
  return written;
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw fileError(error, folder, 0);
  }
}
