import type { SeriesInput } from '../study.ts';

export interface MammographyView {
  view: 'CC' | 'MLO';
  laterality: 'L' | 'R';
}

/** The view of a mammography series; without one given, the four of a screening follow the series number. */
export function mammographyView(series: SeriesInput): MammographyView {
  const given = series.viewPosition?.toUpperCase();
  const view = given === 'MLO' || given === 'CC' ? given : series.seriesNumber % 4 >= 2 ? 'MLO' : 'CC';
  const laterality =
    series.laterality === 'L' || series.laterality === 'R'
      ? series.laterality
      : series.seriesNumber % 2
        ? 'R'
        : 'L';
  return { view, laterality };
}
