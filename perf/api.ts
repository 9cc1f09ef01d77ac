/**
 * Requests a second and latencies of the server's routes over a ledger that has been in use for long, beside a bare
 * Fastify route that answers as many bytes. The client is a process of its own on the same machine.
 *
 *   node perf/api.ts [--attempts 1000000] [--runs 10000] [--connections 8] [--seconds 5] [--wrk] [--json]
 *
 * One run has all the attempts and as many events; the others before it have five jobs each. Totals of runs are kept a
 * minute after their end: with few attempts the seeding is shorter than that, and they are added up anew each time.
 * With `--wrk` it is wrk that asks, for both, but for whole CSVs.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import fastify from 'fastify';
import { createApi, DEFAULT_SETTINGS } from '../src/api/app.ts';
import { systemClock } from '../src/lib/clock.ts';
import { createLocalLive } from '../src/live/local-live.ts';
import { openPgliteStore } from '../src/storage/pglite/open-pglite-store.ts';
import { stubQueues } from '../test/support/stub-queues.ts';
import { stubScaling } from '../test/support/stub-scaling.ts';
import type { HttpLoadResult } from './support/http-load.ts';
import { seedLedger } from './support/seed-ledger.ts';
import { startHttpClient } from './support/start-http-load.ts';
import { wrkClient } from './support/wrk.ts';

function routes(large: number, small: number): Record<string, string> {
  return {
    health: '/api/health/live',
    'who am I (API keys)': '/api/admin/apikeys',
    'list of 1,000 runs': '/api/simulator/runs',
    'list of 50 runs': '/api/simulator/runs?limit=50',
    'detail of a small run': `/api/simulator/runs/${small}`,
    'detail of the large run, 2,000 events': `/api/simulator/runs/${large}`,
    'detail of the large run, 100 events': `/api/simulator/runs/${large}?events_limit=100`,
    'stats of a small run': `/api/simulator/runs/${small}/stats`,
    'stats of the large run': `/api/simulator/runs/${large}/stats`,
    'metrics of a small run': `/api/simulator/runs/${small}/metrics`,
    'metrics of the large run, 500 jobs': `/api/simulator/runs/${large}/metrics`,
    'metrics of 100 runs': '/api/metrics/runs',
    'metrics of 200 attempts': '/api/metrics/workers',
    'CSV of 1,000 runs': '/api/metrics/runs?format=csv&limit=1000',
    'CSV of 2,000 attempts': '/api/metrics/workers?format=csv&limit=2000',
  };
}

/** CSV without a limit, once: rows a second and how the memory of the server grew. */
const WHOLE: Record<string, string> = {
  'CSV of all runs': '/api/metrics/runs?format=csv',
  'CSV of all attempts': '/api/metrics/workers?format=csv',
};

function line(name: string, result: HttpLoadResult, bare: HttpLoadResult): string {
  const { perSecond, p50Ms, p99Ms, megabytesPerSecond, refused } = result;
  const cells = [
    name.padEnd(40),
    `${perSecond.toFixed(1)}/s`.padStart(12),
    `p50 ${p50Ms.toFixed(1)} ms`.padStart(14),
    `p99 ${p99Ms.toFixed(1)} ms`.padStart(14),
    `${megabytesPerSecond.toFixed(1)} MB/s`.padStart(12),
    `${((perSecond / bare.perSecond) * 100).toFixed(1)} % of bare`.padStart(16),
  ];
  return `${cells.join(' ')}${refused > 0 ? `  ${refused} REFUSED` : ''}\n`;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      attempts: { type: 'string', default: '1000000' },
      runs: { type: 'string', default: '10000' },
      connections: { type: 'string', default: '8' },
      seconds: { type: 'string', default: '5' },
      wrk: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  await using resources = new AsyncDisposableStack();
  const dataDir = await mkdtemp(join(tmpdir(), 'yeeter-perf-api-'));
  resources.defer(() => rm(dataDir, { recursive: true, force: true }));
  const store = resources.use(await openPgliteStore({ dataDir }));
  const api = resources.use(
    await createApi({
      store,
      live: resources.use(createLocalLive()),
      queues: stubQueues(),
      scaling: stubScaling(systemClock),
      settings: { ...DEFAULT_SETTINGS, jwtSecret: 'a secret of measurements, long enough' },
      clock: systemClock,
      log: (text) => void process.stderr.write(`${text}\n`),
      brokerHealth: async () => {},
      isBuiltInSink: () => true,
    }),
  );
  const payload = { username: 'perf', email: 'perf@example.org', password: 'correct horse' };
  const registered = await api.app.inject({ method: 'POST', url: '/api/auth/register', payload });
  const token: string = registered.json().access_token;
  const { id: userId } = (await store.findUser('perf'))!;
  const { large, small } = await seedLedger(store, {
    attempts: Number(values.attempts),
    runs: Number(values.runs),
    run: { userId },
  });
  const url = await api.app.listen({ host: '127.0.0.1', port: 0 });
  const own = resources.use(await startHttpClient());
  const client = values.wrk ? wrkClient : own;
  const usual = { connections: Number(values.connections), seconds: Number(values.seconds) };

  const results: Record<string, { route: HttpLoadResult; bare: HttpLoadResult }> = {};
  for (const [name, path] of Object.entries(routes(large, small[0] ?? large))) {
    const headers = { authorization: `Bearer ${token}` };
    const { body } = await api.app.inject({ method: 'GET', url: path, headers });
    const bareApp = fastify();
    bareApp.get('/', async (_, reply) => reply.type('application/json').send(body));
    const bareUrl = await bareApp.listen({ host: '127.0.0.1', port: 0 });
    const bare = await client.load({ ...usual, url: bareUrl, token: null });
    await bareApp.close();
    const route = await client.load({ ...usual, url: `${url}${path}`, token });
    results[name] = { route, bare };
    if (!values.json) process.stdout.write(line(name, route, bare));
  }
  for (const [name, path] of Object.entries(WHOLE)) {
    const before = process.memoryUsage();
    let peak = before.rss;
    const sampler = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage().rss);
    }, 50);
    const route = await own.load({ url: `${url}${path}`, token, connections: 1, seconds: 0 });
    clearInterval(sampler);
    const grownMb = (peak - before.rss) / 1e6;
    if (!values.json)
      process.stdout.write(
        `${name.padEnd(40)}${`${(route.p50Ms / 1000).toFixed(2)} s`.padStart(12)} ${route.megabytesPerSecond.toFixed(1)} MB/s, memory grew by ${grownMb.toFixed(0)} MB\n`,
      );
    results[name] = { route, bare: route };
  }
  if (values.json) process.stdout.write(`${JSON.stringify(results)}\n`);
}

await main();
