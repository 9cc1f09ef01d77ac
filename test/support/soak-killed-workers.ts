import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { delay } from '../../src/lib/lifecycle.ts';
import { createDicomSink } from '../../src/sink/dicom-sink.ts';
import { createMllpSink } from '../../src/sink/mllp-sink.ts';
import { startYeeter } from './cli.ts';
import { startPrivatePostgres } from './postgres.ts';
import { startPrivateRabbitmq } from './rabbitmq.ts';

const GENERATOR = fileURLToPath(new URL('../../examples/generators/orm-o01.hl7', import.meta.url));

/** Order, images and report over three queues; tiny images, since jobs are what is tried. */
const TEMPLATE = `
name: three-queues
generators: {order: {file: ${GENERATOR}}}
steps:
  - {step_type: GENERATE_HL7, parameters: {generator_template_id: order}}
  - {step_type: SEND_MLLP, execution: async, queue: soak.orders}
  - {step_type: GENERATE_DICOM, execution: async, queue: soak.acquire, parameters: {count: 2, generate_pixels: false}}
  - {step_type: SEND_DICOM, execution: async, queue: soak.store}
`;

const QUEUES = 'soak.orders,soak.acquire,soak.store';
const KILL_INTERVAL_MS = 2000;
const HANG_MS = 1_200_000;

export interface SoakResult {
  patients: number;
  status: string;
  seconds: number;
  workersKilled: number;
  brokerRestarts: number;
  started: number;
  completed: number;
  failed: number;
  cancelled: number;
  jobs: number;
  attempts: number;
  possiblyRepeated: number;
  duplicates: number;
  messagesReceived: number;
  instancesReceived: number;
}

/**
 * A run over three queues with two workers, one of which is killed every two seconds and started again, and a broker
 * that is killed once in the middle. Throws when anything is lost, or settled twice, or not counted.
 */
export async function soakKilledWorkers(patients: number, cwd: string): Promise<SoakResult> {
  await using postgres = await startPrivatePostgres();
  await using rabbitmq = await startPrivateRabbitmq({});
  await using mllp = await createMllpSink({});
  await using dicom = await createDicomSink({});
  const urls = ['--database-url', await postgres.createDatabase(), '--queue-url', rabbitmq.url];
  await writeFile(join(cwd, 'soak.yaml'), TEMPLATE);
  const startWorker = () => startYeeter(['worker', '--quiet', '--queues', QUEUES, ...urls], cwd, HANG_MS);
  const bench = startYeeter(
    [
      ...['bench', 'soak.yaml', '--patients', String(patients), '--out', 'soak', '--workers', '0', ...urls],
      ...['--mllp', `127.0.0.1:${mllp.port}`, '--dicom', `SINK@127.0.0.1:${dicom.port}`],
    ],
    cwd,
    HANG_MS,
  );
  await bench.said('run 1');
  const workers = [startWorker(), startWorker()];
  let over = false;
  let killed = 0;
  const killing = (async () => {
    for (; !over; await delay(KILL_INTERVAL_MS)) {
      const victim = workers.shift()!;
      victim.process.kill('SIGKILL');
      await victim.ended;
      killed++;
      workers.push(startWorker());
    }
  })();
  await delay(4 * KILL_INTERVAL_MS);
  await rabbitmq.stop('SIGKILL');
  await rabbitmq.start();
  const end = await bench.ended;
  over = true;
  await killing;
  for (const worker of workers) worker.process.kill('SIGTERM');
  await Promise.all(workers.map((worker) => worker.ended));
  if (end.code !== 0) throw new Error(`bench ended with ${end.code}:\n${end.stderr}`);
  const run = JSON.parse(await readFile(join(cwd, 'soak', 'run.json'), 'utf8'));
  const { totals } = run;
  const result: SoakResult = {
    patients,
    status: run.status,
    seconds: run.duration_seconds,
    workersKilled: killed,
    brokerRestarts: 1,
    started: run.started_iterations,
    completed: totals.completed,
    failed: totals.failed,
    cancelled: totals.cancelled,
    jobs: totals.jobs,
    attempts: totals.attempts,
    possiblyRepeated: totals.possibly_repeated,
    duplicates: totals.duplicates,
    messagesReceived: mllp.counts().received,
    instancesReceived: dicom.counts().instances,
  };
  assertNothingLost(result);
  return result;
}

function assertNothingLost(result: SoakResult): void {
  const { patients, started, completed, failed, cancelled, jobs } = result;
  const faults: string[] = [];
  if (started !== patients) faults.push(`${started} of ${patients} iterations were started`);
  if (completed + failed + cancelled !== patients) faults.push('the terminal rows do not add up');
  if (completed !== patients) faults.push(`${failed} patients failed, ${cancelled} were cancelled`);
  if (jobs !== 3 * patients) faults.push(`${jobs} jobs were settled, not ${3 * patients}`);
  if (result.messagesReceived < patients) faults.push('messages are missing at the receiver');
  if (result.instancesReceived < 2 * patients) faults.push('instances are missing at the receiver');
  if (faults.length > 0) throw new Error(`${faults.join('; ')}: ${JSON.stringify(result)}`);
}
