import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { Connection } from 'rabbitmq-client';
import { asyncQueues } from '../../src/domain/async-queues.ts';
import type { Endpoint, EndpointLimits } from '../../src/domain/endpoint.ts';
import type { Job } from '../../src/domain/job.ts';
import { isOver } from '../../src/domain/run-state.ts';
import type { OnFailure } from '../../src/domain/template.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { type Closeable, delay } from '../../src/lib/lifecycle.ts';
import type { RunTotals } from '../../src/metrics/totals.ts';
import { createRabbitQueue, type RabbitQueue } from '../../src/queue/rabbitmq/rabbit-queue.ts';

import { allIterations } from '../../src/storage/all-rows.ts';
import type { CoordinationPort } from '../../src/storage/coordination-port.ts';
import type { RunRecord } from '../../src/storage/port.ts';
import { migratePostgres } from '../../src/storage/postgres/migrate-postgres.ts';
import { openPostgresStore } from '../../src/storage/postgres/open-postgres-store.ts';
import { type CliRun, startProgram, startYeeter, untilServing } from './cli.ts';
import type { CountingReceiver } from './counting-receiver.ts';
import { TEST_IDENTITY } from './job.ts';
import type { KillableOptions } from './killable-process.ts';
import { templateFrom } from './run.ts';

const KILLABLE = fileURLToPath(new URL('./killable-process.ts', import.meta.url));

export interface DurableRunOptions {
  template: string;
  patients: number;
  mllpPort?: number;
  onFailure?: OnFailure;
  concurrency?: number;
  /** @default false, so that jobs pile up */
  closedModel?: boolean;
  /** Of the MLLP endpoint. @default none */
  limits?: EndpointLimits;
}

export type StartOptions = Partial<Omit<KillableOptions, 'kind' | 'databaseUrl' | 'queueUrl'>>;

export interface DurableBenchOptions {
  databaseUrl: string;
  queueUrl: string;
  /** What the bench itself asks on, past whatever stands before the processes. @default the same */
  ownQueueUrl?: string;
  queues: readonly string[];
  leaseMs?: number;
  maxLength?: number;
}

export type DeadLetters = ReadonlyMap<number, readonly string[]>;

/** Who may ask the servers of a bench for everything. */
export const BENCH_ADMIN = { username: 'operator', password: 'correct horse' };

/** One ledger and one broker, and processes on them. Whoever starts a process ends it, or leaves that to `close`. */
export interface DurableBench extends Closeable {
  store: CoordinationPort;
  queue: RabbitQueue;
  createRun(options: DurableRunOptions): Promise<RunRecord>;
  /** Starts a worker or a runner; resolves when it is ready, or has died of its kill point. */
  start(kind: KillableOptions['kind'], options?: StartOptions): Promise<CliRun>;
  /** Starts a `yeeter api`; resolves when it is ready. */
  startServer(): Promise<{ url: string; run: CliRun }>;
  /** Asks processes to stop, and expects that they end with 0. */
  stop(...processes: readonly CliRun[]): Promise<void>;
  untilOver(runId: number): Promise<RunRecord>;
  /**
   * Until every job of the run is settled. A job that was handed out again may be settled after its run is over, since
   * what it had handed on already has ended its patient.
   */
  untilSettled(runId: number): Promise<void>;
  /** Ids of the dead letters in a queue by their run, each as often as it is there. */
  deadLetters(queue: string): Promise<DeadLetters>;
  /** Rows of the ledger. */
  rows(text: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]>;
}

const POLL_MS = 50;
/** A process that has not ended by then hangs. */
const HANG_MS = 600_000;

export async function openDurableBench(options: DurableBenchOptions): Promise<DurableBench> {
  const {
    databaseUrl,
    queueUrl,
    ownQueueUrl = queueUrl,
    queues,
    leaseMs = 1500,
    maxLength = 1_000_000,
  } = options;
  await migratePostgres(databaseUrl);
  const store = await openPostgresStore({ databaseUrl });
  const { id: deploymentId } = await store.deployment();
  const queue = await createRabbitQueue({ url: ownQueueUrl, deploymentId, clock: systemClock, maxLength });
  await queue.declare(queues);
  const ledger = new pg.Pool({ connectionString: databaseUrl, max: 1 });
  ledger.on('error', () => {});
  const running = new Set<CliRun>();
  let nextNamespace = 1;

  /** A ledger that is being restarted is asked again. */
  const rows: DurableBench['rows'] = async (text, values = []) => {
    for (let tries = 1; ; tries++) {
      try {
        return (await ledger.query(text, [...values])).rows;
      } catch (error) {
        if (tries === 100) throw error;
        await delay(POLL_MS);
      }
    }
  };

  const start = async (kind: KillableOptions['kind'], more: StartOptions = {}): Promise<CliRun> => {
    const settings: KillableOptions = {
      kind,
      databaseUrl,
      queueUrl,
      queues,
      leaseMs,
      maxLength,
      prefetch: 8,
      concurrency: 4,
      point: null,
      ...more,
    };
    const started = startProgram(
      process.execPath,
      [KILLABLE, JSON.stringify(settings)],
      process.cwd(),
      HANG_MS,
    );
    running.add(started);
    void started.ended.then(() => running.delete(started));
    // The point may come before it says so.
    await started.said('ready').catch((error) => {
      if (started.process.signalCode !== 'SIGKILL') throw error;
    });
    return started;
  };

  const startServer: DurableBench['startServer'] = async () => {
    const run = startYeeter(['api', '--port', '0'], process.cwd(), HANG_MS, {
      DATABASE_URL: databaseUrl,
      RABBITMQ_URL: queueUrl,
      RABBITMQ_QUEUE_MAX_LENGTH: String(maxLength),
      JWT_SECRET_KEY: 'a secret that all servers of this bench share',
      YEETER_ADMIN_USER: BENCH_ADMIN.username,
      YEETER_ADMIN_PASSWORD: BENCH_ADMIN.password,
    });
    running.add(run);
    void run.ended.then(() => running.delete(run));
    return { url: await untilServing(run), run };
  };

  const stop = async (...processes: readonly CliRun[]): Promise<void> => {
    for (const { process: child } of processes) child.kill('SIGTERM');
    for (const { ended } of processes) {
      const { code, stderr } = await ended;
      assert.equal(code, 0, stderr);
    }
  };

  const untilOver = async (runId: number): Promise<RunRecord> => {
    for (;;) {
      const run = await store.getRun(runId);
      if (isOver(run.status)) return run;
      await delay(POLL_MS);
    }
  };

  const untilSettled = async (runId: number): Promise<void> => {
    for (;;) {
      const [open] = await rows('select count(*)::int as n from jobs where run_id = $1 and outcome is null', [
        runId,
      ]);
      if (open!.n === 0) return;
      await delay(POLL_MS);
    }
  };

  const deadLetters = async (name: string): Promise<DeadLetters> => {
    const connection = new Connection(ownQueueUrl);
    try {
      const channel = await connection.acquire();
      const ids = new Map<number, string[]>();
      for (;;) {
        const message = await channel.basicGet({ queue: `${name}.dlq` });
        if (!message) break;
        const { runId } = JSON.parse(String(message.body)) as Job;
        ids.set(runId, [...(ids.get(runId) ?? []), message.messageId ?? '']);
      }
      channel.basicNack({ deliveryTag: 0, multiple: true, requeue: true });
      await channel.close();
      return ids;
    } finally {
      await connection.close();
    }
  };

  const close = async (): Promise<void> => {
    for (const { process: child, ended } of [...running]) {
      child.kill('SIGKILL');
      await ended;
    }
    await ledger.end();
    await queue.close();
    await store.close();
  };

  return {
    store,
    queue,
    createRun: (options) => {
      const {
        template: text,
        patients,
        mllpPort = 1,
        onFailure = 'continue',
        concurrency = 8,
        closedModel = false,
        limits,
      } = options;
      const mllp: Endpoint = {
        name: 'mllp',
        endpointType: 'MLLP',
        hostname: '127.0.0.1',
        port: mllpPort,
        aeTitle: null,
        callingAeTitle: null,
      };
      return store.createRun({
        userId: null,
        template: templateFrom(text),
        templateId: null,
        // Control ids tell the runs apart.
        identity: { ...TEST_IDENTITY, namespace: nextNamespace++ },
        patientCount: patients,
        concurrency,
        closedModel,
        onFailure,
        tags: [],
        endpoints: { mllp },
        limits: limits ? { mllp: limits } : {},
      });
    },
    start,
    startServer,
    stop,
    untilOver,
    untilSettled,
    deadLetters,
    rows,
    close,
    [Symbol.asyncDispose]: close,
  };
}

export async function allDeadLetters(
  bench: DurableBench,
  queues: readonly string[],
): Promise<ReadonlyMap<string, DeadLetters>> {
  const all = new Map<string, DeadLetters>();
  for (const name of queues) all.set(name, await bench.deadLetters(name));
  return all;
}

/**
 * What is promised of a run that is over, whatever was killed: every iteration has one end, every job one settlement,
 * totals are those of the rows, and the dead letters are the dead jobs.
 * @param letters those of the queues, where many runs are looked at
 */
export async function assertAccounts(
  bench: DurableBench,
  run: RunRecord,
  receiver: CountingReceiver | null,
  letters?: ReadonlyMap<string, DeadLetters>,
): Promise<RunTotals> {
  const totals = await bench.store.runTotals(run.id);
  assert.equal(
    totals.completed + totals.failed + totals.cancelled,
    run.startedIterations,
    'each iteration ended',
  );
  const outcomes = { completed: 0, failed: 0, cancelled: 0 };
  for await (const row of allIterations(bench.store, run.id)) outcomes[row.outcome]++;
  const { completed, failed, cancelled } = totals;
  assert.deepEqual(outcomes, { completed, failed, cancelled }, 'totals of iterations are those of the rows');
  const [jobs] = await bench.rows(
    `select count(*)::int as jobs, count(outcome)::int as settled,
      count(*) filter (where outcome = 'success')::int as succeeded,
      count(*) filter (where outcome = 'dead')::int as dead from jobs where run_id = $1`,
    [run.id],
  );
  assert.deepEqual(
    jobs,
    { jobs: totals.jobs, settled: totals.jobs, succeeded: totals.jobsSucceeded, dead: totals.jobsDead },
    'every job is settled, and counted once',
  );
  const [attempts] = await bench.rows('select count(*)::int as n from job_attempts where run_id = $1', [
    run.id,
  ]);
  assert.equal(totals.attempts, attempts!.n, 'attempts are those of the rows');
  for (const name of asyncQueues(run.template)) {
    const dead = await bench.store.deadJobs({ queue: name, runId: run.id, limit: 10_000 });
    const inQueue = letters?.get(name) ?? (await bench.deadLetters(name));
    assert.deepEqual(
      [...new Set(inQueue.get(run.id))].sort(),
      dead.map(({ jobId }) => jobId).sort(),
      'dead letters are the dead jobs',
    );
  }
  if (receiver) await assertRepeatsAreCounted(bench, run, receiver, totals);
  return totals;
}

/** Each attempt of a job sends one message: whoever received more of a patient's had it repeated. */
async function assertRepeatsAreCounted(
  bench: DurableBench,
  run: RunRecord,
  receiver: CountingReceiver,
  totals: RunTotals,
): Promise<void> {
  const [sent] = await bench.rows(
    `select count(*)::int as n from job_attempts
     where run_id = $1 and (outcome in ('success', 'retried') or error_code <> 'CANCELLED')`,
    [run.id],
  );
  let received = 0;
  for (const times of receiver.times.values()) received += times;
  const distinct = receiver.times.size;
  const repeatedMessages = [...receiver.times.values()].filter((times) => times > 1).length;
  assert.ok(distinct >= totals.completed, `${distinct} messages for ${totals.completed} patients`);
  const repeats = Math.min(Math.max(0, received - Number(sent!.n)), repeatedMessages);
  const counted = totals.possiblyRepeated + totals.duplicates;
  assert.ok(repeats <= counted, `${repeats} repeated effects, ${counted} counted`);
}
