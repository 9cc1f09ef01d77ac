import { createHash } from 'node:crypto';
import { hash32 } from '../../lib/rng.ts';
import { isImageModality, type SeriesInput, type StudyInput } from '../study.ts';
import { frameBytes, type PixelFormat } from './format.ts';
import { type Picture, pictureOf } from './picture.ts';
import { renderFrame } from './render.ts';

/**
 * Pixel data are drawn once and shared by all instances that show the same. So that the target's deduplication and
 * compression are not flattered, each picture is drawn in several variants of noise and cut into bands: an instance
 * takes each band from the variant that its seed says, and the caller adds a patch of its own. Nothing is copied, and
 * the digest of an instance follows from the bands' digests, which are computed once.
 */

/** A horizontal strip of pixel data. */
export interface Band {
  readonly bytes: Buffer;
  /** SHA-256 of the bytes. */
  readonly digest: Buffer;
}

export interface PooledPicture {
  readonly format: PixelFormat;
  readonly positions: number;
  /** The bands of one image, top to bottom; a pure function of the arguments. */
  bands(position: number, seed: number): Band[];
}

export interface PixelPoolOptions {
  /** What the pool may hold; the picture used longest ago is dropped first and drawn again when needed. @default 1 GiB */
  maxBytes?: number;
}

export interface PixelPool {
  /** Draws what the study needs and the pool lacks; up to a second for each picture, so call it before the clock runs. */
  prepare(study: StudyInput): void;
  picture(study: StudyInput, series: SeriesInput): PooledPicture;
  /** Bytes of pixel data held. */
  readonly sizeBytes: number;
}

const DEFAULT_MAX_BYTES = 1024 ** 3;
/** Large enough that pieces cost nothing on the wire, small enough for many combinations. */
const BAND_BYTES = 65_536;
/** Images up to this size have four variants, larger ones two: they have more bands to tell them apart. */
const SMALL_IMAGE_BYTES = 1024 ** 2;

export function createPixelPool({ maxBytes = DEFAULT_MAX_BYTES }: PixelPoolOptions = {}): PixelPool {
  // In order of last use.
  const held = new Map<string, DrawnPicture>();
  let sizeBytes = 0;

  const fetch = (picture: Picture): DrawnPicture => {
    const known = held.get(picture.key);
    if (known) {
      held.delete(picture.key);
      held.set(picture.key, known);
      return known;
    }
    const drawn = draw(picture);
    held.set(picture.key, drawn);
    sizeBytes += drawn.sizeBytes;
    for (const [key, oldest] of held) {
      if (sizeBytes <= maxBytes || oldest === drawn) break;
      held.delete(key);
      sizeBytes -= oldest.sizeBytes;
    }
    return drawn;
  };

  const picture = (study: StudyInput, series: SeriesInput): PooledPicture =>
    fetch(pictureOf(study, series, isImageModality(series.modality) ? series.modality : 'CT'));

  return {
    prepare: (study) => {
      for (const series of study.series) if (isImageModality(series.modality)) picture(study, series);
    },
    picture,
    get sizeBytes() {
      return sizeBytes;
    },
  };
}

interface DrawnPicture extends PooledPicture {
  readonly sizeBytes: number;
}

function draw(picture: Picture): DrawnPicture {
  const { format, positions } = picture;
  const imageBytes = frameBytes(format) * format.frames;
  const variants = imageBytes <= SMALL_IMAGE_BYTES ? 4 : 2;
  // images[position][variant][band]
  const images: Band[][][] = [];
  for (let position = 0; position < positions; position++) {
    const frames = Array.from({ length: format.frames }, (_, frame) => picture.draw(position, frame));
    images.push(
      Array.from({ length: variants }, (_, variant) =>
        cut(
          Buffer.concat(
            frames.map((canvas, frame) =>
              renderFrame(canvas, format, picture.noise, [picture.key, position, variant, frame]),
            ),
          ),
        ),
      ),
    );
  }
  return {
    format,
    positions,
    sizeBytes: imageBytes * positions * variants,
    bands: (position, seed) => {
      const choices = images[position % positions]!;
      return choices[0]!.map((_, band) => choices[hash32(seed, band) % variants]![band]!);
    },
  };
}

function cut(pixels: Buffer): Band[] {
  const bands: Band[] = [];
  for (let from = 0; from < pixels.length; from += BAND_BYTES) {
    const bytes = pixels.subarray(from, from + BAND_BYTES);
    bands.push({ bytes, digest: createHash('sha256').update(bytes).digest() });
  }
  return bands;
}
