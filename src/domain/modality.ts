/** Modalities that we build images for (PS3.3 C.7.3.1.1.1, defined terms). */
export const MODALITIES = ['CT', 'MR', 'DX', 'CR', 'US', 'MG', 'RF', 'NM', 'PT'] as const;
export type Modality = (typeof MODALITIES)[number];

export function isModality(text: string): text is Modality {
  return (MODALITIES as readonly string[]).includes(text);
}

/** A table with one value for each modality. */
export function byModality<T>(make: (modality: Modality) => T): Readonly<Record<Modality, T>> {
  return {
    CT: make('CT'),
    MR: make('MR'),
    DX: make('DX'),
    CR: make('CR'),
    US: make('US'),
    MG: make('MG'),
    RF: make('RF'),
    NM: make('NM'),
    PT: make('PT'),
  };
}
