import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadTemplateFile } from '../../src/cli/load-template-file.ts';
import { createDicomSink } from '../../src/sink/dicom-sink.ts';
import { createMllpSink } from '../../src/sink/mllp-sink.ts';
import { createOrderBook } from '../../src/sink/order-book.ts';
import { openTestBench, type TestBench } from '../support/run.ts';

const FOLDER = fileURLToPath(new URL('../../examples/templates/', import.meta.url));

describe('the templates that come with the program', () => {
  let bench: TestBench;
  before(async () => {
    bench = await openTestBench();
  });
  after(() => bench.close());

  for (const file of readdirSync(FOLDER)) {
    it(`${file} runs to its end`, async () => {
      const orders = createOrderBook();
      await using mllp = await createMllpSink({ onAccepted: orders.take });
      await using dicom = await createDicomSink({ orders });
      const template = loadTemplateFile(`${FOLDER}${file}`);
      const end = await bench.run({
        template,
        patients: 4,
        mllpPort: mllp.port,
        dicomPort: dicom.port,
      });
      assert.equal(end.run.status, 'COMPLETED');
      assert.equal(end.totals.completed, 4);
      const sends = template.steps.filter((step) => step.stepType === 'SEND_MLLP').length;
      assert.equal(mllp.counts().accepted, 4 * sends);
      assert.equal(dicom.counts().instances, end.totals.dicom.successInstances);
      const steps = template.steps.filter((step) => step.stepType === 'MPPS_UPDATE').length / 2;
      assert.equal(dicom.counts().performedSteps.completed, 4 * steps);
      const stores = template.steps.some((step) => step.stepType === 'SEND_DICOM');
      assert.equal(end.totals.studiesStored, stores ? 4 : 0);
    });
  }
});
