import type { ImageModality, SeriesInput, StudyInput } from '../study.ts';
import type { Canvas } from './canvas.ts';
import { formatOf, type PixelFormat } from './format.ts';
import { mammographyView } from './mammography-view.ts';
import { drawFluoroscopy, fluoroscopyBackground } from './phantoms/fluoroscopy.ts';
import { drawLocalizer } from './phantoms/localizer.ts';
import { drawMammogram } from './phantoms/mammogram.ts';
import { drawRadiograph } from './phantoms/radiograph.ts';
import { drawScintigram } from './phantoms/scintigram.ts';
import { drawSection } from './phantoms/section.ts';
import { drawUltrasound } from './phantoms/ultrasound.ts';
import { planeOf } from './plane.ts';
import { regionOf } from './region.ts';
import { mrWeighting } from './weighting.ts';

/** What the images of a series show; series with equal keys share their pixels. */
export interface Picture {
  key: string;
  format: PixelFormat;
  /** Different images that a series goes through, from its first instance to its last. */
  positions: number;
  /** Noise of a stored value `v` at signal `v`: `fixed + share * sqrt(v)`, standard deviation in stored units. */
  noise: { fixed: number; share: number };
  /** Stored values before noise; `frame` counts from 0. The canvas may be coarser than the format. */
  draw(position: number, frame: number): Canvas;
}

/** Enough that a reader who scrolls sees the anatomy go by, few enough to be drawn in a second. */
const SECTIONS = 16;

export function pictureOf(study: StudyInput, series: SeriesInput, modality: ImageModality): Picture {
  const format = formatOf(study, series, modality);
  const region = regionOf(study.bodyPart);
  const picture = PICTURES[modality]({ series, region, format });
  const key = `${modality}/${picture.what}/${format.rows}x${format.columns}x${format.frames}`;
  return { key, format, ...picture };
}

interface Subject {
  series: SeriesInput;
  region: ReturnType<typeof regionOf>;
  format: PixelFormat;
}

type Drawn = Omit<Picture, 'key' | 'format'> & { what: string };

const PICTURES: Record<ImageModality, (subject: Subject) => Drawn> = {
  CT: ({ series, region, format }) => {
    if (series.kind === 'localizer')
      return {
        what: `localizer/${region}`,
        positions: 2,
        noise: { fixed: 6, share: 0 },
        draw: (position) => drawLocalizer(region, format, position === 0 ? 'coronal' : 'sagittal'),
      };
    return sections(
      'CT',
      planeOf(series, region),
      { series, region, format },
      { fixed: region === 'head' ? 5 : 14, share: 0 },
    );
  },
  MR: (subject) =>
    sections(mrWeighting(subject.series), planeOf(subject.series, subject.region), subject, {
      fixed: 14,
      share: 0,
    }),
  PT: (subject) => sections('PT', planeOf(subject.series, subject.region), subject, { fixed: 30, share: 3 }),
  DX: (subject) => radiograph(subject),
  CR: (subject) => radiograph(subject),
  MG: ({ series, format }) => {
    const { view, laterality } = mammographyView(series);
    return {
      what: `${laterality}${view}`,
      positions: 1,
      noise: { fixed: 16, share: 0.3 },
      draw: () => drawMammogram(format, view, laterality),
    };
  },
  US: ({ region, format }) => ({
    what: region,
    positions: 6,
    noise: { fixed: 2.5, share: 0 },
    draw: (position) => drawUltrasound(region, format, position),
  }),
  RF: ({ format }) => {
    let background: Canvas | null = null;
    return {
      what: 'barium',
      positions: 6,
      noise: { fixed: 25, share: 0.4 },
      draw: (position) => {
        background ??= fluoroscopyBackground(format);
        return drawFluoroscopy(background, format, position);
      },
    };
  },
  NM: ({ region, format }) => ({
    what: region,
    positions: 1,
    noise: { fixed: 0, share: 1 },
    draw: (_position, frame) => drawScintigram(region, format, frame),
  }),
};

function sections(
  contrast: 'CT' | 'T1' | 'T2' | 'PD' | 'PT',
  plane: ReturnType<typeof planeOf>,
  { region, format }: Subject,
  noise: Picture['noise'],
): Drawn {
  return {
    what: `${contrast}/${region}/${plane}`,
    positions: SECTIONS,
    noise,
    draw: (position) => drawSection(region, format, plane, contrast, (position + 0.5) / SECTIONS),
  };
}

function radiograph({ series, region, format }: Subject): Drawn {
  const lateral = /^(LL|RL|LAT)/.test(series.viewPosition ?? '');
  return {
    what: `${region}/${lateral ? 'lateral' : 'frontal'}`,
    positions: 1,
    noise: { fixed: 2 ** format.bitsStored / 250, share: 0 },
    draw: () => drawRadiograph(region, format, lateral),
  };
}
