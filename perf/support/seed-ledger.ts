import { jobIdOf } from '../../src/domain/job-id.ts';
import { DEFAULT_QUEUE, type Step } from '../../src/domain/template.ts';
import type { LedgerBatch, NewRun, StoragePort } from '../../src/storage/port.ts';
import {
  attemptRow,
  batchOf,
  eventRow,
  iterationRow,
  newRun,
  windowRow,
} from '../../test/conformance/ledger-rows.ts';

/** One job in so many is dead. */
const DEAD_OF = 1_000;
const SERIES = ['order_ack', 'queue_publish', 'queue_wait', 'job', 'dicom_store', 'iteration'];

const failure = { errorCode: 'MLLP_NAK_ERROR', error: 'MSA-1 is AE: no such patient' };

/** What a runner and a worker write of patients that are handed off, and of the jobs that are tried and end them. */
function batches(runId: number, first: number, count: number): [handedOff: LedgerBatch, ended: LedgerBatch] {
  const jobs = Array.from({ length: count }, (_, i) => {
    const n = first + i;
    return { jobId: jobIdOf({ deploymentId: 'seeded', runId, iteration: n, segment: 1 }), n };
  });
  const isDead = (n: number): boolean => n % DEAD_OF === 0;
  const handedOff = jobs.map(({ n }) => ({ runId, iteration: n }));
  const attempts = jobs.map(({ jobId, n }) => {
    const tried = { jobId, patientIteration: n, durationUs: n, workerId: `worker-${n % 4}` };
    return attemptRow(runId, isDead(n) ? { ...tried, ...failure, outcome: 'dead' } : tried);
  });
  const iterations = jobs.map(({ n }) => {
    const ended = { responseUs: n, studyInstanceUids: [`2.25.${n}00000000000000000000000000000001`] };
    return iterationRow(
      runId,
      n,
      isDead(n) ? { ...ended, ...failure, outcome: 'failed', failedStep: 2 } : ended,
    );
  });
  return [batchOf({ handedOff }), batchOf({ attempts, iterations })];
}

export interface Fill {
  jobs: number;
  /** Rows of a kind in one batch. */
  batch: number;
  /** Batches at a time. */
  writers: number;
}

/** Writes batches of the numbers from 1 on. */
async function inBatches(
  { jobs, batch, writers }: Fill,
  write: (first: number, count: number) => Promise<void>,
): Promise<void> {
  let next = 1;
  const writer = async (): Promise<void> => {
    while (next <= jobs) {
      const first = next;
      next += batch;
      await write(first, Math.min(batch, jobs - first + 1));
    }
  };
  await Promise.all(Array.from({ length: writers }, writer));
}

export function fillJobs(store: StoragePort, runId: number, fill: Fill): Promise<void> {
  return inBatches(fill, async (first, count) => {
    const [handedOff, ended] = batches(runId, first, count);
    await store.writeLedger(handedOff);
    await store.writeLedger(ended);
  });
}

function fillEvents(store: StoragePort, runId: number, fill: Fill): Promise<void> {
  return inBatches(fill, async (first, count) => {
    const events = Array.from({ length: count }, (_, i) => {
      const iteration = first + i;
      const status = iteration % DEAD_OF === 0 ? 'FAILURE' : 'SUCCESS';
      return eventRow(runId, { iteration, status, stepOrder: 1 + (iteration % 4) });
    });
    await store.writeLedger(batchOf({ events }));
  });
}

/** Of 6 series and 2 processes for each second. */
export async function fillWindows(store: StoragePort, runId: number, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    const windows = SERIES.flatMap((series) => [
      windowRow(runId, second, { series, processId: 'worker-1' }),
      windowRow(runId, second, { series, processId: 'worker-2' }),
    ]);
    await store.writeLedger(batchOf({ windows }));
  }
}

export interface SeedOptions {
  /** Of the last run, which has as many jobs and events. */
  attempts: number;
  /** Runs before it, of five jobs and a second each. */
  runs: number;
  /** What the runs are made with, for example their owner. */
  run?: Partial<NewRun>;
}

/** The jobs of the rows, so that a run tells the queue that it has. */
const STEP: Step = {
  ...{ stepOrder: 1, stepType: 'WAIT', parameters: { durationSeconds: 1 }, label: null, execution: 'async' },
  ...{ queue: DEFAULT_QUEUE, jobType: null, retry: null, metadata: {}, repeat: { count: 1, delayMs: 0 } },
};

/** The ledger of a server that has been in use for long, in either database. */
export async function seedLedger(
  store: StoragePort,
  { attempts, runs, run = {} }: SeedOptions,
): Promise<{ large: number; small: number[] }> {
  const template = { ...newRun().template, steps: [STEP] };
  const made = async (): Promise<number> => {
    const { id } = await store.createRun(newRun({ template, ...run }));
    await store.transitionRun(id, 'start');
    return id;
  };
  const small: number[] = [];
  await inBatches({ jobs: runs, batch: 1, writers: 4 }, async () => {
    const id = await made();
    await fillJobs(store, id, { jobs: 5, batch: 5, writers: 1 });
    await fillWindows(store, id, 1);
    await store.transitionRun(id, 'over_ok', { startedIterations: 5 });
    small.push(id);
  });
  const large = await made();
  const fill = { jobs: attempts, batch: 1_000, writers: 2 };
  await fillJobs(store, large, fill);
  await fillEvents(store, large, fill);
  await fillWindows(store, large, 100);
  await store.transitionRun(large, 'over_ok', { startedIterations: attempts });
  return { large, small };
}
