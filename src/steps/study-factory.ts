import type { Encoding } from '../dicom/dataset.ts';
import { type BuiltInstance, createInstanceBuilder } from '../dicom/iods/build-instance.ts';
import { sopClassOf } from '../dicom/iods/performed-step.ts';
import { createDrawingClient } from '../dicom/pixels/drawing-client.ts';
import { formatOf, frameBytes } from '../dicom/pixels/format.ts';
import { pictureOf } from '../dicom/pixels/picture.ts';
import { createPixelPool } from '../dicom/pixels/pool.ts';
import type { PresentationContextRequest } from '../dicom/scu.ts';
import { type ImageModality, isImageModality, type SeriesInput, type StudyInput } from '../dicom/study.ts';
import { EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN, SOP_CLASS } from '../dicom/uids.ts';
import { writeStudy } from '../dicom/write-study.ts';
import type { SeriesSpec, StudySpec } from '../domain/study-spec.ts';

/** Turns specifications into data sets. Pictures are drawn before they are needed and shared. */
export interface StudyFactory {
  /** Has the pictures drawn that the study needs and are not there yet. */
  prepare(spec: StudySpec): Promise<void>;
  /** The presentation contexts that a study needs; those of everything we build when it is null. */
  contexts(spec: StudySpec | null): readonly PresentationContextRequest[];
  /** @param instance from 1. @param encoding @default explicit */
  build(spec: StudySpec, seriesIndex: number, instance: number, encoding?: Encoding): BuiltInstance;
  /** Writes the study's files below `dir`. @throws {YeeterError} DISK_FULL, STORAGE_FAILED */
  write(spec: StudySpec, dir: string): Promise<void>;
  close(): Promise<void>;
}

const DONE = Promise.resolve();

export interface StudyFactoryOptions {
  /** Told of each picture that is drawn: how many are, and how many are still under way. */
  onDrawn?: (drawn: number, underWay: number) => void;
}

export function createStudyFactory({ onDrawn }: StudyFactoryOptions = {}): StudyFactory {
  const pool = createPixelPool();
  const drawing = createDrawingClient();
  const build = createInstanceBuilder(pool);
  const inputs = new WeakMap<StudySpec, StudyInput>();
  const everything = contextsOf(Object.values(SOP_CLASS));

  const inputOf = (spec: StudySpec): StudyInput => {
    let input = inputs.get(spec);
    if (!input) {
      input = toStudyInput(spec);
      inputs.set(spec, input);
    }
    return input;
  };

  // A picture that many patients wait for is drawn once.
  const underWay = new Map<string, Promise<void>>();
  let drawn = 0;
  const fetch = (input: StudyInput, series: SeriesInput): Promise<void> => {
    const { key } = pictureOf(input, series, series.modality as ImageModality);
    let fetching = underWay.get(key);
    if (!fetching) {
      fetching = drawing.draw(input, series).then((picture) => {
        underWay.delete(key);
        pool.adopt(picture);
        drawn++;
        onDrawn?.(drawn, underWay.size);
      });
      underWay.set(key, fetching);
    }
    return fetching;
  };

  return {
    prepare: (spec) => {
      const input = inputOf(spec);
      const missing = pool.missing(input);
      return missing.length === 0
        ? DONE
        : Promise.all(missing.map((series) => fetch(input, series))).then(() => {});
    },
    contexts: (spec) => (spec === null ? everything : contextsOf(spec.series.map(sopClassOf))),
    build: (spec, seriesIndex, instance, encoding) => {
      const input = inputOf(spec);
      return build(input, input.series[seriesIndex]!, instance, encoding);
    },
    write: async (spec, dir) => {
      await writeStudy(inputOf(spec), dir, build);
    },
    close: () => drawing.close(),
  };
}

/**
 * In contexts of their own, so that Explicit VR is used wherever the peer takes it; Implicit VR is what every peer
 * takes (PS3.5 section 10.1).
 */
function contextsOf(sopClasses: readonly string[]): PresentationContextRequest[] {
  return [EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN].flatMap((transferSyntax) =>
    [...new Set(sopClasses)].map((abstractSyntax) => ({
      abstractSyntax,
      transferSyntaxes: [transferSyntax],
    })),
  );
}

/** The DICOM room has no nulls where an attribute may be absent. */
export function toStudyInput(spec: StudySpec): StudyInput {
  const { uidRoot, series, ...rest } = spec;
  return {
    ...rest,
    ...(uidRoot === null ? {} : { uidRoot }),
    series: series.map(toSeriesInput),
  };
}

function toSeriesInput({ viewPosition, laterality, ...rest }: SeriesSpec): SeriesInput {
  return {
    ...rest,
    ...(viewPosition === null ? {} : { viewPosition }),
    ...(laterality === null ? {} : { laterality }),
  };
}

/** Headers, reckoned; reports have little else. */
const HEADER_BYTES = 2000;

/** Size of one data set of a series, reckoned from its matrix and depth. */
export function instanceBytes(spec: StudySpec, series: SeriesSpec): number {
  if (!isImageModality(series.modality)) return HEADER_BYTES;
  const format = formatOf(toStudyInput(spec), toSeriesInput(series), series.modality);
  return HEADER_BYTES + frameBytes(format) * format.frames;
}
