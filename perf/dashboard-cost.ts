/**
 * What one connected dashboard costs a running benchmark in the embedded shape: orders and their jobs a second with
 * and without it, in turns. The dashboard is a process on the same machine, so that its own CPU is in the cost.
 *
 *   node perf/dashboard-cost.ts [--patients 30000] [--repetitions 7] [--json]
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
import { median, spread } from './support/spread.ts';
import { startWatchers } from './support/start-watchers.ts';

const TEMPLATE = templateFrom(`
name: orders with jobs
generators: {order: {file: ../generators/orm-o01.hl7}}
steps:
  - {step_type: GENERATE_HL7, parameters: {generator_template_id: order}}
  - {step_type: SEND_MLLP}
  - {step_type: GENERATE_DICOM, execution: async, parameters: {count: 1, generate_pixels: false}}
`);

interface Measured {
  ordersPerSecond: number;
  /** All threads of the server and its engine, microseconds an order. */
  cpuUsPerOrder: number;
  events: number;
  watcherCpuSeconds: number;
}

async function untilOver(store: ServerStore, runId: number): Promise<void> {
  while (!isOver((await store.runSummary(runId)).status)) await delay(50);
}

async function measure(
  load: LiveLoad,
  mllpPort: number,
  patients: number,
  watched: boolean,
): Promise<Measured> {
  const { store, live, url } = load;
  const mllp = { name: 'mllp', endpointType: 'MLLP', hostname: '127.0.0.1', port: mllpPort } as const;
  const endpoints = { mllp: { ...mllp, aeTitle: null, callingAeTitle: null } };
  const namespace = await store.claimNamespaces(1);
  const run = await store.createRun({
    userId: null,
    templateId: null,
    template: TEMPLATE,
    identity: { ...TEST_IDENTITY, namespace },
    patientCount: patients,
    concurrency: 16,
    onFailure: 'continue',
    tags: [],
    endpoints,
    limits: {},
  });
  const watchers = watched ? await startWatchers(url, [run.id], 1) : null;
  const before = process.cpuUsage();
  live.publish({ kind: 'run_created', runId: run.id });
  await untilOver(store, run.id);
  const { user, system } = process.cpuUsage(before);
  const heard = await watchers?.stop();
  const { startedAtMs, completedAtMs } = await store.getRun(run.id);
  const { completed } = await store.runTotals(run.id);
  if (completed !== patients) throw new Error(`only ${completed} of ${patients}`);
  await store.deleteRuns([run.id]);
  return {
    ordersPerSecond: (patients * 1000) / (completedAtMs! - startedAtMs!),
    cpuUsPerOrder: (user + system) / patients,
    events: heard?.events ?? 0,
    watcherCpuSeconds: heard?.cpuSeconds ?? 0,
  };
}

const { values } = parseArgs({
  options: {
    patients: { type: 'string', default: '30000' },
    repetitions: { type: 'string', default: '7' },
    json: { type: 'boolean', default: false },
  },
});
const patients = Number(values.patients);
await using load = await openLiveLoad();
const { id: deploymentId } = await load.store.deployment();
await using _host = await startEngineHost({
  ...{ store: load.opened, live: load.live, deploymentId, defaultQueue: DEFAULT_QUEUE, workers: 1 },
  ...{ concurrency: 16, prefetch: 64, graceMs: 5000, studyDir: null, metricLog: false },
  log: (line) => console.error(line),
});
await using sink = await startSinkProcess();
const { mllpPort } = sink.ports;
await measure(load, mllpPort, 3000, false);
const without: Measured[] = [];
const withOne: Measured[] = [];
const ratios: number[] = [];
for (let n = 0; n < Number(values.repetitions); n++) {
  // The order changes, so that what drifts does not favour one.
  for (const watched of n % 2 === 0 ? [false, true] : [true, false])
    (watched ? withOne : without).push(await measure(load, mllpPort, patients, watched));
  ratios.push(withOne.at(-1)!.ordersPerSecond / without.at(-1)!.ordersPerSecond);
}
const cpu = (measured: readonly Measured[]): number[] => measured.map(({ cpuUsPerOrder }) => cpuUsPerOrder);
const rates = (measured: readonly Measured[]): number[] =>
  measured.map(({ ordersPerSecond }) => ordersPerSecond);
const result = {
  'orders/s without': spread(rates(without), 0),
  'orders/s with one dashboard': spread(rates(withOne), 0),
  'with / without, pairs': spread(ratios, 3),
  'with / without, medians': (median(rates(withOne)) / median(rates(without))).toFixed(3),
  'CPU us an order without': spread(cpu(without), 0),
  'CPU us an order with one': spread(cpu(withOne), 0),
  'events to the dashboard': spread(
    withOne.map(({ events }) => events),
    0,
  ),
  'CPU of the dashboard itself, s': spread(
    withOne.map(({ watcherCpuSeconds }) => watcherCpuSeconds),
    2,
  ),
};
if (values.json) console.log(JSON.stringify(result, null, 2));
else console.table(result);
