/** The parts of the body that the phantoms know; every body part is drawn as the nearest of them. */
export type Region =
  | 'head'
  | 'chest'
  | 'abdomen'
  | 'pelvis'
  | 'spine'
  | 'hand'
  | 'knee'
  | 'breast'
  | 'wholebody';

const REGIONS: readonly (readonly [RegExp, Region])[] = [
  [/^CHESTABD/, 'chest'],
  [/^ABD/, 'abdomen'],
  [/WHOLEBODY|WHOLE_BODY|BODY|SKELETON/, 'wholebody'],
  [/SPINE|SSPINE|SACRUM|COCCYX/, 'spine'],
  [/BREAST/, 'breast'],
  [/HEAD|BRAIN|SKULL|FACE|ORBIT|SINUS|NECK|JAW|EAR|IAC|PITUITARY|THYROID|CAROTID/, 'head'],
  [/PELVIS|HIP|BLADDER|PROSTATE|UTERUS|OVARY|FETUS/, 'pelvis'],
  [/CHEST|THORAX|LUNG|HEART|RIB|STERNUM|AORTA|CLAVICLE|SHOULDER|ESOPHAGUS/, 'chest'],
  [/HAND|WRIST|FINGER|THUMB|FOOT|TOE|ANKLE/, 'hand'],
  [/KNEE|LEG|FEMUR|THIGH|TIBIA|ARM|ELBOW|HUMERUS|EXTREMITY|CALF|PATELLA/, 'knee'],
];

export function regionOf(bodyPart: string): Region {
  const name = bodyPart.toUpperCase();
  return REGIONS.find(([pattern]) => pattern.test(name))?.[1] ?? 'abdomen';
}

const LIMB =
  /HAND|WRIST|FINGER|THUMB|FOOT|TOE|ANKLE|CALCANEUS|KNEE|^LEG|FEMUR|THIGH|TIBIA|CALF|PATELLA|HIP|^ARM|ELBOW|HUMERUS|RADIUS|ULNA|FOREARM|UPARM|LOWARM|SHOULDER|CLAVICLE|SCAPULA|AXILLA|EXTREMITY/;
const PAIRED_ORGAN =
  /BREAST|LUNG|BRONCHUS|RIB|KIDNEY|ADRENAL|URETER|OVARY|TESTIS|SCROTUM|EYE|ORBIT|CORNEA|SCLERA|^EAR|IAC|SINUS|CHEEK|ZYGOMA|MANDIBLE|TMJ|PAROTID|SUBMANDIBULAR|PARATHYROID|CAROTID|BILEDUCT|BUTTOCK|SIJOINT|UMBILICALART/;

/**
 * How paired structures are shown when nobody says which side: limbs one at a time, organs both. Others are not paired
 * and have no laterality (PS3.3 section C.7.3.1, Laterality; the body parts are those of PS3.16 annex L).
 */
export function pairing(bodyPart: string): 'limb' | 'organ' | null {
  const name = bodyPart.toUpperCase();
  if (LIMB.test(name)) return 'limb';
  return PAIRED_ORGAN.test(name) ? 'organ' : null;
}
