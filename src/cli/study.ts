import { resolve } from 'node:path';
import type { RunIdentity } from '../domain/identity.ts';
import type { Modality } from '../domain/modality.ts';
import { planStudies } from '../domain/studies.ts';
import type { StepOf, Template } from '../domain/template.ts';
import { startState } from '../steps/start-state.ts';
import { createStudyFactory } from '../steps/study-factory.ts';
import { formatCount } from './format.ts';

export interface MakeStudyOptions {
  modality: Modality;
  count: number | 'typical';
  report: boolean;
  burnIn: boolean;
  seed: number;
  /** Patient number, from 1. */
  patient: number;
  uidRoot: string | null;
  outDir: string;
}

/** Writes the study of one synthetic patient, as a run would send it. */
export async function makeStudy(options: MakeStudyOptions): Promise<void> {
  const identity: RunIdentity = {
    seed: options.seed,
    namespace: 0,
    clockStartMs: Date.UTC(2026, 0, 5, 7),
    uidRoot: options.uidRoot,
  };
  const parameters: StepOf<'GENERATE_DICOM'>['parameters'] = {
    count: options.count,
    modality: options.modality,
    studyDescription: null,
    generatePixels: true,
    burnPatientInfo: options.burnIn,
    generateReport: options.report,
    store: 'disk',
  };
  const template: Template = {
    name: 'study',
    description: '',
    onFailure: 'fail_run',
    steps: [],
    endpoints: {},
    generators: {},
    caseMix: { [options.modality]: 1 },
    returningShare: 0,
    stations: [],
  };
  const { patient, order } = startState(template, identity, options.patient);
  const studies = planStudies({
    identity,
    iteration: options.patient,
    patient,
    order,
    context: null,
    parameters,
    stations: [],
  });
  const factory = createStudyFactory();
  const outDir = resolve(options.outDir);
  for (const study of studies) {
    await factory.write(study, outDir);
    const images = study.series.reduce((sum, series) => sum + series.instanceCount, 0);
    process.stdout.write(
      `${study.modality} "${study.description}" of ${study.patient.name}, ${formatCount(images)} instances in ` +
        `${formatCount(study.series.length)} series: ${outDir}/${study.studyInstanceUid}\n`,
    );
  }
  await factory.close();
}
