import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { describe, it } from 'node:test';
import { decodeDataSet, text } from './dataset-decoder.ts';
import { COMMAND_FIELD } from './dimse.ts';
import { MPPS_CONTEXTS, reportStep, type StepReport, type StepReportResult } from './performed-step.ts';
import { createDicomScp, type DicomScpOptions } from './scp.ts';
import type { ServiceRequest } from './scp-hooks.ts';
import { openAssociation } from './scu.ts';
import { IMPLICIT_VR_LITTLE_ENDIAN, MPPS_SOP_CLASS } from './uids.ts';

const CREATE: StepReport = {
  operation: 'create',
  sopInstanceUid: '2.25.1',
  dataSet: { PerformedProcedureStepStatus: 'IN PROGRESS' },
  mayHaveArrived: false,
};
const SET: StepReport = {
  ...CREATE,
  operation: 'set',
  dataSet: { PerformedProcedureStepStatus: 'COMPLETED' },
};

async function report(options: DicomScpOptions, what: StepReport = CREATE): Promise<StepReportResult> {
  await using peer = await createDicomScp({ services: [MPPS_SOP_CLASS], ...options });
  const opened = await openAssociation({
    host: '127.0.0.1',
    port: peer.port,
    calledAeTitle: 'RIS',
    contexts: MPPS_CONTEXTS,
    timeouts: { dimseMs: 1_000, artimMs: 50 },
  });
  assert.ok(opened.ok);
  const result = await reportStep(opened.association, what);
  await opened.association.close();
  return result;
}

const answering = (
  status: number,
  more: { errorId?: number; errorComment?: string } = {},
): DicomScpOptions => ({
  onRequest: () => ({ status, ...more }),
});

describe('reportStep', () => {
  it('creates an instance, and changes the same one', async () => {
    for (const [what, commandField] of [
      [CREATE, COMMAND_FIELD.nCreateRq],
      [SET, COMMAND_FIELD.nSetRq],
    ] as const) {
      const requests: ServiceRequest[] = [];
      const onRequest = (request: ServiceRequest): { status: number } => {
        requests.push(request);
        return { status: 0 };
      };
      const result = await report({ onRequest }, what);
      assert.ok(result.ok && !result.warning);
      const [request] = requests;
      assert.deepEqual([request!.commandField, request!.sopInstanceUid], [commandField, '2.25.1']);
      const status = text(decodeDataSet(request!.dataSet!, 'explicit'), 'PerformedProcedureStepStatus');
      assert.equal(status, what.dataSet.PerformedProcedureStepStatus);
    }
  });

  it('speaks Implicit VR where the peer takes nothing else', async () => {
    let status: string | null = null;
    const result = await report({
      services: [],
      acceptedAbstractSyntaxes: [MPPS_SOP_CLASS],
      transferSyntaxes: [IMPLICIT_VR_LITTLE_ENDIAN],
      onRequest: ({ dataSet }) => {
        status = text(decodeDataSet(dataSet!, 'implicit'), 'PerformedProcedureStepStatus');
        return { status: 0 };
      },
    });
    assert.ok(result.ok);
    assert.equal(status, 'IN PROGRESS');
  });

  it('takes warnings for done', async () => {
    for (const status of [0x0001, 0x0107, 0x0116, 0xb305]) {
      const result = await report(answering(status));
      assert.ok(result.ok && result.warning);
    }
  });

  it('takes "it is there" and "it has ended" for done only where the report may have arrived before', async () => {
    const duplicate = answering(0x0111);
    const ended = answering(0x0110, { errorId: 0xa506 });
    assert.equal((await report(duplicate, CREATE)).ok, false);
    assert.equal((await report(ended, SET)).ok, false);
    assert.equal((await report(duplicate, { ...CREATE, mayHaveArrived: true })).ok, true);
    assert.equal((await report(ended, { ...SET, mayHaveArrived: true })).ok, true);
    assert.equal((await report(ended, { ...CREATE, mayHaveArrived: true })).ok, false);
    assert.equal((await report(answering(0x0112), { ...SET, mayHaveArrived: true })).ok, false);
  });

  const FAILURES: readonly [what: string, options: DicomScpOptions, code: string, retryable: boolean][] = [
    ['a step that is not known', answering(0x0112), 'DICOM_MPPS_FAILED', false],
    ['a missing attribute', answering(0x0120), 'DICOM_MPPS_FAILED', false],
    ['a lack of resources', answering(0x0213), 'DICOM_MPPS_FAILED', true],
    ['a processing failure', answering(0x0110), 'DICOM_MPPS_FAILED', true],
    ['a step that has ended', answering(0x0110, { errorId: 0xa506 }), 'DICOM_MPPS_FAILED', false],
    ['an operation that is not known', {}, 'DICOM_MPPS_FAILED', false],
    ['no answer', { onRequest: () => 'silent' }, 'DICOM_TIMEOUT', true],
    ['an abort', { onRequest: () => 'abort' }, 'DICOM_ABORTED', true],
    ['a closed connection', { onRequest: () => 'close' }, 'DICOM_CLOSED', true],
    ['no such service', { services: [] }, 'DICOM_CONTEXT_REFUSED', false],
  ];
  for (const [what, options, code, retryable] of FAILURES) {
    it(`fails with ${code} on ${what}`, async () => {
      const result = await report(options);
      assert.ok(!result.ok);
      assert.deepEqual([result.code, result.retryable], [code, retryable]);
    });
  }

  it('says what the peer said', async () => {
    const result = await report(answering(0x0110, { errorId: 0xa506, errorComment: 'too late' }), SET);
    assert.ok(!result.ok);
    assert.match(
      result.message,
      /N-SET of .*2\.25\.1 was refused with 0110 \(processing failure\), error ID A506, "too late"/,
    );
  });

  it('fails with DICOM_PROTOCOL on bytes that are no PDU', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const opened = await openAssociation({
      host: '127.0.0.1',
      port,
      calledAeTitle: 'RIS',
      contexts: MPPS_CONTEXTS,
      timeouts: { associateMs: 2_000, artimMs: 50 },
    });
    server.close();
    assert.equal(!opened.ok && opened.code, 'DICOM_PROTOCOL');
  });
});
