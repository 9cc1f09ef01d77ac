import { byModality, type Modality } from './modality.ts';
import type { Code, Procedure } from './order.ts';

/** A line of the catalogue with what decides how often, and for whom, it is ordered. */
export interface CatalogueLine extends Procedure {
  /** Relative frequency within the modality. */
  weight: number;
  /** Who it is for; null means anybody. */
  sex: 'F' | 'M' | null;
  minAge: number;
  maxAge: number;
}

interface LineOptions {
  sex?: 'F' | 'M';
  ages?: readonly [min: number, max: number];
  /** Ordered for one side: becomes a line for the left and one for the right. */
  sided?: true;
}

type Row = readonly [
  code: string,
  description: string,
  bodyPart: string,
  weight: number,
  options?: LineOptions,
];

/** LOINC codes look like `24725-4`; where it has none that fits, the code is our own. */
const LOINC = /^\d+-\d$/;

/** Coding scheme of our own codes: `99` and three characters, local in DICOM (PS3.3 section 8.2) and in HL7 table 0396. */
const LOCAL_SCHEME = '99YTR';

const ROWS: Readonly<Record<Modality, readonly Row[]>> = {
  CT: [
    ['24725-4', 'CT Head', 'HEAD', 20],
    ['24727-0', 'CT Head W contrast IV', 'HEAD', 5],
    ['24627-2', 'CT Chest', 'CHEST', 12],
    ['24628-0', 'CT Chest W contrast IV', 'CHEST', 10],
    ['CTPA', 'CT Pulmonary Angiogram', 'CHEST', 8, { ages: [16, 120] }],
    ['CTAP', 'CT Abdomen and Pelvis W contrast IV', 'ABDOMENPELVIS', 18],
    ['CTCAP', 'CT Chest Abdomen and Pelvis W contrast IV', 'CHESTABDPELVIS', 10],
    ['24932-6', 'CT Cervical Spine', 'CSPINE', 5],
    ['24963-1', 'CT Lumbar Spine', 'LSPINE', 4],
    ['24696-7', 'CT Facial Bones and Sinuses', 'HEAD', 3],
    ['24566-2', 'CT Retroperitoneum', 'ABDOMEN', 3],
    ['24815-3', 'CT Liver W contrast IV', 'LIVER', 2],
    ['24858-3', 'CT Pancreas W contrast IV', 'PANCREAS', 1],
    ['24836-9', 'CT Neck W contrast IV', 'NECK', 3],
  ],
  MR: [
    ['24590-2', 'MR Brain', 'BRAIN', 20],
    ['24587-8', 'MR Brain WO and W contrast IV', 'BRAIN', 12],
    ['24968-0', 'MR Lumbar Spine', 'LSPINE', 18],
    ['24935-9', 'MR Cervical Spine', 'CSPINE', 8],
    ['24980-5', 'MR Thoracic Spine', 'TSPINE', 3],
    ['24802-1', 'MR Knee', 'KNEE', 12, { sided: true }],
    ['24905-2', 'MR Shoulder', 'SHOULDER', 6, { sided: true }],
    ['24538-1', 'MR Ankle', 'ANKLE', 3, { sided: true }],
    ['24556-3', 'MR Abdomen', 'ABDOMEN', 6],
    ['24867-4', 'MR Pelvis', 'PELVIS', 5],
    ['MRPROST', 'MR Prostate', 'PROSTATE', 4, { sex: 'M', ages: [45, 120] }],
    ['24748-6', 'MR Heart', 'HEART', 2],
    ['24880-7', 'MR Pituitary', 'BRAIN', 2],
    ['24844-3', 'MR Angiogram Neck W contrast IV', 'NECK', 2],
  ],
  DX: [
    ['36643-5', 'XR Chest 2 Views', 'CHEST', 30],
    ['24648-8', 'XR Chest PA', 'CHEST', 15],
    ['24799-9', 'XR Abdomen AP', 'ABDOMEN', 5],
    ['XRPELVIS', 'XR Pelvis AP', 'PELVIS', 4],
    ['24942-5', 'XR Cervical Spine 2 Views', 'CSPINE', 3],
    ['24970-6', 'XR Lumbar Spine 2 Views', 'LSPINE', 4],
    ['24983-9', 'XR Thoracic Spine 2 Views', 'TSPINE', 2],
    ['24899-7', 'XR Ribs', 'RIB', 1],
    ['24806-2', 'XR Knee 2 Views', 'KNEE', 8, { sided: true }],
    ['24541-5', 'XR Ankle 2 Views', 'ANKLE', 5, { sided: true }],
    ['24709-8', 'XR Foot 2 Views', 'FOOT', 5, { sided: true }],
    ['24722-1', 'XR Hand 3 Views', 'HAND', 5, { sided: true }],
    ['24619-9', 'XR Wrist 2 Views', 'WRIST', 5, { sided: true }],
    ['24762-7', 'XR Hip 2 Views', 'HIP', 5, { sided: true }],
    ['24909-4', 'XR Shoulder 2 Views', 'SHOULDER', 4, { sided: true }],
    ['24676-9', 'XR Elbow 2 Views', 'ELBOW', 3, { sided: true }],
    ['24664-5', 'XR Clavicle 2 Views', 'CLAVICLE', 1, { sided: true }],
  ],
  CR: [
    ['24632-2', 'XR Chest AP portable', 'CHEST', 40],
    ['24798-1', 'XR Abdomen 2 Views supine and upright', 'ABDOMEN', 10],
    ['24891-4', 'XR Forearm 2 Views', 'FOREARM', 6, { sided: true }],
    ['24765-0', 'XR Humerus 2 Views', 'HUMERUS', 4, { sided: true }],
    ['24704-9', 'XR Femur 2 Views', 'FEMUR', 5, { sided: true }],
    ['24919-3', 'XR Skull 2 Views', 'SKULL', 2],
    ['24706-4', 'XR Finger 2 Views', 'FINGER', 5, { sided: true }],
  ],
  US: [
    ['24558-9', 'US Abdomen', 'ABDOMEN', 20],
    ['24532-4', 'US Abdomen RUQ', 'ABDOMEN', 8],
    ['USRENAL', 'US Kidneys', 'KIDNEY', 9],
    ['24869-0', 'US Pelvis', 'PELVIS', 8, { sex: 'F', ages: [12, 120] }],
    ['24677-7', 'US Pelvis transvaginal', 'PELVIS', 6, { sex: 'F', ages: [18, 120] }],
    ['11525-3', 'US Pelvis Fetus for pregnancy', 'PELVIS', 10, { sex: 'F', ages: [18, 45] }],
    ['24616-5', 'US Carotid arteries', 'CAROTID', 6, { ages: [40, 120] }],
    ['24601-7', 'US Breast', 'BREAST', 5, { sex: 'F', ages: [18, 120], sided: true }],
    ['USTHYR', 'US Thyroid', 'THYROID', 6],
    ['24711-4', 'US Gallbladder', 'GALLBLADDER', 4],
    ['24842-7', 'US Neck', 'NECK', 4],
    ['USSCROT', 'US Scrotum', 'SCROTUM', 3, { sex: 'M' }],
    ['24907-8', 'US Shoulder', 'SHOULDER', 4, { sided: true }],
    ['USLEGVEIN', 'US Doppler Leg veins', 'LEG', 7, { sided: true }],
  ],
  MG: [
    ['24606-6', 'MG Breast Screening', 'BREAST', 70, { sex: 'F', ages: [40, 120] }],
    ['24605-8', 'MG Breast Diagnostic', 'BREAST', 20, { sex: 'F', ages: [40, 120] }],
    ['24604-1', 'MG Breast Diagnostic limited', 'BREAST', 10, { sex: 'F', ages: [40, 120], sided: true }],
  ],
  RF: [
    ['24678-5', 'RF Esophagus W contrast PO', 'ESOPHAGUS', 10],
    ['24681-9', 'RF Esophagus video during swallowing', 'ESOPHAGUS', 8],
    ['24715-5', 'RF Upper GI W contrast PO', 'STOMACH', 6],
    ['24924-3', 'RF Small bowel W contrast PO', 'ABDOMEN', 4],
    ['24667-8', 'RF Colon W contrast PR', 'COLON', 5],
    ['RFVCUG', 'RF Voiding Cystourethrogram', 'BLADDER', 3],
  ],
  NM: [
    ['NMBONE', 'NM Bone Scan Whole Body', 'WHOLEBODY', 20],
    ['24750-2', 'NM Heart at rest W Tl-201 IV', 'HEART', 12],
    ['24888-0', 'NM Lung Ventilation and Perfusion', 'LUNG', 8],
    ['24776-7', 'NM Kidneys', 'KIDNEY', 8],
    ['NMTHYR', 'NM Thyroid Uptake', 'THYROID', 6],
    ['24572-0', 'NM Gallbladder W Tc-99m IV', 'GALLBLADDER', 4],
    ['24997-9', 'NM Stomach emptying', 'STOMACH', 3],
    ['24730-4', 'NM Brain', 'BRAIN', 2],
  ],
  PT: [
    ['PTSKTHIGH', 'PET Skull Base to Thigh F-18 FDG', 'WHOLEBODY', 20],
    ['PTWHOLE', 'PET Whole Body F-18 FDG', 'WHOLEBODY', 6],
    ['PTBRAIN', 'PET Brain F-18 FDG', 'BRAIN', 3],
    ['PTHEART', 'PET Heart W Rb-82', 'HEART', 2],
  ],
};

const SIDES = [
  ['L', 'Left'],
  ['R', 'Right'],
] as const;

function linesOf(modality: Modality, row: Row): CatalogueLine[] {
  const [value, meaning, bodyPart, weight, options = {}] = row;
  const [minAge, maxAge] = options.ages ?? [0, 120];
  const code: Code = { value, scheme: LOINC.test(value) ? 'LN' : LOCAL_SCHEME, meaning };
  const line: CatalogueLine = {
    code,
    description: meaning,
    modality,
    bodyPart,
    laterality: null,
    weight,
    sex: options.sex ?? null,
    minAge,
    maxAge,
  };
  if (!options.sided) return [line];
  return SIDES.map(([laterality, word]) => ({
    ...line,
    laterality,
    description: `${meaning} ${word}`,
    weight: weight / 2,
  }));
}

/** What each modality is asked for: codes are LOINC's or our own, body parts are defined terms of PS3.16 annex L. */
export const CATALOGUE: Readonly<Record<Modality, readonly CatalogueLine[]>> = byModality((modality) =>
  ROWS[modality].flatMap((row) => linesOf(modality, row)),
);
