/**
 * What one connected dashboard costs a running benchmark in the embedded shape: orders and their jobs a second of one
 * long run, in slices that it watches and slices that it does not, in turns. A watched slice is compared with the two
 * around it, so that what drifts favours neither. The dashboard is a process on the same machine: its own CPU is in the
 * cost, its start is not, nor are the totals that it is told then; they are added up again for a hundredth of the time.
 *
 *   node perf/dashboard-cost.ts [--pairs 15] [--seconds 6] [--json]
 */
import { parseArgs } from 'node:util';
import { isOver } from '../src/domain/run-state.ts';
import { DEFAULT_QUEUE } from '../src/domain/template.ts';
import { delay } from '../src/lib/lifecycle.ts';
import { startEngineHost } from '../src/roles/engine-host.ts';
import { startSinkProcess } from '../src/roles/sink-process.ts';
import type { ServerStore } from '../src/storage/server-port.ts';
import { TEST_IDENTITY } from '../test/support/job.ts';
import { templateFrom } from '../test/support/run.ts';
import { type LiveLoad, openLiveLoad } from './support/live-load.ts';
import { spread } from './support/spread.ts';
import { startWatchers } from './support/start-watchers.ts';

/** More than any machine does in the time; the run is cancelled at its end. */
const PATIENTS = 20_000_000;
const WARM_UP_MS = 10_000;
/** After a change, before anything counts: who joins is told the totals so far, which are added up for that. */
const SETTLE_MS = 4_000;

const TEMPLATE = templateFrom(`
name: orders with jobs
generators: {order: {file: ../generators/orm-o01.hl7}}
steps:
  - {step_type: GENERATE_HL7, parameters: {generator_template_id: order}}
  - {step_type: SEND_MLLP}
  - {step_type: GENERATE_DICOM, execution: async, parameters: {count: 1, generate_pixels: false}}
`);

interface Slice {
  /** Seconds since the epoch: from the first to before the second. */
  from: number;
  to: number;
  /** All threads of the server and its engine, microseconds. */
  cpuUs: number;
  events: number;
  watcherCpuSeconds: number;
}

async function wholeSecond(): Promise<number> {
  await delay(1000 - (Date.now() % 1000));
  return Math.round(Date.now() / 1000);
}

async function slice(url: string, runId: number, seconds: number, watched: boolean): Promise<Slice> {
  const watchers = watched ? await startWatchers(url, [runId], 1) : null;
  await delay(SETTLE_MS);
  const from = await wholeSecond();
  const before = process.cpuUsage();
  await delay(seconds * 1000 - 500);
  const to = await wholeSecond();
  const { user, system } = process.cpuUsage(before);
  const heard = await watchers?.stop();
  const { events = 0, cpuSeconds: watcherCpuSeconds = 0 } = heard ?? {};
  return { from, to, cpuUs: user + system, events, watcherCpuSeconds };
}

async function startRun({ store, live }: LiveLoad, mllpPort: number): Promise<number> {
  const mllp = { name: 'mllp', endpointType: 'MLLP', hostname: '127.0.0.1', port: mllpPort } as const;
  const namespace = await store.claimNamespaces(1);
  const run = await store.createRun({
    userId: null,
    templateId: null,
    template: TEMPLATE,
    identity: { ...TEST_IDENTITY, namespace },
    patientCount: PATIENTS,
    concurrency: 16,
    closedModel: false,
    onFailure: 'continue',
    tags: [],
    endpoints: { mllp: { ...mllp, aeTitle: null, callingAeTitle: null } },
    limits: {},
  });
  live.publish({ kind: 'run_created', runId: run.id });
  return run.id;
}

/** Patients that ended in each second. */
async function ordersBySecond(store: ServerStore, runId: number): Promise<Map<number, number>> {
  const orders = new Map<number, number>();
  for (let afterSecond = -1; ; ) {
    const windows = await store.readWindows(runId, { afterSecond, limit: 1_000 });
    for (const { series, second, okCount } of windows)
      if (series === 'iteration') orders.set(second, (orders.get(second) ?? 0) + okCount);
    if (windows.length === 0) return orders;
    afterSecond = windows.at(-1)!.second;
  }
}

/** Mean and the half width of its 95 % interval (normal approximation). */
function interval(values: readonly number[]): string {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  return `${mean.toFixed(3)} +- ${(1.96 * Math.sqrt(variance / values.length)).toFixed(3)}`;
}

const { values } = parseArgs({
  options: {
    pairs: { type: 'string', default: '15' },
    seconds: { type: 'string', default: '6' },
    json: { type: 'boolean', default: false },
  },
});
await using load = await openLiveLoad();
const { id: deploymentId } = await load.store.deployment();
await using _host = await startEngineHost({
  ...{ store: load.opened, live: load.live, deploymentId, defaultQueue: DEFAULT_QUEUE, workers: 1 },
  ...{ concurrency: 16, prefetch: 64, graceMs: 5000, studyDir: null, metricLog: false },
  log: (line) => console.error(line),
});
await using sink = await startSinkProcess();
const runId = await startRun(load, sink.ports.mllpPort);
await delay(WARM_UP_MS);
const slices: Slice[] = [];
/** Unwatched ones have even places. */
for (let n = 0; n <= 2 * Number(values.pairs); n++)
  slices.push(await slice(load.url, runId, Number(values.seconds), n % 2 === 1));
await load.store.requestCancel(runId);
while (!isOver((await load.store.runSummary(runId)).status)) await delay(50);

const orders = await ordersBySecond(load.store, runId);
const measured = slices.map(({ from, to, cpuUs, events, watcherCpuSeconds }) => {
  let ended = 0;
  for (let second = from; second < to; second++) ended += orders.get(second) ?? 0;
  return { rate: ended / (to - from), cpuUsPerOrder: cpuUs / ended, events, watcherCpuSeconds };
});
const watched = measured.filter((_, n) => n % 2 === 1);
const unwatched = measured.filter((_, n) => n % 2 === 0);
const ratios = (of: 'rate' | 'cpuUsPerOrder'): number[] =>
  watched.map((one, n) => (2 * one[of]) / (unwatched[n]![of] + unwatched[n + 1]![of]));
const all = (from: typeof measured, of: keyof (typeof measured)[number]): number[] =>
  from.map((one) => one[of]);
const result = {
  'orders/s without': spread(all(unwatched, 'rate'), 0),
  'orders/s with one dashboard': spread(all(watched, 'rate'), 0),
  'orders/s, with / without': spread(ratios('rate'), 3),
  'orders/s, with / without, mean': interval(ratios('rate')),
  'CPU us an order without': spread(all(unwatched, 'cpuUsPerOrder'), 0),
  'CPU us an order with one': spread(all(watched, 'cpuUsPerOrder'), 0),
  'CPU, with / without, mean': interval(ratios('cpuUsPerOrder')),
  'events to the dashboard, a slice': spread(all(watched, 'events'), 0),
  'CPU of the dashboard itself, s a slice': spread(all(watched, 'watcherCpuSeconds'), 2),
};
if (values.json) console.log(JSON.stringify(result, null, 2));
else console.table(result);
