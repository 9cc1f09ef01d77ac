import assert from 'node:assert/strict';
import { readdirSync, readlinkSync } from 'node:fs';
import { describe, it } from 'node:test';
import { delay } from '../../src/lib/lifecycle.ts';
import { createDicomSink } from '../../src/sink/dicom-sink.ts';
import { createMllpSink } from '../../src/sink/mllp-sink.ts';
import { ORDERS, openTestBench, templateFrom } from '../support/run.ts';

const STUDIES = `${ORDERS}
  - {step_type: GENERATE_DICOM, execution: async, parameters: {count: 2, modality: CT, generate_pixels: false}}
  - {step_type: SEND_DICOM}
`;

/** What keeps this process alive, by kind, and its sockets; the database keeps the files open that it has once read. */
function held(): { resources: Record<string, number>; sockets: number } {
  const resources: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) {
    // The test runner's own.
    if (kind === 'Immediate' || kind === 'PipeWrap' || kind === 'TTYWrap') continue;
    resources[kind] = (resources[kind] ?? 0) + 1;
  }
  return { resources, sockets: readdirSync('/proc/self/fd').filter(isSocket).length };
}

function isSocket(descriptor: string): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`).startsWith('socket:');
  } catch {
    // It was the one that read the folder.
    return false;
  }
}

/** Waits until as much is held as before; what is closed goes at the end of a turn or two of the loop. */
async function assertHeldAgain(before: ReturnType<typeof held>): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const now = held();
    if (now.sockets <= before.sockets && JSON.stringify(now.resources) === JSON.stringify(before.resources))
      return;
    await delay(25);
  }
  assert.deepEqual(held(), before);
}

describe('a process that runs templates', {
  skip: process.platform !== 'linux' && 'there is no /proc',
}, () => {
  it('holds nothing more after 3,000 orders, and nothing at all once its store is closed', async () => {
    const atStart = held();
    {
      await using bench = await openTestBench();
      await using sink = await createMllpSink({});
      const run = { template: templateFrom(ORDERS), patients: 3000, concurrency: 16, mllpPort: sink.port };
      const { totals } = await bench.run({ ...run, patients: 1 });
      assert.equal(totals.completed, 1);
      const before = held();
      const end = await bench.run(run);
      assert.equal(end.totals.completed, 3000);
      await assertHeldAgain(before);
    }
    await assertHeldAgain(atStart);
  });

  it('holds no more after ten runs than after one, stopped ones and failed ones among them', async () => {
    await using bench = await openTestBench();
    await using mllp = await createMllpSink({});
    await using dicom = await createDicomSink();
    const run = { template: templateFrom(STUDIES), patients: 30, mllpPort: mllp.port, dicomPort: dicom.port };
    assert.equal((await bench.run(run)).totals.completed, 30);
    const before = held();
    for (let again = 0; again < 3; again++) {
      assert.equal((await bench.run(run)).totals.completed, 30);
      const stopped = await bench.run({
        ...run,
        patients: 5000,
        during: (engine) => setTimeout(engine.stop, 50),
      });
      assert.equal(stopped.run.status, 'CANCELLED');
      assert.equal((await bench.run({ ...run, patients: 5, mllpPort: 9 })).totals.failed, 5);
    }
    await assertHeldAgain(before);
  });
});
