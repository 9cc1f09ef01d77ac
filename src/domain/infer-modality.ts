import type { Modality } from './modality.ts';

/** Words that give a modality away, the most specific first: `PET/CT` is a PET study, not a CT. */
const HINTS: readonly (readonly [modality: Modality, pattern: RegExp])[] = [
  ['PT', /\b(PET[ /-]?CT|PET|PT)\b/],
  ['MG', /\b(MG|MAMMO|MAMMOGRAM|MAMMOGRAPHY|TOMOSYNTHESIS)\b/],
  ['NM', /\b(NM|SPECT|SCINTIGRAPHY|SCINTIGRAM|BONE SCAN|NUCLEAR)\b/],
  ['RF', /\b(RF|FLUORO|FLUOROSCOPY|FLUOROSCOPIC|BARIUM|ESOPHAGRAM|CYSTOURETHROGRAM)\b/],
  ['MR', /\b(MR|MRI|MRA|MRCP|MAGNETIC RESONANCE)\b/],
  ['CT', /\b(CT|CTA|CTPA|COMPUTED TOMOGRAPHY|CAT SCAN)\b/],
  ['US', /\b(US|ULTRASOUND|SONOGRAM|SONOGRAPHY|DOPPLER)\b/],
  ['CR', /\bCR\b/],
  ['DX', /\b(DX|XR|X[ -]?RAY|RADIOGRAPH|RADIOGRAM)\b/],
];

/** The modality that a description names by a whole word, or null. */
export function inferModality(description: string): Modality | null {
  const text = description.toUpperCase();
  return HINTS.find(([, pattern]) => pattern.test(text))?.[0] ?? null;
}
