import assert from 'node:assert/strict';
import { type CountingReceiver, startCountingReceiver } from './counting-receiver.ts';
import { allDeadLetters, assertAccounts, type DurableBench } from './durable.ts';
import type { KillMoment, KillPoint } from './kill-points.ts';

export const KILL_QUEUES = ['kill.orders', 'kill.images'];

/** Every kind of settlement: a hop, a wait, a retry, a dead letter and an end. */
export const EVERY_SETTLEMENT = `
name: killed
generators: {order: {file: ../generators/orm-o01.hl7}}
steps:
  - {step_type: GENERATE_HL7, parameters: {generator_template_id: order}}
  - step_type: SEND_MLLP
    execution: async
    queue: kill.orders
    retry: {max_attempts: 2, delay_ms: 50, backoff: fixed}
  - {step_type: WAIT, parameters: {duration_seconds: 0.1}}
  - {step_type: GENERATE_DICOM, execution: async, queue: kill.images, parameters: {count: 1, generate_pixels: false}}
`;

interface Choice {
  moments?: readonly KillMoment[];
  call?: number;
  argument?: string;
}

const at = (on: KillPoint['on'], method: string, choice: Choice = {}): KillPoint[] => {
  const { moments = ['before', 'during', 'after'], call = 1, argument = null } = choice;
  return moments.map((moment) => ({ on, method, argument, call, moment }));
};

/**
 * What a worker does that another process, or its own next life, will see. Few at a time: a job whose workers die ten
 * times is given up.
 */
export const WORKER_POINTS = {
  'a publish and a flush': [...at('queue', 'publish'), ...at('store', 'writeLedger', { call: 2 })],
  'an acknowledgement and a retry': [
    ...at('delivery', 'ack', { moments: ['before', 'after', 'late'], call: 2 }),
    ...at('delivery', 'retry'),
  ],
  'a wait and a dead letter': [...at('delivery', 'postpone'), ...at('delivery', 'deadLetter')],
} satisfies Record<string, KillPoint[]>;

/** What a runner does that the next one, or a worker, will see. */
export const RUNNER_POINTS = {
  'a claim, the start of a run, a publish and a flush': [
    ...at('store', 'claimRun'),
    ...at('store', 'transitionRun', { argument: 'start' }),
    ...at('queue', 'publish', { call: 3 }),
    ...at('store', 'writeLedger', { call: 2 }),
  ],
  'a renewal, the end of what is started, the end of a run and the release of its lease': [
    ...at('store', 'renewLease'),
    ...at('store', 'transitionRun', { argument: 'runner_ended' }),
    ...at('store', 'transitionRun', { argument: 'over_ok' }),
    ...at('store', 'releaseLease'),
  ],
} satisfies Record<string, KillPoint[]>;

const nameOf = ({ on, method, argument, moment }: KillPoint): string =>
  `${moment} ${on}.${method}${argument === null ? '' : ` (${argument})`}`;

export interface KillOptions {
  kind: 'worker' | 'runner';
  points: readonly KillPoint[];
  /** Each point is forced so often. */
  times: number;
  /** Of each run. */
  patients: number;
}

/** Processes with a point that live at a time, and runs that they find. */
const AT_A_TIME = 4;

interface Carried {
  id: number;
  receiver: CountingReceiver;
}

/**
 * Starts processes that die at their points while there are always runs to carry, a few at a time; then lets sound
 * processes end all runs, and asserts what is promised of each.
 * @returns the number of points that were forced, and of runs that were carried
 */
export async function killAtPoints(
  bench: DurableBench,
  options: KillOptions,
): Promise<{ kills: number; runs: number }> {
  const { kind, patients, times } = options;
  const runs: Carried[] = [];
  await using receivers = new AsyncDisposableStack();
  let enough = false;
  const feed = async (): Promise<void> => {
    while (!enough) {
      const receiver = receivers.use(await startCountingReceiver({ refuseEvery: 4, refuseFirstOfEvery: 3 }));
      const { id } = await bench.createRun({ template: EVERY_SETTLEMENT, patients, mllpPort: receiver.port });
      runs.push({ id, receiver });
      await bench.untilOver(id);
    }
  };
  const waiting = Array.from({ length: times }, () => options.points).flat();
  const kill = async (): Promise<void> => {
    for (let point = waiting.shift(); point; point = waiting.shift()) {
      const process = await bench.start(kind, { point });
      const end = await process.ended;
      assert.equal(end.signal, 'SIGKILL', `${nameOf(point)}: ${end.stderr}`);
    }
  };
  const other = await bench.start(kind === 'worker' ? 'runner' : 'worker');
  // Or a job might fall to ten workers in a row that die, and would be given up.
  const beside = kind === 'worker' ? [await bench.start('worker')] : [];
  const feeding = Promise.all(Array.from({ length: AT_A_TIME }, feed));
  await Promise.all(Array.from({ length: AT_A_TIME }, kill));
  enough = true;
  const sound = await bench.start(kind);
  await feeding;
  for (const { id } of runs) await bench.untilSettled(id);
  await bench.stop(sound, other, ...beside);
  const letters = await allDeadLetters(bench, KILL_QUEUES);
  for (const { id, receiver } of runs) {
    const run = await bench.store.getRun(id);
    assert.equal(run.status, 'COMPLETED');
    assert.equal(run.startedIterations, patients);
    const totals = await assertAccounts(bench, run, receiver, letters);
    assert.equal(totals.failed, receiver.refused, 'exactly the patients failed whose messages are refused');
    assert.equal(totals.jobsDead, receiver.refused);
  }
  return { kills: times * options.points.length, runs: runs.length };
}
