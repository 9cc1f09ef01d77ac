import { byModality, type Modality } from './modality.ts';
import type { Procedure } from './order.ts';
import { CATALOGUE, type CatalogueLine } from './procedure-catalogue.ts';

/** Words that name the same thing in another hospital's order. */
const SYNONYMS: Readonly<Record<string, string>> = {
  ABD: 'ABDOMEN',
  ABDOMINAL: 'ABDOMEN',
  BRAIN: 'HEAD',
  CEREBRAL: 'HEAD',
  CRANIAL: 'HEAD',
  CRANIUM: 'HEAD',
  CARDIAC: 'HEART',
  HEPATIC: 'LIVER',
  KIDNEYS: 'KIDNEY',
  RENAL: 'KIDNEY',
  LUNGS: 'LUNG',
  THORAX: 'CHEST',
  THORACIC: 'TSPINE',
  LUMBAR: 'LSPINE',
  CERVICAL: 'CSPINE',
  MAMMOGRAM: 'BREAST',
  MAMMOGRAPHY: 'BREAST',
  OESOPHAGUS: 'ESOPHAGUS',
  PELVIC: 'PELVIS',
  L: 'LEFT',
  LT: 'LEFT',
  R: 'RIGHT',
  RT: 'RIGHT',
  WITH: 'W',
  WITHOUT: 'WO',
};

/** Words that say nothing about the place: modalities, fillers and technique. They break ties only. */
const WEAK_WORDS = new Set(
  (
    'CT MR MRI US XR XRAY X RAY MG NM PET PT RF DX CR W WO AND OF THE IV PO PR CONTRAST VIEW VIEWS 1 2 3 4 ' +
    'AP PA LATERAL SPINE SCAN STUDY LEFT RIGHT FOR PORTABLE LIMITED F 18 ROUTINE PROTOCOL'
  ).split(' '),
);

function wordsOf(description: string): Set<string> {
  const words = description.toUpperCase().match(/[A-Z0-9]+/g) ?? [];
  return new Set(words.map((word) => SYNONYMS[word] ?? word));
}

interface Candidate {
  line: CatalogueLine;
  words: ReadonlySet<string>;
}

const CANDIDATES = byModality((modality): readonly Candidate[] =>
  CATALOGUE[modality].map((line) => ({ line, words: wordsOf(line.description) })),
);

/** Shared words of place count most, shared weak words a little, what the candidate adds counts against it. */
function score(asked: ReadonlySet<string>, candidate: Candidate): number {
  let strong = 0;
  let weak = 0;
  let missing = 0;
  for (const word of candidate.words) {
    if (!asked.has(word)) missing++;
    else if (WEAK_WORDS.has(word)) weak++;
    else strong++;
  }
  return strong === 0 ? 0 : 10 * strong + 2 * weak - missing;
}

export interface OrderedProcedure {
  description: string;
  modality: Modality;
}

/**
 * The line of the catalogue that an order made by others means ("CT Thorax" is "CT Chest"), so that code, body part
 * and laterality agree with it; null when no line of the modality shares a word of place with it.
 */
export function procedureFor(order: OrderedProcedure): Procedure | null {
  const asked = wordsOf(order.description);
  let best: CatalogueLine | null = null;
  let bestScore = 0;
  for (const candidate of CANDIDATES[order.modality]) {
    const points = score(asked, candidate);
    if (points <= bestScore) continue;
    best = candidate.line;
    bestScore = points;
  }
  if (best === null) return null;
  const { code, description, modality, bodyPart, laterality } = best;
  return { code, description, modality, bodyPart, laterality };
}
