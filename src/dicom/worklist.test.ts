import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type DataSet, type Encoding, encodeDataSet } from './dataset.ts';
import { decodeDataSet, items, text } from './dataset-decoder.ts';
import { createDicomScp, type DicomScpOptions } from './scp.ts';
import type { ServiceRequest } from './scp-hooks.ts';
import { openAssociation } from './scu.ts';
import { IMPLICIT_VR_LITTLE_ENDIAN, WORKLIST_SOP_CLASS } from './uids.ts';
import { findWorklist, WORKLIST_CONTEXTS, type WorklistResult } from './worklist.ts';

const ITEM: DataSet = {
  SpecificCharacterSet: 'ISO_IR 192',
  AccessionNumber: 'ACC1',
  PatientName: 'ZZTEST-MÜLLER^JÖRG',
  PatientID: '12345678',
  IssuerOfPatientID: 'YEETER',
  PatientBirthDate: '19700102',
  PatientSex: 'M',
  StudyInstanceUID: '1.2.840.1',
  RequestedProcedureDescription: 'CT head',
  ScheduledProcedureStepSequence: [
    { Modality: 'CT', ScheduledStationAETitle: 'CT_ROOM_1', ScheduledProcedureStepID: 'SPS1' },
  ],
  RequestedProcedureID: 'RP1',
  PlacerOrderNumberImagingServiceRequest: 'PLR1',
  FillerOrderNumberImagingServiceRequest: 'FIL1',
};

const EXPECTED = {
  accessionNumber: 'ACC1',
  studyInstanceUid: '1.2.840.1',
  requestedProcedureId: 'RP1',
  description: 'CT head',
  scheduledProcedureStepId: 'SPS1',
  scheduledStationAeTitle: 'CT_ROOM_1',
  modality: 'CT',
  placerOrderNumber: 'PLR1',
  fillerOrderNumber: 'FIL1',
  patientId: '12345678',
  patientIssuer: 'YEETER',
  patientName: 'ZZTEST-MÜLLER^JÖRG',
  patientBirthDate: '19700102',
  patientSex: 'M',
};

async function ask(options: DicomScpOptions, accessionNumber = 'ACC1'): Promise<WorklistResult> {
  await using peer = await createDicomScp({ services: [WORKLIST_SOP_CLASS], ...options });
  const opened = await openAssociation({
    host: '127.0.0.1',
    port: peer.port,
    calledAeTitle: 'RIS',
    contexts: WORKLIST_CONTEXTS,
    timeouts: { dimseMs: 1_000, artimMs: 50 },
  });
  assert.ok(opened.ok);
  const found = await findWorklist(opened.association, accessionNumber);
  await opened.association.close();
  return found;
}

/** Answers with these items. */
function answering(sets: readonly DataSet[], encoding: Encoding = 'explicit', status = 0): DicomScpOptions {
  return {
    onRequest: () => ({ status, matches: sets.map((set) => encodeDataSet(set, encoding)) }),
  };
}

describe('findWorklist', () => {
  it('asks by accession number alone, and for what identifies the order', async () => {
    const requests: ServiceRequest[] = [];
    const found = await ask({
      onRequest: (request) => {
        requests.push(request);
        return { status: 0 };
      },
    });
    assert.deepEqual(found.ok && found.entries, []);
    const asked = decodeDataSet(requests[0]!.dataSet!, 'explicit');
    assert.equal(text(asked, 'AccessionNumber'), 'ACC1');
    assert.equal(text(asked, 'StudyInstanceUID'), null);
    assert.equal(items(asked, 'ScheduledProcedureStepSequence')[0]!.elements.size, 9);
  });

  it('reads what an item says, in either transfer syntax', async () => {
    const explicit = await ask(answering([ITEM]));
    assert.deepEqual(explicit.ok && explicit.entries, [EXPECTED]);
    const implicit = await ask({
      ...answering([ITEM], 'implicit'),
      services: [],
      acceptedAbstractSyntaxes: [WORKLIST_SOP_CLASS],
      transferSyntaxes: [IMPLICIT_VR_LITTLE_ENDIAN],
    });
    assert.deepEqual(implicit.ok && implicit.entries, [EXPECTED]);
  });

  it('passes over items of other accession numbers, which a peer may send that does not match by it', async () => {
    const others = Array.from({ length: 20 }, (_, n) => ({ ...ITEM, AccessionNumber: `ACC${n}` }));
    const found = await ask(answering(others));
    assert.deepEqual(found.ok && found.entries.map((entry) => entry.accessionNumber), ['ACC1']);
  });

  it('cancels as soon as two items have come', async () => {
    let sent = 0;
    async function* endless(): AsyncGenerator<Buffer> {
      for (;;) {
        sent++;
        yield encodeDataSet(ITEM);
        await sleep(1);
      }
    }
    const found = await ask({ onRequest: () => ({ status: 0, matches: endless() }) });
    assert.deepEqual(found.ok && found.entries, [EXPECTED, EXPECTED]);
    assert.ok(sent >= 2);
  });

  it('leaves out and cuts what images could not hold', async () => {
    const found = await ask(
      answering([
        {
          AccessionNumber: 'ACC1',
          PatientName: 'A^B=C^D=E^F',
          RequestedProcedureCodeSequence: [{ CodeMeaning: 'Chest' }],
          ScheduledProcedureStepSequence: [{ ScheduledProcedureStepDescription: 'step' }],
        },
      ]),
    );
    assert.ok(found.ok);
    const [entry] = found.entries;
    assert.equal(entry!.patientName, 'A^B=C^D=E^F');
    assert.equal(entry!.description, 'Chest');
    assert.deepEqual([entry!.studyInstanceUid, entry!.modality, entry!.patientBirthDate], [null, null, null]);
  });

  const FAILURES: readonly [what: string, options: DicomScpOptions, code: string, retryable: boolean][] = [
    ['a refusal for lack of resources', answering([], 'explicit', 0xa700), 'DICOM_FIND_FAILED', true],
    ['a query that does not suit it', answering([], 'explicit', 0xa900), 'DICOM_FIND_FAILED', false],
    ['a query that it cannot process', answering([], 'explicit', 0xc001), 'DICOM_FIND_FAILED', false],
    ['a cancel that nobody asked for', answering([], 'explicit', 0xfe00), 'DICOM_FIND_FAILED', false],
    ['no answer', { onRequest: () => 'silent' }, 'DICOM_TIMEOUT', true],
    ['an abort', { onRequest: () => 'abort' }, 'DICOM_ABORTED', true],
    ['a closed connection', { onRequest: () => 'close' }, 'DICOM_CLOSED', true],
    [
      'no such service',
      { services: [], acceptedAbstractSyntaxes: 'all-storage' },
      'DICOM_CONTEXT_REFUSED',
      false,
    ],
    [
      'bytes that are no data set',
      { onRequest: () => ({ status: 0, matches: [Buffer.from('garbage, garbage')] }) },
      'DICOM_DATASET',
      false,
    ],
  ];
  for (const [what, options, code, retryable] of FAILURES) {
    it(`fails with ${code} on ${what}`, async () => {
      const found = await ask(options);
      assert.ok(!found.ok);
      assert.deepEqual([found.code, found.retryable], [code, retryable]);
    });
  }

  it('refuses an item whose Study Instance UID is none', async () => {
    const bytes = encodeDataSet({ AccessionNumber: 'ACC1', StudyInstanceUID: '1.2.3' });
    bytes.write('x', bytes.indexOf('1.2.3') + 1, 'latin1');
    const found = await ask({ onRequest: () => ({ status: 0, matches: [bytes] }) });
    assert.ok(!found.ok);
    assert.equal(found.code, 'DICOM_DATASET');
    assert.match(found.message, /StudyInstanceUID is "1x2\.3"/);
  });
});
