import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type DataSet, encodeDataSet } from '../dicom/dataset.ts';
import { COMMAND_FIELD } from '../dicom/dimse.ts';
import { EXPLICIT_VR_LITTLE_ENDIAN } from '../dicom/uids.ts';
import { createPerformedSteps, type PerformedSteps } from './performed-steps.ts';

const BEGIN: DataSet = {
  Modality: 'CT',
  PerformedProcedureStepID: 'SPS1',
  PerformedStationAETitle: 'CT_ROOM_1',
  PerformedProcedureStepStartDate: '20260105',
  PerformedProcedureStepStartTime: '101500',
  PerformedProcedureStepStatus: 'IN PROGRESS',
  ScheduledStepAttributesSequence: [{ StudyInstanceUID: '1.2.3' }],
};
const END: DataSet = {
  PerformedProcedureStepEndDate: '20260105',
  PerformedProcedureStepEndTime: '102000',
  PerformedProcedureStepStatus: 'COMPLETED',
  PerformedSeriesSequence: [{ ProtocolName: 'Head', SeriesInstanceUID: '1.2.4' }],
};

interface Answered {
  status: number;
  errorId?: number;
}

function send(
  steps: PerformedSteps,
  operation: 'create' | 'set',
  set: DataSet | Buffer,
  sopInstanceUid: string | null = '1.2.5',
): Answered {
  const reply = steps.answer({
    commandField: operation === 'create' ? COMMAND_FIELD.nCreateRq : COMMAND_FIELD.nSetRq,
    sopInstanceUid,
    transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN,
    dataSet: Buffer.isBuffer(set) ? set : encodeDataSet(set),
  });
  assert.ok(typeof reply === 'object');
  return reply;
}

const without = (set: DataSet, key: keyof DataSet): DataSet =>
  Object.fromEntries(Object.entries(set).filter(([name]) => name !== key));

describe('performed procedure steps', () => {
  it('begin, may be changed, and end once', () => {
    const steps = createPerformedSteps();
    assert.equal(send(steps, 'create', BEGIN).status, 0);
    assert.equal(send(steps, 'set', { PerformedProcedureStepDescription: 'CT head' }).status, 0);
    assert.equal(send(steps, 'set', END).status, 0);
    const late = send(steps, 'set', END);
    assert.deepEqual([late.status, late.errorId], [0x0110, 0xa506]);
    assert.deepEqual(steps.counts(), { begun: 1, completed: 1, discontinued: 0, refused: 1 });
  });

  it('may be discontinued with nothing made, and not be changed then', () => {
    const steps = createPerformedSteps();
    send(steps, 'create', BEGIN);
    const discontinued = {
      ...without(END, 'PerformedSeriesSequence'),
      PerformedProcedureStepStatus: 'DISCONTINUED',
    };
    assert.equal(send(steps, 'set', discontinued).status, 0);
    assert.equal(send(steps, 'set', END).errorId, 0xa506);
    assert.equal(steps.counts().discontinued, 1);
  });

  it('are refused twice, and when they are not known', () => {
    const steps = createPerformedSteps();
    send(steps, 'create', BEGIN);
    assert.equal(send(steps, 'create', BEGIN).status, 0x0111);
    assert.equal(send(steps, 'set', END, '1.2.6').status, 0x0112);
    assert.equal(send(steps, 'set', END, null).status, 0x0112);
    assert.equal(send(steps, 'create', BEGIN, '1.x').status, 0x0117);
  });

  it('are refused with what is missing or wrong', () => {
    const steps = createPerformedSteps();
    assert.equal(send(steps, 'create', without(BEGIN, 'Modality')).status, 0x0120);
    assert.equal(send(steps, 'create', { ...BEGIN, PerformedProcedureStepID: null }).status, 0x0121);
    assert.equal(send(steps, 'create', without(BEGIN, 'ScheduledStepAttributesSequence')).status, 0x0120);
    assert.equal(
      send(steps, 'create', { ...BEGIN, PerformedProcedureStepStatus: 'COMPLETED' }).status,
      0x0106,
    );
    assert.equal(send(steps, 'create', Buffer.from('garbage, garbage')).status, 0x0110);
    assert.equal(send(steps, 'create', BEGIN).status, 0);
    assert.equal(send(steps, 'set', { ...END, PerformedProcedureStepStatus: 'DONE' }).status, 0x0106);
    assert.equal(send(steps, 'set', without(END, 'PerformedProcedureStepEndTime')).status, 0x0120);
    assert.equal(send(steps, 'set', without(END, 'PerformedSeriesSequence')).status, 0x0121);
    assert.equal(
      send(steps, 'set', { ...END, PerformedSeriesSequence: [{ ProtocolName: 'Head' }] }).status,
      0x0120,
    );
    assert.equal(send(steps, 'set', END).status, 0);
  });
});
