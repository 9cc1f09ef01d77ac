/** Modalities that we build images for (PS3.3 C.7.3.1.1.1, defined terms). */
export const MODALITIES = ['CT', 'MR', 'DX', 'CR', 'US', 'MG', 'RF', 'NM', 'PT'] as const;
export type Modality = (typeof MODALITIES)[number];

export function isModality(text: string): text is Modality {
  return (MODALITIES as readonly string[]).includes(text);
}
