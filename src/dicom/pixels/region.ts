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

const PAIRED =
  /HAND|WRIST|FINGER|THUMB|FOOT|TOE|ANKLE|KNEE|^LEG|FEMUR|THIGH|TIBIA|^ARM|ELBOW|HUMERUS|SHOULDER|CLAVICLE|HIP|BREAST|EXTREMITY|KIDNEY|EYE|ORBIT|CALF|PATELLA|CAROTID|SCAPULA|FOREARM|UPARM|LOWARM|OVARY|TESTIS/;

/** Paired structures need a laterality (PS3.3 section C.7.3.1, Laterality). */
export function isPaired(bodyPart: string): boolean {
  return PAIRED.test(bodyPart.toUpperCase());
}
