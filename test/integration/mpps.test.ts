import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { type DecodedDataSet, decodeDataSet, items, text } from '../../src/dicom/dataset-decoder.ts';
import { COMMAND_FIELD } from '../../src/dicom/dimse.ts';
import { createDicomScp } from '../../src/dicom/scp.ts';
import type { ServiceReply, ServiceRequest } from '../../src/dicom/scp-hooks.ts';
import type { Endpoint } from '../../src/domain/endpoint.ts';
import { type IterationEnd, iterate } from '../../src/engine/iterate.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { createDicomSink, DICOM_FAULTS, type DicomSinkOptions } from '../../src/sink/dicom-sink.ts';
import { parseFaultPlan } from '../../src/sink/fault-plan.ts';
import { createPerformedSteps, type PerformedSteps } from '../../src/sink/performed-steps.ts';
import { createClients } from '../../src/steps/clients.ts';
import { wholeShare } from '../../src/steps/limit-share.ts';
import { startState } from '../../src/steps/start-state.ts';
import { testEnvironment } from '../support/environment.ts';
import { TEST_IDENTITY } from '../support/job.ts';
import { openTestBench, type TestBench, type TestRunEnd, templateFrom } from '../support/run.ts';

const HEAD = `
name: mpps
generators: {order: {file: ../generators/orm-o01.hl7}}
steps:
  - {step_type: GENERATE_HL7, parameters: {generator_template_id: order}}
`;
const BEGIN = '  - {step_type: MPPS_UPDATE, parameters: {mpps_status: IN PROGRESS, timeout_ms: 500}}\n';
const STUDY = `  - step_type: GENERATE_DICOM
    parameters: {count: 3, modality: CT, generate_pixels: false, generate_report: true}
`;
const SEND = '  - {step_type: SEND_DICOM}\n';
const end = (status: string): string =>
  `  - {step_type: MPPS_UPDATE, parameters: {mpps_status: ${status}}}\n`;
const WHOLE = `${HEAD}${BEGIN}${STUDY}${SEND}${end('COMPLETED')}`;
/** The same in a job of two attempts. */
const IN_JOB = WHOLE.replace(
  'MPPS_UPDATE,',
  'MPPS_UPDATE, execution: async, retry: {max_attempts: 3, delay_ms: 10},',
);

interface Report {
  operation: 'create' | 'set';
  uid: string | null;
  bytes: string;
  set: DecodedDataSet;
}

/** Steps that remember what was reported to them, or answer something else. */
function watched(instead: (n: number, reply: ServiceReply) => ServiceReply = (_, reply) => reply): {
  steps: PerformedSteps;
  reports: Report[];
} {
  const steps = createPerformedSteps();
  const reports: Report[] = [];
  const answer: PerformedSteps['answer'] = (request) => {
    reports.push({
      operation: request.commandField === COMMAND_FIELD.nCreateRq ? 'create' : 'set',
      uid: request.sopInstanceUid,
      bytes: request.dataSet!.toString('hex'),
      set: decodeDataSet(request.dataSet!, 'explicit'),
    });
    return instead(reports.length, steps.answer(request));
  };
  return { steps: { ...steps, answer }, reports };
}

const codesOf = ({ totals }: TestRunEnd): string[] => totals.failures.map(({ code }) => code);

function reportsOf({ totals }: TestRunEnd): { ok: number; failed: number } {
  const series = totals.series.find(({ series: name }) => name === 'mpps');
  return { ok: series?.okCount ?? 0, failed: series?.failedCount ?? 0 };
}

/** Instances that a final report lists. */
function listed(set: DecodedDataSet): string[] {
  return items(set, 'PerformedSeriesSequence').flatMap((series) =>
    (['ReferencedImageSequence', 'ReferencedNonImageCompositeSOPInstanceSequence'] as const).flatMap((list) =>
      items(series, list).map((instance) => text(instance, 'ReferencedSOPInstanceUID') ?? ''),
    ),
  );
}

/** A receiver that keeps the data sets in memory, and takes reports. */
async function archive(steps: PerformedSteps) {
  const stored = new Map<string, DecodedDataSet>();
  const scp = await createDicomScp({
    services: ['1.2.840.10008.3.1.2.3.3'],
    onRequest: (request: ServiceRequest) => steps.answer(request),
    onStore: ({ sopInstanceUid }) => {
      const pieces: Buffer[] = [];
      return {
        chunk: (data) => {
          pieces.push(Buffer.from(data));
        },
        end: () => {
          stored.set(sopInstanceUid, decodeDataSet(Buffer.concat(pieces), 'explicit'));
          return 0;
        },
      };
    },
  });
  return { stored, port: scp.port, [Symbol.asyncDispose]: () => scp.close() };
}

describe('MPPS_UPDATE', () => {
  let bench: TestBench;
  before(async () => {
    bench = await openTestBench();
  });
  after(() => bench.close());

  const run = (template: string, dicomPort: number, patients = 1): Promise<TestRunEnd> =>
    bench.run({ template: templateFrom(template), patients, dicomPort });

  for (const [what, template] of [
    ['before', WHOLE],
    ['after', `${HEAD}${STUDY}${BEGIN}${SEND}${end('COMPLETED')}`],
  ] as const) {
    it(`that begins ${what} the images are made: they refer to it, and its end lists them all`, async () => {
      const { steps, reports } = watched();
      await using peer = await archive(steps);
      const ended = await run(template, peer.port);
      assert.deepEqual(codesOf(ended), []);
      assert.deepEqual(reportsOf(ended), { ok: 2, failed: 0 });
      const [begun, final] = reports;
      assert.deepEqual([begun!.operation, final!.operation], ['create', 'set']);
      assert.equal(begun!.uid, final!.uid);
      assert.deepEqual(listed(final!.set).sort(), [...peer.stored.keys()].sort());
      assert.equal(peer.stored.size, 4);
      const [scheduled] = items(begun!.set, 'ScheduledStepAttributesSequence');
      for (const image of peer.stored.values()) {
        const [reference] = items(image, 'ReferencedPerformedProcedureStepSequence');
        assert.equal(text(reference!, 'ReferencedSOPInstanceUID'), begun!.uid);
        for (const keyword of ['StudyInstanceUID', 'AccessionNumber'] as const)
          assert.equal(text(image, keyword), text(scheduled!, keyword));
        for (const keyword of ['PatientID', 'PatientName', 'StudyID'] as const)
          assert.equal(text(image, keyword), text(begun!.set, keyword));
        const [request] = items(image, 'RequestAttributesSequence');
        // Reports have no Request Attributes.
        if (request === undefined) continue;
        for (const keyword of ['RequestedProcedureID', 'ScheduledProcedureStepID'] as const)
          assert.equal(text(request, keyword), text(scheduled!, keyword));
      }
      assert.equal(steps.counts().completed, 1);
    });
  }

  it('reports the same bytes for the same seed, and other instances for each patient', async () => {
    const runs = [watched(), watched()];
    const manifests: string[] = [];
    for (const { steps } of runs) {
      await using sink = await createDicomSink({ performedSteps: steps });
      manifests.push((await run(WHOLE, sink.port, 3)).totals.manifestSha256);
    }
    const [first, second] = runs.map(({ reports }) =>
      reports.map(({ operation, uid, bytes }) => `${operation} ${uid} ${bytes}`).sort(),
    );
    assert.deepEqual(first, second);
    assert.equal(manifests[0], manifests[1]);
    assert.equal(new Set(runs[0]!.reports.map(({ uid }) => uid)).size, 3);
  });

  it('discontinues a step that made nothing', async () => {
    const { steps, reports } = watched();
    await using sink = await createDicomSink({ performedSteps: steps });
    const ended = await run(`${HEAD}${BEGIN}${end('DISCONTINUED')}`, sink.port);
    assert.deepEqual(codesOf(ended), []);
    assert.deepEqual(listed(reports[1]!.set), []);
    assert.equal(items(reports[1]!.set, 'PerformedProcedureStepDiscontinuationReasonCodeSequence').length, 1);
    assert.equal(steps.counts().discontinued, 1);
  });

  it('fails for good on an instance that is there already', async () => {
    await using sink = await createDicomSink({});
    await run(WHOLE, sink.port);
    assert.deepEqual(codesOf(await run(WHOLE, sink.port)), ['DICOM_MPPS_FAILED']);
  });

  it('is done when a report arrived whose answer was lost', async () => {
    // The first report of each kind is taken, and the connection closed instead of an answer.
    const { steps, reports } = watched((n, reply) => (n === 1 || n === 3 ? 'close' : reply));
    await using sink = await createDicomSink({ performedSteps: steps });
    const ended = await run(IN_JOB, sink.port);
    assert.deepEqual(codesOf(ended), []);
    assert.equal(ended.totals.completed, 1);
    assert.deepEqual(
      reports.map(({ operation }) => operation),
      ['create', 'create', 'set', 'set'],
    );
    assert.equal(new Set(reports.map(({ uid }) => uid)).size, 1);
    assert.deepEqual(reportsOf(ended), { ok: 2, failed: 2 });
    assert.equal(sink.counts().instances, 4);
  });

  it('is done when a process died that had reported it, and another begins again', async () => {
    await using sink = await createDicomSink({});
    const template = templateFrom(WHOLE);
    const dicom: Endpoint = {
      ...{ name: 'dicom', endpointType: 'DICOM_SCP', hostname: '127.0.0.1', port: sink.port },
      ...{ aeTitle: 'YEETER_SINK', callingAeTitle: null },
    };
    const limits = { maxConnections: 4, maxPerSecond: null, maxBytes: null, ramp: false };
    await using clients = createClients({
      endpoints: { dicom },
      limits: () => limits,
      share: () => wholeShare(limits),
      clock: systemClock,
      onApplicationAck: () => {},
      onBudgetSpent: () => {},
    });
    const environment = { ...testEnvironment({ template }), clients };
    const play = (mayRepeat: boolean): Promise<IterationEnd> => {
      const state = startState(template, TEST_IDENTITY, 1);
      const place = { stepIndex: 0, repeatsDone: 0, queue: null, executed: 0, mayRepeat };
      return iterate({ iteration: 1, state, ...place }, environment, () => {});
    };
    assert.equal((await play(false)).kind, 'done');
    assert.equal((await play(true)).kind, 'done');
    assert.equal((await play(false)).kind, 'failed');
    const { begun, completed } = sink.counts().performedSteps;
    assert.deepEqual([begun, completed], [1, 1]);
  });

  it('is tried again when the peer lacks resources', async () => {
    const steps = createPerformedSteps();
    let asked = 0;
    const busy: PerformedSteps = {
      ...steps,
      answer: (request) => (++asked === 1 ? { status: 0x0213 } : steps.answer(request)),
    };
    await using sink = await createDicomSink({ performedSteps: busy });
    const ended = await run(IN_JOB, sink.port);
    assert.equal(ended.totals.completed, 1);
    assert.deepEqual(reportsOf(ended), { ok: 2, failed: 1 });
  });

  const stepsThat = (reply: ServiceReply): PerformedSteps => watched(() => reply).steps;
  const REFUSALS: readonly [what: string, options: DicomSinkOptions, code: string][] = [
    ['rejects the association', { aeTitle: 'SOMEBODY' }, 'DICOM_ASSOCIATION_REJECTED'],
    [
      'rejects the association for now',
      { faultPlan: parseFaultPlan('reject/1', DICOM_FAULTS) },
      'DICOM_ASSOCIATION_REJECTED',
    ],
    ['never answers', { performedSteps: stepsThat('silent') }, 'DICOM_TIMEOUT'],
    ['aborts', { performedSteps: stepsThat('abort') }, 'DICOM_ABORTED'],
    ['answers with a failure', { performedSteps: stepsThat({ status: 0x0120 }) }, 'DICOM_MPPS_FAILED'],
  ];
  for (const [what, options, code] of REFUSALS) {
    it(`fails with ${code} when the peer ${what}`, async () => {
      await using sink = await createDicomSink(options);
      const ended = await run(WHOLE, sink.port);
      assert.deepEqual(codesOf(ended), [code]);
      assert.equal(ended.totals.failed, 1);
    });
  }

  it('fails with DICOM_CONTEXT_REFUSED when the peer is no manager of performed steps', async () => {
    await using archiveOnly = await createDicomScp();
    assert.deepEqual(codesOf(await run(WHOLE, archiveOnly.port)), ['DICOM_CONTEXT_REFUSED']);
  });

  it('fails with DICOM_PROTOCOL when what answers does not speak DICOM', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const ended = await run(WHOLE, port);
    server.close();
    assert.deepEqual(codesOf(ended), ['DICOM_PROTOCOL']);
  });
});
