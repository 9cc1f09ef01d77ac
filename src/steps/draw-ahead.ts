import type { RunIdentity } from '../domain/identity.ts';
import { planStudies } from '../domain/studies.ts';
import type { StudySpec } from '../domain/study-spec.ts';
import type { Template } from '../domain/template.ts';
import { startState } from './start-state.ts';
import type { StudyFactory } from './study-factory.ts';

/** Patients whose pictures are drawn before a run's first one starts; rarer ones are drawn when they come. */
const SAMPLE = 300;

/** The studies that a template plans for an iteration, before any message has been read. */
export function plannedStudies(template: Template, identity: RunIdentity, iteration: number): StudySpec[] {
  const steps = template.steps.filter((step) => step.stepType === 'GENERATE_DICOM');
  if (steps.length === 0) return [];
  const { patient, order } = startState(template, identity, iteration);
  return steps.flatMap(({ parameters, stepOrder }) =>
    planStudies({
      identity,
      iteration,
      patient,
      order,
      context: null,
      parameters,
      stations: template.stations,
      occurrence: { stepOrder, repetition: 0 },
    }),
  );
}

/**
 * Has the pictures drawn that the first patients of a run need, so that no patient waits for them; or returns when
 * the signal aborts.
 */
export async function drawAhead(
  factory: StudyFactory,
  template: Template,
  identity: RunIdentity,
  patientCount: number,
  signal: AbortSignal,
): Promise<void> {
  const drawing = new Set<Promise<void>>();
  for (let iteration = 1; iteration <= Math.min(patientCount, SAMPLE); iteration++) {
    for (const study of plannedStudies(template, identity, iteration)) drawing.add(factory.prepare(study));
  }
  const aborted = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await Promise.race([Promise.all(drawing), aborted]);
}
