import { hash } from 'node:crypto';
import { hash32 } from '../../lib/rng.ts';
import { frameBytes, type PixelFormat } from './format.ts';
import type { Picture } from './picture.ts';
import { renderVariants } from './render.ts';

/**
 * A picture's pixels in one piece, so that they can be handed from thread to thread: for each position its variants,
 * one image after the other, and the SHA-256 of each band in the same order.
 */
export interface DrawnPixels {
  key: string;
  format: PixelFormat;
  positions: number;
  variants: number;
  pixels: Uint8Array<ArrayBuffer>;
  digests: Uint8Array<ArrayBuffer>;
}

/** A horizontal strip of pixel data. */
export interface Band {
  readonly bytes: Buffer;
  /** SHA-256 of the bytes. */
  readonly digest: Buffer;
}

const DIGEST_BYTES = 32;
/**
 * Images up to this size have four variants and short bands, larger ones two and long bands: either way there are many
 * combinations, and few pieces on the wire.
 */
const SMALL_IMAGE_BYTES = 1024 ** 2;
const SMALL = { variants: 4, bandBytes: 65_536 } as const;
const LARGE = { variants: 2, bandBytes: 262_144 } as const;

const divisionOf = (imageBytes: number): typeof SMALL | typeof LARGE =>
  imageBytes <= SMALL_IMAGE_BYTES ? SMALL : LARGE;

const bandsOf = (imageBytes: number): number => Math.ceil(imageBytes / divisionOf(imageBytes).bandBytes);

/** Draws all positions of a picture in all variants of noise; takes up to a second. */
export function drawPixels(picture: Picture): DrawnPixels {
  const { key, format, positions } = picture;
  const imageBytes = frameBytes(format) * format.frames;
  const { variants, bandBytes } = divisionOf(imageBytes);
  const pixels = new Uint8Array(positions * variants * imageBytes);
  const digests = new Uint8Array(positions * variants * bandsOf(imageBytes) * DIGEST_BYTES);
  const imageAt = (position: number, variant: number): number => (position * variants + variant) * imageBytes;
  for (let position = 0; position < positions; position++) {
    for (let frame = 0; frame < format.frames; frame++) {
      const canvas = picture.draw(position, frame);
      const targets = Array.from({ length: variants }, (_, variant) => {
        const from = imageAt(position, variant) + frame * frameBytes(format);
        return pixels.subarray(from, from + frameBytes(format));
      });
      renderVariants(canvas, format, picture.noise, [key, position, frame], targets);
    }
  }
  let digestAt = 0;
  for (let image = 0; image < positions * variants; image++) {
    const end = (image + 1) * imageBytes;
    for (let from = image * imageBytes; from < end; from += bandBytes) {
      const band = pixels.subarray(from, Math.min(from + bandBytes, end));
      digests.set(hash('sha256', band, 'buffer'), digestAt);
      digestAt += DIGEST_BYTES;
    }
  }
  return { key, format, positions, variants, pixels, digests };
}

/** Reads drawn pixels image by image, without copying. */
export interface PooledPicture {
  readonly format: PixelFormat;
  readonly positions: number;
  readonly sizeBytes: number;
  /** The bands of one image, top to bottom; a pure function of the arguments. */
  bands(position: number, seed: number): Band[];
}

export function pooledPicture(drawn: DrawnPixels): PooledPicture {
  const { format, positions, variants } = drawn;
  const imageBytes = frameBytes(format) * format.frames;
  const count = bandsOf(imageBytes);
  const { bandBytes } = divisionOf(imageBytes);
  const pixels = Buffer.from(drawn.pixels.buffer);
  const digests = Buffer.from(drawn.digests.buffer);
  // Cut once: an instance only picks.
  const cut: Band[] = Array.from({ length: positions * variants * count }, (_, index) => {
    const image = Math.floor(index / count);
    const from = image * imageBytes + (index % count) * bandBytes;
    return {
      bytes: pixels.subarray(from, Math.min(from + bandBytes, (image + 1) * imageBytes)),
      digest: digests.subarray(index * DIGEST_BYTES, (index + 1) * DIGEST_BYTES),
    };
  });
  return {
    format,
    positions,
    sizeBytes: drawn.pixels.length,
    bands: (position, seed) => {
      const first = (position % positions) * variants * count;
      return Array.from(
        { length: count },
        (_, band) => cut[first + (hash32(seed, band) % variants) * count + band]!,
      );
    },
  };
}
