import { type Failure, failure } from '../lib/errors.ts';
import type { Association } from './association.ts';
import { type DataSet, encodeDataSet } from './dataset.ts';
import { COMMAND_FIELD, type Command } from './dimse.ts';
import type { Timing } from './dimse-service.ts';
import { describeStatus, STATUS } from './dimse-status.ts';
import type { PresentationContextRequest } from './scu.ts';
import { EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN, MPPS_SOP_CLASS } from './uids.ts';

/** Modality Performed Procedure Step as its SCU (PS3.4 Annex F): N-CREATE and N-SET (PS3.7 sections 10.1.5 and 10.1.3). */

export interface StepReport {
  operation: 'create' | 'set';
  sopInstanceUid: string;
  dataSet: DataSet;
  /**
   * The same report may have arrived before without our knowing: that the instance is there already, or may no longer
   * be changed, then says that it has.
   */
  mayHaveArrived: boolean;
}

export type StepReportResult = ({ ok: true; warning: boolean } & Timing) | (Failure & Partial<Timing>);

/** In contexts of their own, so that we know what was taken. */
export const MPPS_CONTEXTS: readonly PresentationContextRequest[] = [
  EXPLICIT_VR_LITTLE_ENDIAN,
  IMPLICIT_VR_LITTLE_ENDIAN,
].map((transferSyntax) => ({ abstractSyntax: MPPS_SOP_CLASS, transferSyntaxes: [transferSyntax] }));

/** Error ID (0000,0903) of a change to a step that has ended (PS3.4 section F.7.2.2.3). */
export const MAY_NO_LONGER_BE_UPDATED = 0xa506;

/** Attributes that were left out or coerced; the operation was done (PS3.7 annex C.4). */
const DONE_WITH_WARNING: ReadonlySet<number> = new Set([
  STATUS.warning,
  STATUS.attributeListError,
  STATUS.attributeValueOutOfRange,
]);

/**
 * Reports to the peer that a step has begun or ended.
 *
 * Failures: `DICOM_CONTEXT_REFUSED`; `DICOM_MPPS_FAILED` for a failure status, retryable when the peer lacked resources
 * or could not process it, unless it says that the step has ended; what ends an association.
 */
export async function reportStep(association: Association, report: StepReport): Promise<StepReportResult> {
  const explicit = association.isAccepted(MPPS_SOP_CLASS, EXPLICIT_VR_LITTLE_ENDIAN);
  const { operation, sopInstanceUid, dataSet } = report;
  const result = await association.request({
    sopClassUid: MPPS_SOP_CLASS,
    transferSyntaxUid: explicit ? EXPLICIT_VR_LITTLE_ENDIAN : IMPLICIT_VR_LITTLE_ENDIAN,
    command:
      operation === 'create'
        ? {
            commandField: COMMAND_FIELD.nCreateRq,
            affectedSopClassUid: MPPS_SOP_CLASS,
            affectedSopInstanceUid: sopInstanceUid,
          }
        : {
            commandField: COMMAND_FIELD.nSetRq,
            requestedSopClassUid: MPPS_SOP_CLASS,
            requestedSopInstanceUid: sopInstanceUid,
          },
    parts: [encodeDataSet(dataSet, explicit ? 'explicit' : 'implicit')],
  });
  if (!result.ok) return result;
  const { response, serviceUs, sendUs, waitUs } = result;
  const timing: Timing = { serviceUs, sendUs, waitUs };
  const status = response.status!;
  const warning = DONE_WITH_WARNING.has(status) || status >> 12 === 0xb;
  if (status === STATUS.success || warning || (report.mayHaveArrived && saysItHas(report, response)))
    return { ok: true, warning, ...timing };
  const what = operation === 'create' ? 'N-CREATE' : 'N-SET';
  const why = [describeStatus(status), ...saidBesides(response)].join(', ');
  const message = `${association.peer}: ${what} of performed procedure step ${sopInstanceUid} was refused with ${why}`;
  return { ...failure('DICOM_MPPS_FAILED', message, mayPass(response)), ...timing };
}

function saysItHas({ operation }: StepReport, { status, errorId }: Command): boolean {
  return operation === 'create'
    ? status === STATUS.duplicateSopInstance
    : status === STATUS.processingFailure && errorId === MAY_NO_LONGER_BE_UPDATED;
}

function mayPass({ status, errorId }: Command): boolean {
  return (
    status === STATUS.resourceLimitation ||
    (status === STATUS.processingFailure && errorId !== MAY_NO_LONGER_BE_UPDATED)
  );
}

function saidBesides({ errorId, errorComment }: Command): string[] {
  return [
    ...(errorId === undefined ? [] : [`error ID ${errorId.toString(16).toUpperCase().padStart(4, '0')}`]),
    ...(errorComment ? [`"${errorComment}"`] : []),
  ];
}
