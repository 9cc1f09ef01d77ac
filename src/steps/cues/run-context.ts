import { type IterationState, toldOf } from '../../domain/job.ts';
import type { OrderContext } from '../../domain/order.ts';
import type { RenderContext } from './render-context.ts';

/** What a run has come to for a patient when a message is rendered. */
export interface RunContext {
  seed: number;
  namespace: number;
  templateName: string;
  /** Patient number, from 1. */
  iteration: number;
  /** Repetition of the step, from 0. */
  repetition: number;
  state: Pick<IterationState, 'orderContext' | 'worklistItem' | 'message' | 'performedStep'>;
}

type Read = (context: RenderContext) => string | number | null | undefined;

/** As the worklist says, else as an earlier message does, else as it was drawn. */
const told =
  (key: keyof OrderContext, drawn: Read): Read =>
  (context) =>
    toldOf(context.run.state)?.[key] ?? drawn(context);

const namePart =
  (part: number, drawn: Read): Read =>
  (context) => {
    const name = toldOf(context.run.state)?.patientName;
    return name === null || name === undefined ? drawn(context) : name.split('^')[part];
  };

/**
 * Dotted paths into the run context: what is known of a patient and an order by then, and of the run itself. Nothing
 * here differs between two runs of the same seed and namespace. What is not known yet is empty.
 */
const PATHS: readonly (readonly [path: string, read: Read])[] = [
  ['run.seed', ({ run }) => run.seed],
  ['run.namespace', ({ run }) => run.namespace],
  ['run.template', ({ run }) => run.templateName],
  ['run.patient', ({ run }) => run.iteration],
  ['run.repetition', ({ run }) => run.repetition + 1],
  ['patient.id', told('patientId', ({ patient }) => patient.mrn)],
  ['patient.last_name', namePart(0, ({ patient }) => patient.lastName)],
  ['patient.first_name', namePart(1, ({ patient }) => patient.firstName)],
  ['patient.birth_date', told('patientBirthDate', ({ patient }) => patient.birthDate)],
  ['patient.sex', told('patientSex', ({ patient }) => patient.sex)],
  ['order.accession_number', told('accessionNumber', ({ order }) => order.accessionNumber)],
  ['order.placer_order_number', told('placerOrderNumber', ({ order }) => order.placerOrderNumber)],
  ['order.filler_order_number', told('fillerOrderNumber', ({ order }) => order.fillerOrderNumber)],
  [
    'order.requested_procedure_id',
    told('requestedProcedureId', ({ order }) => order.procedures[0].requestedProcedureId),
  ],
  [
    'order.scheduled_procedure_step_id',
    told('scheduledProcedureStepId', ({ order }) => order.procedures[0].scheduledProcedureStepId),
  ],
  ['order.study_instance_uid', told('studyInstanceUid', ({ order }) => order.procedures[0].studyInstanceUid)],
  [
    'order.study_description',
    told('studyDescription', ({ order }) => order.procedures[0].procedure.description),
  ],
  ['order.modality', told('modality', ({ order }) => order.procedures[0].procedure.modality)],
  ['order.station_ae_title', told('stationAeTitle', ({ order }) => order.stationAeTitle)],
  ['message.control_id', ({ run }) => run.state.message?.controlId],
  ['performed_step.sop_instance_uid', ({ run }) => run.state.performedStep?.sopInstanceUid],
  ['performed_step.status', ({ run }) => run.state.performedStep?.status],
];

/** `message.control_id` is that of the message before. */
export const RUN_CONTEXT_CUES: readonly [string, (context: RenderContext) => string][] = PATHS.map(
  ([path, read]) => [path, (context) => String(read(context) ?? '')],
);
