import { isImageModality, type SeriesInput, type StudyInput } from '../study.ts';
import { type DrawnPixels, drawPixels, type PooledPicture, pooledPicture } from './drawn-picture.ts';
import { pictureOf } from './picture.ts';

/**
 * Pixel data are drawn once and shared by all instances that show the same. So that the target's deduplication and
 * compression are not flattered, each picture is drawn in several variants of noise and cut into bands: an instance
 * takes each band from the variant that its seed says, and the caller adds a patch of its own. Nothing is copied, and
 * the digest of an instance follows from the bands' digests, which are computed once.
 */
export interface PixelPool {
  /** Series of the study whose picture is not held, one for each picture. */
  missing(study: StudyInput): SeriesInput[];
  /** Takes in what was drawn elsewhere. */
  adopt(drawn: DrawnPixels): void;
  /** Draws here what is not held, up to a second: whoever measures adopts before. */
  picture(study: StudyInput, series: SeriesInput): PooledPicture;
  /** Bytes of pixel data held. */
  readonly sizeBytes: number;
}

export interface PixelPoolOptions {
  /** What the pool may hold; the picture used longest ago is dropped first and drawn again when needed. @default 1 GiB */
  maxBytes?: number;
}

const DEFAULT_MAX_BYTES = 1024 ** 3;

export function createPixelPool({ maxBytes = DEFAULT_MAX_BYTES }: PixelPoolOptions = {}): PixelPool {
  // In order of last use.
  const held = new Map<string, PooledPicture>();
  let sizeBytes = 0;

  const hold = (key: string, picture: PooledPicture): void => {
    sizeBytes += picture.sizeBytes - (held.get(key)?.sizeBytes ?? 0);
    held.delete(key);
    held.set(key, picture);
    for (const [oldest, { sizeBytes: freed }] of held) {
      if (sizeBytes <= maxBytes || oldest === key) break;
      held.delete(oldest);
      sizeBytes -= freed;
    }
  };

  const use = (key: string): PooledPicture | null => {
    const known = held.get(key);
    if (!known) return null;
    held.delete(key);
    held.set(key, known);
    return known;
  };

  return {
    missing: (study) => {
      if (study.pixels === 'minimal') return [];
      const absent = new Map<string, SeriesInput>();
      for (const series of study.series) {
        if (!isImageModality(series.modality)) continue;
        const { key } = pictureOf(study, series, series.modality);
        if (!use(key)) absent.set(key, series);
      }
      return [...absent.values()];
    },
    adopt: (drawn) => hold(drawn.key, pooledPicture(drawn)),
    picture: (study, series) => {
      const picture = pictureOf(study, series, isImageModality(series.modality) ? series.modality : 'CT');
      const known = use(picture.key);
      if (known) return known;
      const drawn = pooledPicture(drawPixels(picture));
      hold(picture.key, drawn);
      return drawn;
    },
    get sizeBytes() {
      return sizeBytes;
    },
  };
}
