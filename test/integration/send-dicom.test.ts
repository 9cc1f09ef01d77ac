import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createDicomSink } from '../../src/sink/dicom-sink.ts';
import { openTestBench, type TestBench, templateFrom } from '../support/run.ts';

const HEADER = `
generators: {order: {file: ../generators/orm-o01.hl7}}
`;

/** A study of two series (ten images and a report) for each patient, sent as the given settings say. */
const studies = (send: string, more = ''): string => `
name: studies${HEADER}${more}
steps:
  - {step_type: GENERATE_HL7, parameters: {generator_template_id: order}}
  - step_type: GENERATE_DICOM
    parameters: {count: 10, modality: CT, generate_pixels: false, generate_report: true}
  - {step_type: SEND_DICOM, parameters: {${send}}}
`;

const station = (association: string, more = ''): string => `
stations:
  - {ae_title: CT_ROOM_1, name: CTROOM1, manufacturer: Yeeter, model: T1, modality: CT, association: ${association}${more}}
`;

describe('SEND_DICOM', () => {
  let bench: TestBench;
  before(async () => {
    bench = await openTestBench();
  });
  after(() => bench.close());

  const CASES = [
    ['one association a study', '', '', 3],
    ['as many parallel associations as it says', 'associations: 4', '', 12],
    ['several operations in flight on one association', 'max_in_flight: 8', '', 3],
    ['one association a series, when the station does so', '', station('series'), 6],
    ['one association an image, when the station does so', '', station('image'), 33],
    ['one association kept open over all studies', '', station('kept_open'), 1],
  ] as const;
  for (const [what, send, more, associations] of CASES) {
    it(`uses ${what}, and stores every instance`, async () => {
      await using sink = await createDicomSink({ digest: true });
      const end = await bench.run({
        template: templateFrom(studies(send, more)),
        patients: 3,
        concurrency: 1,
        dicomPort: sink.port,
      });
      assert.equal(end.totals.completed, 3);
      assert.equal(end.totals.dicom.successInstances, 33);
      const counts = sink.counts();
      assert.equal(counts.instances, 33);
      assert.equal(counts.associations, associations);
    });
  }

  it('sends the same bytes whatever the settings', async () => {
    const digests = new Set<string | null>();
    for (const send of ['', 'associations: 3', 'max_in_flight: 4']) {
      await using sink = await createDicomSink({ digest: true });
      await bench.run({ template: templateFrom(studies(send)), patients: 2, dicomPort: sink.port });
      digests.add(sink.counts().digest);
    }
    assert.equal(digests.size, 1);
  });

  it('spaces the images of a station by its cadence', async () => {
    await using sink = await createDicomSink({});
    const startedMs = performance.now();
    const end = await bench.run({
      template: templateFrom(studies('', station('study', ', cadence_ms: 20'))),
      patients: 1,
      dicomPort: sink.port,
    });
    assert.equal(end.totals.dicom.successInstances, 11);
    assert.ok(performance.now() - startedMs >= 195);
  });

  it('sends to every destination of its station', async () => {
    await using sink = await createDicomSink({});
    const end = await bench.run({
      template: templateFrom(studies('', station('study', ', destinations: [dicom, dicom]'))),
      patients: 1,
      dicomPort: sink.port,
    });
    assert.equal(end.totals.completed, 1);
    assert.equal(sink.counts().instances, 22);
  });
});
