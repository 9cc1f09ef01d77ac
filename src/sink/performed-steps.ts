import { type DecodedDataSet, decodeDataSet, items, text } from '../dicom/dataset-decoder.ts';
import { DICTIONARY, type Keyword } from '../dicom/dictionary.ts';
import { COMMAND_FIELD } from '../dicom/dimse.ts';
import { STATUS } from '../dicom/dimse-status.ts';
import { MAY_NO_LONGER_BE_UPDATED } from '../dicom/performed-step.ts';
import type { ServiceReply, ServiceRequest } from '../dicom/scp-hooks.ts';
import { IMPLICIT_VR_LITTLE_ENDIAN, isValidUid } from '../dicom/uids.ts';

/** The performed procedure steps of modalities (PS3.4 Annex F), as their manager keeps them. */
export interface PerformedSteps {
  /** Answers N-CREATE and N-SET. */
  answer(
    request: Pick<ServiceRequest, 'commandField' | 'sopInstanceUid' | 'dataSet' | 'transferSyntaxUid'>,
  ): ServiceReply;
  counts(): PerformedStepCounts;
}

export interface PerformedStepCounts {
  begun: number;
  completed: number;
  discontinued: number;
  refused: number;
}

type State = 'IN PROGRESS' | 'COMPLETED' | 'DISCONTINUED';

/** The oldest are forgotten. */
const MAX_STEPS = 100_000;

/** Type 1 attributes of N-CREATE, and of the final N-SET (PS3.4 Table F.7.2-1). */
const REQUIRED_AT_BEGIN: readonly Keyword[] = [
  'PerformedProcedureStepID',
  'PerformedStationAETitle',
  'PerformedProcedureStepStartDate',
  'PerformedProcedureStepStartTime',
  'Modality',
];
const REQUIRED_AT_END: readonly Keyword[] = [
  'PerformedProcedureStepEndDate',
  'PerformedProcedureStepEndTime',
];
const REQUIRED_OF_SERIES: readonly Keyword[] = ['ProtocolName', 'SeriesInstanceUID'];

interface Refusal {
  status: number;
  errorId?: number;
  errorComment: string;
}

const refusal = (status: number, errorComment: string): Refusal => ({ status, errorComment });

export function createPerformedSteps(): PerformedSteps {
  const states = new Map<string, State>();
  const counts: PerformedStepCounts = { begun: 0, completed: 0, discontinued: 0, refused: 0 };

  const create = (uid: string | null, set: DecodedDataSet): Refusal | null => {
    if (uid === null || !isValidUid(uid)) return refusal(STATUS.invalidSopInstance, 'no SOP Instance UID');
    if (states.has(uid)) return refusal(STATUS.duplicateSopInstance, 'the step is there already');
    const status = text(set, 'PerformedProcedureStepStatus');
    if (status !== 'IN PROGRESS') return refusal(STATUS.invalidAttributeValue, 'a step begins IN PROGRESS');
    const fault = missingOf(set, REQUIRED_AT_BEGIN) ?? scheduledFault(set);
    if (fault !== null) return fault;
    states.set(uid, status);
    if (states.size > MAX_STEPS) states.delete(states.keys().next().value!);
    counts.begun++;
    return null;
  };

  const change = (uid: string | null, set: DecodedDataSet): Refusal | null => {
    const state = uid === null ? undefined : states.get(uid);
    if (uid === null || state === undefined)
      return refusal(STATUS.noSuchSopInstance, 'the step is not known');
    if (state !== 'IN PROGRESS') {
      const why = 'Performed Procedure Step Object may no longer be updated';
      return { status: STATUS.processingFailure, errorId: MAY_NO_LONGER_BE_UPDATED, errorComment: why };
    }
    const status = text(set, 'PerformedProcedureStepStatus') ?? state;
    if (status === 'IN PROGRESS') return null;
    if (status !== 'COMPLETED' && status !== 'DISCONTINUED')
      return refusal(STATUS.invalidAttributeValue, 'no status of a performed step');
    const fault = missingOf(set, REQUIRED_AT_END) ?? seriesFault(set, status);
    if (fault !== null) return fault;
    states.set(uid, status);
    counts[status === 'COMPLETED' ? 'completed' : 'discontinued']++;
    return null;
  };

  return {
    answer: ({ commandField, sopInstanceUid, dataSet, transferSyntaxUid }) => {
      const encoding = transferSyntaxUid === IMPLICIT_VR_LITTLE_ENDIAN ? 'implicit' : 'explicit';
      let set: DecodedDataSet;
      try {
        set = decodeDataSet(dataSet ?? Buffer.alloc(0), encoding);
      } catch {
        counts.refused++;
        return refusal(STATUS.processingFailure, 'the data set cannot be read');
      }
      const refused = (commandField === COMMAND_FIELD.nCreateRq ? create : change)(sopInstanceUid, set);
      if (refused !== null) counts.refused++;
      return refused ?? { status: STATUS.success };
    },
    counts: () => ({ ...counts }),
  };
}

function missingOf(set: DecodedDataSet, required: readonly Keyword[]): Refusal | null {
  for (const keyword of required) {
    if (!set.elements.has(DICTIONARY[keyword][0]))
      return refusal(STATUS.missingAttribute, `${keyword} is missing`);
    if (!text(set, keyword)) return refusal(STATUS.missingAttributeValue, `${keyword} has no value`);
  }
  return null;
}

function scheduledFault(set: DecodedDataSet): Refusal | null {
  const [scheduled] = items(set, 'ScheduledStepAttributesSequence');
  return scheduled === undefined
    ? refusal(STATUS.missingAttribute, 'ScheduledStepAttributesSequence is missing')
    : missingOf(scheduled, ['StudyInstanceUID']);
}

/** A step that was completed has made something. */
function seriesFault(set: DecodedDataSet, status: State): Refusal | null {
  const series = items(set, 'PerformedSeriesSequence');
  if (series.length === 0 && status === 'COMPLETED')
    return refusal(STATUS.missingAttributeValue, 'PerformedSeriesSequence has no item');
  for (const one of series) {
    const fault = missingOf(one, REQUIRED_OF_SERIES);
    if (fault !== null) return fault;
  }
  return null;
}
