import type { SeriesInput } from '../study.ts';

/** Which relaxation gives an MR series its contrast. */
export type Weighting = 'T1' | 'T2' | 'PD';

/** From the description (T1, T2, PD, FLAIR counts as T2), else alternating with the series number. */
export function mrWeighting(series: SeriesInput): Weighting {
  const description = series.description.toUpperCase();
  if (/\bPD/.test(description)) return 'PD';
  if (/T2|FLAIR|STIR/.test(description)) return 'T2';
  if (/T1|MPRAGE/.test(description)) return 'T1';
  return series.seriesNumber % 2 === 0 ? 'T1' : 'T2';
}
