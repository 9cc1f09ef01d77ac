/** What a body is made of, and how bright each tissue is in each kind of image. */

interface TissueValues {
  /** Hounsfield units. */
  hu: number;
  /** MR signal by weighting, stored values. */
  t1: number;
  t2: number;
  pd: number;
  /** F-18 FDG uptake, stored values. */
  pt: number;
  /** Unevenness: share of the value, or of 100 HU. */
  texture: number;
}

const tissue = (
  hu: number,
  t1: number,
  t2: number,
  pd: number,
  pt: number,
  texture: number,
): TissueValues => ({
  hu,
  t1,
  t2,
  pd,
  pt,
  texture,
});

export const TISSUES = {
  air: tissue(-1000, 4, 4, 4, 20, 0),
  couch: tissue(-500, 4, 4, 4, 0, 0),
  fat: tissue(-100, 1150, 850, 1000, 250, 0.06),
  muscle: tissue(55, 480, 280, 480, 500, 0.12),
  lung: tissue(-860, 30, 30, 30, 200, 0.35),
  vessel: tissue(30, 120, 140, 120, 800, 0),
  bone: tissue(1000, 60, 50, 60, 350, 0.05),
  marrow: tissue(330, 880, 560, 800, 650, 0.3),
  disc: tissue(90, 420, 760, 560, 300, 0.1),
  cartilage: tissue(100, 620, 900, 950, 300, 0.04),
  tendon: tissue(80, 90, 80, 120, 250, 0.05),
  fluid: tissue(8, 190, 1500, 700, 250, 0.02),
  grey: tissue(39, 600, 640, 800, 9000, 0.05),
  white: tissue(29, 830, 430, 650, 4200, 0.04),
  cord: tissue(38, 640, 480, 640, 900, 0.04),
  blood: tissue(150, 150, 120, 200, 1200, 0.02),
  heart: tissue(75, 420, 330, 420, 3800, 0.1),
  liver: tissue(95, 620, 330, 520, 1700, 0.16),
  spleen: tissue(105, 440, 620, 520, 1300, 0.1),
  kidney: tissue(150, 520, 700, 560, 3600, 0.12),
  bowel: tissue(40, 420, 480, 480, 1100, 0.3),
  contrast: tissue(220, 300, 900, 500, 900, 0.1),
  urine: tissue(5, 190, 1500, 700, 16_000, 0.02),
  lesion: tissue(45, 520, 1000, 700, 11_000, 0.1),
} as const satisfies Record<string, TissueValues>;

export type Tissue = keyof typeof TISSUES;

export const TISSUE_NAMES = Object.keys(TISSUES) as Tissue[];
