import assert from 'node:assert/strict';
import { it } from 'node:test';
import { testEnvironment } from '../../test/support/environment.ts';
import { testJob } from '../../test/support/job.ts';
import { testStep, testTemplate } from '../../test/support/template.ts';
import { untilAnswer } from '../../test/support/until.ts';
import { createEventLog } from '../ledger/event-log.ts';
import { createLedgerWriter } from '../ledger/ledger-writer.ts';
import type { RunContext } from '../ledger/run-context.ts';
import { createRunTracker } from '../ledger/run-tracker.ts';
import { systemClock } from '../lib/clock.ts';
import { createMemoryQueue } from '../queue/memory/memory-queue.ts';
import type { RunRecord, StoragePort } from '../storage/port.ts';
import { createWorker } from './consume.ts';

it('rows wait for no company where their queue gives no job before they are stored', async () => {
  const sizes: number[] = [];
  const writeLedger: StoragePort['writeLedger'] = async ({ attempts }) => {
    sizes.push(attempts.length);
    return { duplicateAttempts: 0, duplicateIterations: 0 };
  };
  await using queue = createMemoryQueue();
  await queue.declare(['q']);
  for (const iteration of [1, 2, 3]) await queue.publish(testJob({ iteration }));
  const template = testTemplate([
    testStep('WAIT', { durationSeconds: 0 }, { execution: 'async', queue: 'q' }),
  ]);
  const ledger = createLedgerWriter({
    store: { writeLedger } as StoragePort,
    takeWindows: () => [],
    onFault: (fault) => assert.fail(fault),
    maxDelayMs: 60_000,
  });
  const context: RunContext = {
    deploymentId: 'test',
    run: { id: 1, template } as RunRecord,
    environment: testEnvironment({ template }),
    ledger,
    events: createEventLog({ ledger, runId: 1, clock: systemClock, detailedPatients: 0 }),
    tracker: createRunTracker(() => {}),
    stop: new AbortController().signal,
    clockUncertaintyUs: () => 0,
  };
  const worker = createWorker({
    ...{ queue, queues: ['q'], workerId: 'w', prefetch: 2, concurrency: 2 },
    contextOf: () => context,
  });
  const heldOf = async (): Promise<number[]> => {
    const [depth] = await queue.depth(['q']);
    return [depth!.ready, depth!.unacknowledged];
  };
  await untilAnswer(heldOf, ([ready, held]) => ready === 0 && held === 1);
  assert.deepEqual(sizes, [2], 'the third may have company');
  await ledger.close();
  await worker.close();
  assert.deepEqual(sizes, [2, 1]);
});
