import { deriveUid } from '../../lib/uid.ts';
import type { DataSet } from '../dataset.ts';
import { SOP_CLASS } from '../uids.ts';
import { code, commonModules, commonOwn, referencedRequest } from './common.ts';
import type { SeriesContext } from './context.ts';
import { codeItem, container, dateTimeItem, numberItem, textItem, uidItem } from './sr-content.ts';
import { dicomDate, dicomTime } from './time.ts';

/** X-Ray Radiation Dose SR (PS3.3 section A.35.8) after the template CT Radiation Dose (PS3.16 TID 10011). */
export function radiationDoseSr(context: SeriesContext, instanceNumber: number): DataSet {
  const { RelationshipType: _none, ...document } = doseReport(context);
  return {
    ReferencedPerformedProcedureStepSequence: [],
    ...commonModules(context, SOP_CLASS.radiationDoseSr),
    ...commonOwn(context, instanceNumber),
    ...referencedRequest(context),
    ...document,
    ContentTemplateSequence: [{ MappingResource: 'DCMR', TemplateIdentifier: '10011' }],
    CompletionFlag: 'COMPLETE',
    VerificationFlag: 'UNVERIFIED',
  };
}

const dcm = (value: string, meaning: string): DataSet => code(value, 'DCM', meaning);
const unit = (value: string): DataSet => code(value, 'UCUM', value);

function doseReport(context: SeriesContext): DataSet {
  const { study, startMs, rng } = context;
  const ctdi = rng.int(400, 1800) / 100;
  const lengthMm = rng.int(180, 420);
  const doseLength = Math.round((ctdi * lengthMm) / 10);
  const irradiationUid = deriveUid(study.uidRoot ?? null, 'irradiation event', study.studyInstanceUid);
  return container('CONTAINS', dcm('113701', 'X-Ray Radiation Dose Report'), [
    codeItem(
      'HAS CONCEPT MOD',
      dcm('121058', 'Procedure reported'),
      code('77477000', 'SCT', 'Computed Tomography X-Ray'),
      [
        codeItem(
          'HAS CONCEPT MOD',
          code('363703001', 'SCT', 'Has Intent'),
          code('261004008', 'SCT', 'Diagnostic Intent'),
        ),
      ],
    ),
    codeItem('HAS OBS CONTEXT', dcm('121005', 'Observer Type'), dcm('121007', 'Device')),
    uidItem(
      'HAS OBS CONTEXT',
      dcm('121012', 'Device Observer UID'),
      deriveUid(study.uidRoot ?? null, 'device', study.station.name),
    ),
    textItem('HAS OBS CONTEXT', dcm('121013', 'Device Observer Name'), study.station.name),
    dateTimeItem('HAS OBS CONTEXT', dcm('113809', 'Start of X-Ray Irradiation'), dateTime(study.startMs)),
    dateTimeItem('HAS OBS CONTEXT', dcm('113810', 'End of X-Ray Irradiation'), dateTime(startMs)),
    codeItem('HAS OBS CONTEXT', dcm('113705', 'Scope of Accumulation'), dcm('113014', 'Study'), [
      uidItem('HAS PROPERTIES', dcm('110180', 'Study Instance UID'), study.studyInstanceUid),
    ]),
    container('CONTAINS', dcm('113811', 'CT Accumulated Dose Data'), [
      numberItem('CONTAINS', dcm('113812', 'Total Number of Irradiation Events'), 1, unit('{events}')),
      numberItem('CONTAINS', dcm('113813', 'CT Dose Length Product Total'), doseLength, unit('mGy.cm')),
    ]),
    irradiationEvent(context, { ctdi, lengthMm, doseLength, irradiationUid }),
    codeItem(
      'CONTAINS',
      dcm('113854', 'Source of Dose Information'),
      dcm('113856', 'Automated Data Collection'),
    ),
  ]);
}

interface Dose {
  ctdi: number;
  lengthMm: number;
  doseLength: number;
  irradiationUid: string;
}

/** One acquisition (PS3.16 TID 10013). */
function irradiationEvent({ study, region, rng }: SeriesContext, dose: Dose): DataSet {
  const target = TARGET_REGIONS[region] ?? code('818983003', 'SCT', 'Abdomen');
  return container('CONTAINS', dcm('113819', 'CT Acquisition'), [
    textItem('CONTAINS', dcm('125203', 'Acquisition Protocol'), study.description),
    codeItem('CONTAINS', dcm('123014', 'Target Region'), target),
    codeItem(
      'CONTAINS',
      dcm('113820', 'CT Acquisition Type'),
      code('116152004', 'SCT', 'Spiral Acquisition'),
    ),
    uidItem('CONTAINS', dcm('113769', 'Irradiation Event UID'), dose.irradiationUid),
    container('CONTAINS', dcm('113822', 'CT Acquisition Parameters'), [
      numberItem('CONTAINS', dcm('113824', 'Exposure Time'), rng.int(4, 12), unit('s')),
      numberItem('CONTAINS', dcm('113825', 'Scanning Length'), dose.lengthMm, unit('mm')),
      numberItem('CONTAINS', dcm('113826', 'Nominal Single Collimation Width'), 0.6, unit('mm')),
      numberItem('CONTAINS', dcm('113827', 'Nominal Total Collimation Width'), 38.4, unit('mm')),
      numberItem('CONTAINS', dcm('113828', 'Pitch Factor'), 0.9, unit('{ratio}')),
      numberItem('CONTAINS', dcm('113823', 'Number of X-Ray Sources'), 1, unit('{X-Ray sources}')),
      container('CONTAINS', dcm('113831', 'CT X-Ray Source Parameters'), [
        textItem('CONTAINS', dcm('113832', 'Identification of the X-Ray Source'), 'A'),
        numberItem('CONTAINS', dcm('113733', 'KVP'), 120, unit('kV')),
        numberItem('CONTAINS', dcm('113833', 'Maximum X-Ray Tube Current'), rng.int(300, 400), unit('mA')),
        numberItem('CONTAINS', dcm('113734', 'X-Ray Tube Current'), rng.int(150, 290), unit('mA')),
        numberItem('CONTAINS', dcm('113834', 'Exposure Time per Rotation'), 0.5, unit('s')),
      ]),
    ]),
    container('CONTAINS', dcm('113829', 'CT Dose'), [
      numberItem('CONTAINS', dcm('113830', 'Mean CTDIvol'), dose.ctdi, unit('mGy')),
      codeItem('CONTAINS', dcm('113835', 'CTDIw Phantom Type'), dcm('113691', 'IEC Body Dosimetry Phantom')),
      numberItem('CONTAINS', dcm('113838', 'DLP'), dose.doseLength, unit('mGy.cm')),
    ]),
  ]);
}

const TARGET_REGIONS: Partial<Record<SeriesContext['region'], DataSet>> = {
  head: code('69536005', 'SCT', 'Head'),
  chest: code('51185008', 'SCT', 'Chest'),
  pelvis: code('816092008', 'SCT', 'Pelvis'),
};

function dateTime(ms: number): string {
  return `${dicomDate(ms)}${dicomTime(ms)}`;
}
