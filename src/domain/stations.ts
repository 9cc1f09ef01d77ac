import { MODALITIES, type Modality } from './modality.ts';
import type { AssociationPolicy, Station } from './station.ts';

/** Institution Name (0008,0080) of everything that is built. */
export const INSTITUTION = 'YEETER TEST HOSPITAL';

const MODELS: Readonly<Record<Modality, readonly [model: string, association: AssociationPolicy]>> = {
  CT: ['Slipstream CT', 'study'],
  MR: ['Lodestone MR', 'study'],
  DX: ['Plainview DX', 'study'],
  CR: ['Plainview CR', 'study'],
  US: ['Soundline US', 'study'],
  MG: ['Fourview MG', 'study'],
  RF: ['Lightbox RF', 'study'],
  NM: ['Halflife NM', 'study'],
  PT: ['Ringside PT', 'study'],
};

/** One station for each modality, sending as fast as the wire goes, one association per study. */
const DEFAULT_STATIONS: readonly Station[] = MODALITIES.map((modality) => ({
  modality,
  aeTitle: `YEETER_${modality}1`,
  name: `${modality}1`,
  manufacturer: 'Yeeter',
  model: MODELS[modality][0],
  destinations: [],
  cadenceMs: 0,
  association: MODELS[modality][1],
}));

/** The stations of one modality: the template's where it has any, else the default one. */
export function stationsOf(modality: Modality, stations: readonly Station[]): readonly Station[] {
  const own = stations.filter((station) => station.modality === modality);
  return own.length > 0 ? own : DEFAULT_STATIONS.filter((station) => station.modality === modality);
}

/**
 * The station with an AE title, if it is of the modality. An AE title that no station has is a machine of its own, with
 * the habits of the modality's first one; null, or the AE title of another modality's station, means that first one.
 */
export function stationFor(
  modality: Modality,
  aeTitle: string | null,
  stations: readonly Station[],
): Station {
  const candidates = stationsOf(modality, stations);
  const own = candidates.find((station) => station.aeTitle === aeTitle);
  if (own) return own;
  const usual = candidates[0]!;
  const taken = [...stations, ...DEFAULT_STATIONS].some((station) => station.aeTitle === aeTitle);
  return aeTitle === null || taken ? usual : { ...usual, aeTitle, name: aeTitle };
}
