import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import fastify from 'fastify';
import { noDicomAccounts } from '../../domain/job.ts';
import type { RunStatus } from '../../domain/run-state.ts';
import { createHistogram } from '../../metrics/histogram.ts';
import type { RunTotals, SeriesTotals } from '../../metrics/totals.ts';
import type { RunSummary } from '../../storage/server-port.ts';
import type { SystemState } from '../live/system-state.ts';
import { PROMETHEUS_METRICS } from './declarations.ts';
import { isLocal, metricsRoute } from './metrics-route.ts';
import { createPrometheus, type PrometheusOptions } from './prometheus.ts';

interface BookRun {
  status: RunStatus;
  jobs: number;
  acks: number;
}

/** Half of the operations took 2 ms, half 200. */
function encoded(count: number): string {
  const histogram = createHistogram();
  for (let n = 0; n < count; n++) histogram.record(n % 2 === 0 ? 2_000 : 200_000);
  return histogram.encode();
}

const series = (name: string, okCount: number): SeriesTotals => ({
  series: name,
  okCount,
  okSumUs: okCount * 2000,
  okMinUs: 1,
  okMaxUs: 1,
  okLastUs: 1,
  failedCount: 0,
  failedSumUs: 0,
  failedMinUs: null,
  failedMaxUs: null,
  bytes: 0,
  okHistogram: encoded(okCount),
  failedHistogram: null,
  firstSecond: 0,
  lastSecond: 0,
});

/** Runs by id, as a store would tell of them. */
function books(runs: Map<number, BookRun>): PrometheusOptions['store'] {
  const summary = (id: number): RunSummary => ({ id, status: runs.get(id)!.status }) as RunSummary;
  const totals = (id: number): RunTotals => {
    const { jobs, acks } = runs.get(id)!;
    return {
      runId: id,
      completed: jobs,
      failed: 0,
      cancelled: 0,
      jobs,
      jobsSucceeded: jobs,
      jobsDead: 0,
      attempts: jobs,
      attemptsSucceeded: jobs,
      attemptDurationSumUs: jobs * 1e6,
      dicom: { ...noDicomAccounts(), attemptedInstances: 3, successInstances: 2, successBytes: 100 },
      series: [series('order_ack', acks), series('step_1_send_mllp', acks)],
    } as unknown as RunTotals;
  };
  return {
    listRunSummaries: async ({ limit }) =>
      [...runs.keys()]
        .sort((a, b) => b - a)
        .slice(0, limit)
        .map(summary),
    runSummary: async (id) => summary(id),
    totalsOfRuns: async (ids) => ids.map(totals),
  };
}

const STATE: SystemState = {
  atMs: 0,
  workers: [],
  activeRuns: [],
  attempts: { count: 0, perSecond: 0, averageMs: null },
  queues: [
    {
      queue: 'orders "a"',
      ready: 4,
      unacknowledged: 1,
      delayed: 0,
      dead: 2,
      consumers: 3,
      mode: 'paused',
      publishedPerSecond: null,
      acknowledgedPerSecond: null,
    },
  ],
};

function scraped(runs: Map<number, BookRun>, change: Partial<PrometheusOptions> = {}) {
  let nowMs = 0;
  const prometheus = createPrometheus({
    store: books(runs),
    systemState: async () => STATE,
    sockets: () => 5,
    now: () => nowMs,
    log: () => {},
    ...change,
  });
  const scrape = async (): Promise<Map<string, number>> => {
    nowMs += 60_000;
    const lines = (await prometheus.text())
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    return new Map(
      lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
    );
  };
  return { prometheus, scrape };
}

describe('prometheus', () => {
  it('counts what runs add, whichever run it is, and never less than before', async () => {
    const runs = new Map<number, BookRun>([
      [1, { status: 'COMPLETED', jobs: 1000, acks: 1000 }],
      [2, { status: 'RUNNING', jobs: 10, acks: 20 }],
    ]);
    const { prometheus, scrape } = scraped(runs);
    const jobs = async (): Promise<number> => (await scrape()).get('yeeter_jobs_queued_total') ?? 0;
    assert.equal(await jobs(), 0);
    runs.set(2, { status: 'RUNNING', jobs: 15, acks: 26 });
    assert.equal(await jobs(), 5);
    runs.set(2, { status: 'COMPLETED', jobs: 17, acks: 28 });
    // Came and went between two scrapes.
    runs.set(3, { status: 'ERROR', jobs: 100, acks: 3 });
    assert.equal(await jobs(), 107);
    assert.equal(await jobs(), 107);
    runs.delete(2);
    const lines = await scrape();
    assert.equal(lines.get('yeeter_operations_total{series="order_ack",result="success"}'), 11);
    assert.equal(lines.get('yeeter_operation_seconds_total{series="order_ack",result="success"}'), 0.022);
    const bucket = (le: string) =>
      lines.get(`yeeter_operation_duration_seconds_bucket{series="order_ack",le="${le}"}`);
    assert.deepEqual(
      [bucket('0.001'), bucket('0.0025'), bucket('0.1'), bucket('60'), bucket('+Inf')],
      [undefined, 6, 6, 11, 11],
    );
    assert.equal(lines.get('yeeter_runs_finished_total{status="COMPLETED"}'), 1);
    assert.equal(lines.get('yeeter_runs_finished_total{status="ERROR"}'), 1);
    assert.ok(![...lines.keys()].some((line) => line.includes('step_1')));
    await prometheus.close();
  });

  it('shows queues, sockets and the process', async () => {
    const { prometheus, scrape } = scraped(new Map());
    const lines = await scrape();
    assert.equal(lines.get('yeeter_queue_jobs{queue="orders \\"a\\"",state="dead"}'), 2);
    assert.equal(lines.get('yeeter_queue_open{queue="orders \\"a\\""}'), 0);
    assert.equal(lines.get('yeeter_live_sockets'), 5);
    assert.ok(lines.get('yeeter_process_memory_bytes{kind="resident"}')! > 1e6);
    await prometheus.close();
  });

  it('still shows the process when the ledger cannot be read, and says so', async () => {
    const log: string[] = [];
    const gone = (): Promise<never> => Promise.reject(new Error('the database is away'));
    const { prometheus, scrape } = scraped(new Map(), {
      store: { listRunSummaries: gone, runSummary: gone, totalsOfRuns: gone },
      systemState: gone,
      log: (line) => log.push(line),
    });
    const lines = await scrape();
    assert.equal(lines.get('yeeter_live_sockets'), 5);
    assert.ok(![...lines.keys()].some((line) => line.startsWith('yeeter_queue_jobs')));
    assert.equal(log.length, 2);
    await prometheus.close();
  });

  it('reads the ledger once a second, however many scrape', async () => {
    let reads = 0;
    const store = books(new Map());
    const { prometheus } = scraped(new Map(), {
      store: {
        ...store,
        listRunSummaries: (filter) => {
          reads++;
          return store.listRunSummaries(filter);
        },
      },
    });
    await Promise.all(Array.from({ length: 20 }, () => prometheus.text()));
    assert.equal(reads, 1);
    await prometheus.close();
  });

  it('is documented: every name with its type and help, and no other', () => {
    const text = readFileSync(new URL('../../../docs/metrics.md', import.meta.url), 'utf8');
    const rows = [...text.matchAll(/^\| `(yeeter_\w+)` \| (\w+) \| (.*?) \| (.+) \|$/gm)];
    assert.deepEqual(
      rows.map(([, name, type, labels, help]) => [name, type, labels, help]),
      Object.entries(PROMETHEUS_METRICS).map(([name, { type, labels, help }]) => [
        name,
        type,
        labels.map((label) => `\`${label}\``).join(', '),
        help,
      ]),
    );
  });
});

describe('GET /metrics', () => {
  const served = async (access: 'auto' | 'open' | 'closed', admin: boolean) => {
    const { prometheus } = scraped(new Map());
    const app = fastify();
    await app.register(metricsRoute, { prometheus, access, isAdmin: async () => admin });
    app.addHook('onClose', () => prometheus.close());
    return app;
  };
  const status = async (
    access: 'auto' | 'open' | 'closed',
    admin: boolean,
    request: { remoteAddress: string; headers?: Record<string, string> },
  ): Promise<number> => {
    const app = await served(access, admin);
    const { statusCode } = await app.inject({ url: '/metrics', ...request });
    await app.close();
    return statusCode;
  };

  it('is open to this machine, to administrators, and to all where it is told so', async () => {
    const near = { remoteAddress: '127.0.0.1' };
    const far = { remoteAddress: '192.0.2.7' };
    const proxied = { ...near, headers: { 'x-forwarded-for': '192.0.2.7' } };
    assert.equal(await status('auto', false, near), 200);
    assert.equal(await status('auto', false, far), 401);
    assert.equal(await status('auto', false, proxied), 401);
    assert.equal(await status('auto', true, far), 200);
    assert.equal(await status('open', false, far), 200);
    assert.equal(await status('closed', true, near), 404);
  });

  it('knows this machine by every spelling of its address', () => {
    for (const remoteAddress of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1'])
      assert.equal(isLocal({ headers: {}, socket: { remoteAddress } }), true);
    for (const remoteAddress of ['10.0.0.1', '::2', '1.127.0.0', ''])
      assert.equal(isLocal({ headers: {}, socket: { remoteAddress } }), false);
  });

  it('answers in the format of Prometheus', async () => {
    const app = await served('open', false);
    const { headers, body } = await app.inject({ url: '/metrics' });
    await app.close();
    assert.match(String(headers['content-type']), /^text\/plain; version=0\.0\.4/);
    assert.match(body, /^# HELP yeeter_live_sockets Socket\.IO connections of this process\.$/m);
  });
});
