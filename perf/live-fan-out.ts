/**
 * Live events to many sockets while rows are written: events delivered a second, the time from an event's row to its
 * arrival at a socket, and CPU. Sockets are in a process of their own; the server's CPU holds the writing too, which
 * the line without sockets shows.
 *
 *   node perf/live-fan-out.ts [--sockets 200] [--seconds 10] [--json]
 */
import { parseArgs } from 'node:util';
import { delay } from '../src/lib/lifecycle.ts';
import { attemptRow, batchOf, eventRow, newRun } from '../test/conformance/ledger-rows.ts';
import { type LiveLoad, openLiveLoad } from './support/live-load.ts';
import { startWatchers } from './support/start-watchers.ts';

/** Rows a second of one run. */
interface Load {
  name: string;
  runs: number;
  events: number;
  attempts: number;
}

const LOADS: readonly Load[] = [
  { name: 'one run, 10 events/s', runs: 1, events: 10, attempts: 0 },
  { name: 'one run, 10 events/s, 2,000 jobs/s', runs: 1, events: 10, attempts: 2000 },
  { name: '20 runs, 5 events/s and 100 jobs/s each', runs: 20, events: 5, attempts: 100 },
];
const BATCHES_PER_SECOND = 10;

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

async function write(
  { store }: LiveLoad,
  runIds: readonly number[],
  load: Load,
  seconds: number,
): Promise<void> {
  const startedMs = performance.now();
  for (let n = 0; n < seconds * BATCHES_PER_SECOND; n++) {
    const share = (perSecond: number): number =>
      Math.floor(((n + 1) * perSecond) / BATCHES_PER_SECOND) -
      Math.floor((n * perSecond) / BATCHES_PER_SECOND);
    for (const runId of runIds) {
      const events = Array.from({ length: share(load.events) }, () =>
        eventRow(runId, { timestampMs: Date.now() }),
      );
      const attempts = Array.from({ length: share(load.attempts) }, () => attemptRow(runId));
      await store.writeLedger(batchOf({ events, attempts }));
    }
    await delay(Math.max(0, startedMs + ((n + 1) * 1000) / BATCHES_PER_SECOND - performance.now()));
  }
}

async function measure(live: LiveLoad, load: Load, sockets: number, seconds: number) {
  const runIds: number[] = [];
  for (let n = 0; n < load.runs; n++) {
    const { id } = await live.store.createRun(newRun());
    await live.store.transitionRun(id, 'start');
    runIds.push(id);
  }
  const watchers = sockets > 0 ? await startWatchers(live.url, runIds, sockets) : null;
  const before = process.cpuUsage();
  const startedMs = performance.now();
  await write(live, runIds, load, seconds);
  const { user, system } = process.cpuUsage(before);
  const tookSeconds = (performance.now() - startedMs) / 1000;
  // What is under way arrives.
  await delay(1500);
  const heard = await watchers?.stop();
  for (const id of runIds) await live.store.transitionRun(id, 'over_ok', { startedIterations: 0 });
  const latencies = (heard?.latenciesMs ?? []).sort((a, b) => a - b);
  return {
    load: load.name,
    sockets,
    'events/s, all sockets': Math.round((heard?.events ?? 0) / (tookSeconds + 1.5)),
    'log lines of each': sockets === 0 ? null : latencies.length / sockets,
    'row to socket p50, ms': sockets === 0 ? null : percentile(latencies, 0.5),
    'p99, ms': sockets === 0 ? null : percentile(latencies, 0.99),
    'server CPU, cores': Number(((user + system) / 1e6 / tookSeconds).toFixed(2)),
    'sockets CPU, cores': Number(((heard?.cpuSeconds ?? 0) / (tookSeconds + 1.5)).toFixed(2)),
  };
}

const { values } = parseArgs({
  options: {
    sockets: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '10' },
    json: { type: 'boolean', default: false },
  },
});
await using live = await openLiveLoad();
const rows: Awaited<ReturnType<typeof measure>>[] = [];
for (const load of LOADS)
  for (const sockets of [0, Number(values.sockets)])
    rows.push(await measure(live, load, sockets, Number(values.seconds)));
if (values.json) console.log(JSON.stringify(rows, null, 2));
else console.table(rows);
