import type { ImageModality, SeriesInput, StudyInput } from '../study.ts';
import { type Region, regionOf } from './region.ts';

/** Matrix, depth and scale of the images of a series, as the modality has them. */
export interface PixelFormat {
  rows: number;
  columns: number;
  frames: number;
  bitsAllocated: 8 | 16;
  bitsStored: number;
  /** Edge of a square pixel in the patient, or at the detector for projection images. */
  spacingMm: number;
}

export function frameBytes(format: PixelFormat): number {
  return format.rows * format.columns * (format.bitsAllocated / 8);
}

const deep = (
  rows: number,
  columns: number,
  bitsStored: number,
  widthMm: number,
  frames = 1,
): PixelFormat => ({
  rows,
  columns,
  frames,
  bitsAllocated: 16,
  bitsStored,
  spacingMm: Math.round((widthMm / columns) * 1e5) / 1e5,
});

const CT_WIDTH_MM: Partial<Record<Region, number>> = {
  head: 240,
  chest: 380,
  abdomen: 400,
  knee: 200,
  spine: 200,
};
const MR_FORMATS: Partial<Record<Region, PixelFormat>> = {
  head: deep(256, 256, 12, 240),
  knee: deep(512, 512, 12, 170),
  spine: deep(320, 320, 12, 280),
};
const DX_FORMATS: Partial<Record<Region, PixelFormat>> = {
  head: deep(2500, 2048, 12, 240),
  hand: deep(2500, 2048, 12, 205),
  knee: deep(2500, 2048, 12, 205),
  spine: deep(2500, 2048, 12, 290),
};
const CR_FORMATS: Partial<Record<Region, PixelFormat>> = {
  head: deep(2010, 1670, 12, 240),
  hand: deep(2010, 1670, 12, 205),
  knee: deep(2010, 1670, 12, 200),
  spine: deep(2010, 1670, 12, 300),
};

const FORMATS: Record<ImageModality, (region: Region, series: SeriesInput) => PixelFormat> = {
  CT: (region, series) =>
    series.kind === 'localizer' ? deep(512, 512, 12, 512) : deep(512, 512, 12, CT_WIDTH_MM[region] ?? 380),
  MR: (region) => MR_FORMATS[region] ?? deep(320, 320, 12, 380),
  DX: (region) => DX_FORMATS[region] ?? deep(2022, 2022, 14, 430),
  CR: (region) => CR_FORMATS[region] ?? deep(2000, 2000, 12, 420),
  MG: () => deep(3328, 2560, 12, 179.2),
  US: () => ({ rows: 600, columns: 800, frames: 1, bitsAllocated: 8, bitsStored: 8, spacingMm: 0.3 }),
  RF: () => deep(1024, 1024, 12, 300),
  NM: (region) => (region === 'wholebody' ? deep(1024, 256, 16, 614.4, 2) : deep(256, 256, 16, 563.2, 2)),
  PT: () => deep(192, 192, 16, 600),
};

/** The edge of the smallest valid images. */
const MINIMAL_EDGE = 8;

export function formatOf(study: StudyInput, series: SeriesInput, modality: ImageModality): PixelFormat {
  const format = FORMATS[modality](regionOf(study.bodyPart), series);
  if (study.pixels === 'modality') return format;
  // The field of view stays what it was, so that the geometry keeps its sense.
  const spacingMm = Math.round(((format.spacingMm * format.columns) / MINIMAL_EDGE) * 1e5) / 1e5;
  return { ...format, rows: MINIMAL_EDGE, columns: MINIMAL_EDGE, spacingMm };
}
