/**
 * Orders end to end through `yeeter serve` (embedded shape, built-in sinks), beside the same template by `yeeter
 * bench`, in turns: what the server around the engine costs a run that nobody watches.
 *
 *   node perf/serve-orders.ts [--template orders-only] [--patients 40000] [--concurrency 16] [--repetitions 5] [--json]
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { delay } from '../src/lib/lifecycle.ts';
import { startProgram, untilServing, YEETER } from '../test/support/cli.ts';
import { openBenchFolder } from './support/run-bench.ts';
import { spread } from './support/spread.ts';

const HANG_MS = 1_800_000;
const POLL_MS = 500;

type Fields = Record<string, unknown>;

const { values } = parseArgs({
  options: {
    template: { type: 'string', default: 'orders-only' },
    patients: { type: 'string', default: '40000' },
    concurrency: { type: 'string', default: '16' },
    repetitions: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
  },
});
const patients = Number(values.patients);
const concurrency = Number(values.concurrency);

await using folder = await openBenchFolder();
const [node, main] = YEETER;
const args = [main, 'serve', '--port', '0', '--data', join(folder.path, 'serve')];
const server = startProgram(node, args, folder.path, HANG_MS);
const url = await untilServing(server);
let token = '';

async function ask<T = Fields>(method: string, path: string, body?: unknown): Promise<T> {
  const response = await fetch(`${url}/api${path}`, {
    method,
    headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}

/** @returns patients a second over the wall clock of the run */
async function served(count: number): Promise<number> {
  const templates = await ask<{ id: number; name: string }[]>('GET', '/simulator/templates');
  const { id } = templates.find(({ name }) => name === values.template)!;
  const wish = { template_id: id, patient_count: count, load: { concurrency } };
  const { run_id: runId } = await ask('POST', '/simulator/run', wish);
  for (;;) {
    const run = await ask('GET', `/simulator/runs/${runId}?events_limit=1`);
    if (run.completed_at !== null) {
      if (run.status !== 'COMPLETED') throw new Error(`a run ended ${run.status}`);
      const tookMs = Date.parse(String(run.completed_at)) - Date.parse(String(run.started_at));
      return (count * 1000) / tookMs;
    }
    await delay(POLL_MS);
  }
}

async function benched(count: number): Promise<number> {
  const run = await folder.run([
    ...[values.template, '--patients', String(count), '--concurrency', String(concurrency)],
  ]);
  if (run.totals.completed !== count) throw new Error(`a run ended ${run.status}`);
  return count / run.duration_seconds;
}

const account = { username: 'perf', email: 'perf@example.org', password: 'correct horse' };
token = String((await ask('POST', '/auth/register', account)).access_token);
await served(2000);
await benched(2000);
const rates = { serve: [] as number[], bench: [] as number[], ratio: [] as number[] };
for (let repetition = 0; repetition < Number(values.repetitions); repetition++) {
  const serve = await served(patients);
  const bench = await benched(patients);
  rates.serve.push(serve);
  rates.bench.push(bench);
  rates.ratio.push(serve / bench);
}
server.process.kill('SIGTERM');
await server.ended;
const row = {
  'serve, orders/s': spread(rates.serve, 0),
  'bench, orders/s': spread(rates.bench, 0),
  'serve / bench': spread(rates.ratio, 2),
};
if (values.json) console.log(JSON.stringify(row, null, 2));
else console.table([row]);
