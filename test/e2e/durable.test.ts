import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { delay } from '../../src/lib/lifecycle.ts';
import { createDicomSink, DICOM_FAULTS } from '../../src/sink/dicom-sink.ts';
import { parseFaultPlan } from '../../src/sink/fault-plan.ts';
import { createMllpSink, type MllpSink } from '../../src/sink/mllp-sink.ts';
import { type CliEnd, startYeeter, yeeter } from '../support/cli.ts';
import { type Postgres, startPostgres } from '../support/postgres.ts';
import { without } from '../support/programs.ts';
import { type Rabbitmq, startRabbitmq } from '../support/rabbitmq.ts';

const GENERATOR = fileURLToPath(new URL('../../examples/generators/orm-o01.hl7', import.meta.url));

/** Two queues: the study is made on one and stored from the other. */
const TEMPLATE = `
name: hops
generators: {order: {file: ${GENERATOR}}}
steps:
  - {step_type: GENERATE_HL7, parameters: {generator_template_id: order}}
  - {step_type: SEND_MLLP}
  - step_type: GENERATE_DICOM
    execution: async
    queue: acquire
    parameters: {count: 3, modality: CT, generate_pixels: false}
  - step_type: SEND_DICOM
    execution: async
    queue: store
    retry: {max_attempts: 2, delay_ms: 100, backoff: fixed}
`;

interface RunJson {
  run_id: number;
  status: string;
  started_iterations: number;
  totals: Record<
    'completed' | 'failed' | 'cancelled' | 'jobs' | 'jobs_dead' | 'attempts' | 'requeued',
    number
  >;
}

describe('over RabbitMQ and PostgreSQL', { skip: without('rabbitmq-server', 'postgresql') }, () => {
  let cwd: string;
  let postgres: Postgres;
  let rabbitmq: Rabbitmq;
  let mllp: MllpSink;
  let urls: string[];
  before(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'yeeter-durable-'));
    await writeFile(join(cwd, 'hops.yaml'), TEMPLATE);
    [postgres, rabbitmq, mllp] = await Promise.all([startPostgres(), startRabbitmq(), createMllpSink({})]);
    urls = [
      ...['--database-url', await postgres.createDatabase()],
      ...['--queue-url', await rabbitmq.createVhost()],
    ];
  });
  after(async () => {
    await mllp.close();
    await rabbitmq.close();
    await postgres.close();
    await rm(cwd, { recursive: true, force: true });
  });

  const bench = (patients: number, dicomPort: number, out: string): string[] => [
    ...['bench', 'hops.yaml', '--patients', String(patients), '--out', out, ...urls],
    ...['--mllp', `127.0.0.1:${mllp.port}`, '--dicom', `SINK@127.0.0.1:${dicomPort}`],
  ];
  const runJson = async (out: string): Promise<RunJson> =>
    JSON.parse(await readFile(join(cwd, out, 'run.json'), 'utf8'));
  const queues = (...args: string[]): Promise<CliEnd> => yeeter(['queues', ...args, ...urls], cwd);

  function assertAccounts({ totals, started_iterations }: RunJson, patients: number): void {
    assert.equal(started_iterations, patients);
    assert.equal(totals.completed + totals.failed + totals.cancelled, patients);
  }

  it('carries a template over two queues with two workers, every job counted once', async () => {
    await using dicom = await createDicomSink({});
    const end = await yeeter(bench(60, dicom.port, 'plain'), cwd);
    assert.equal(end.code, 0, end.stderr);
    const run = await runJson('plain');
    assertAccounts(run, 60);
    assert.equal(run.status, 'COMPLETED');
    assert.deepEqual([run.totals.jobs, run.totals.attempts, run.totals.jobs_dead], [120, 120, 0]);
    assert.equal(dicom.counts().instances, 180);
  });

  it('retries, buries, lists and requeues dead jobs, and the run says so', async () => {
    const refusing = await createDicomSink({ faultPlan: parseFaultPlan('status:A700/1', DICOM_FAULTS) });
    const { port } = refusing;
    const end = await yeeter(bench(4, port, 'dead'), cwd);
    assert.equal(end.code, 1);
    const run = await runJson('dead');
    assertAccounts(run, 4);
    assert.deepEqual([run.totals.failed, run.totals.jobs_dead, run.totals.attempts], [4, 4, 12]);
    await refusing.close();

    const inspected = await queues('inspect', 'store');
    assert.equal(inspected.stdout.match(/DICOM_STORE_FAILED/g)!.length >= 4, true);
    assert.match(inspected.stdout, /A700/);
    const dead: { jobId: string; requeues: number }[] = JSON.parse(
      (await queues('inspect', 'store', '--json')).stdout,
    );
    assert.equal(dead.length, 4);

    await using healed = await createDicomSink({ port });
    const runner = startYeeter(['runner', ...urls], cwd);
    const worker = startYeeter(['worker', '--queues', 'acquire,store', ...urls], cwd);
    await Promise.all([runner.said('runner ready'), worker.said('worker ready')]);
    const requeued = await queues('requeue', 'store', '--all');
    assert.match(requeued.stdout, /requeued 4 jobs/);
    await runner.said(`run ${run.run_id} COMPLETED`);
    assert.equal(healed.counts().instances, 12);
    runner.process.kill('SIGTERM');
    worker.process.kill('SIGTERM');
    assert.deepEqual([(await runner.ended).code, (await worker.ended).code], [0, 0]);
    assert.match((await queues('inspect', 'store')).stdout, /no dead jobs/);
  });

  it('asks for the count before it purges, and pauses and resumes', async () => {
    const refused = await queues('purge', 'store', '--count', '7');
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /QUEUE_COUNT_CHANGED: store holds 0 waiting jobs, not 7/);
    assert.match((await queues('purge', 'store', '--dead', '--count', '0')).stdout, /purged 0 dead letters/);
    assert.equal((await queues('pause', 'store')).code, 0);
    assert.match((await queues('list')).stdout, /^store .* paused$/m);
    assert.equal((await queues('resume', 'store')).code, 0);
    assert.match((await queues('list')).stdout, /^store .* open$/m);
    assert.match((await queues('drain', 'store')).stdout, /0 jobs left/);
    assert.equal((await queues('resume', 'store')).code, 0);
  });

  it('loses nothing when a worker is killed again and again', async () => {
    await using dicom = await createDicomSink({ faultPlan: parseFaultPlan('delay:20/1', DICOM_FAULTS) });
    const patients = 150;
    const steady = startYeeter(['worker', '--queues', 'acquire,store', ...urls], cwd);
    const run = startYeeter([...bench(patients, dicom.port, 'killed'), '--workers', '0'], cwd);
    let over = false;
    const killing = (async () => {
      for (let kills = 0; !over && kills < 8; kills++) {
        const victim = startYeeter(['worker', '--queues', 'acquire,store', ...urls], cwd);
        await victim.said('worker ready');
        await delay(400);
        victim.process.kill('SIGKILL');
        await victim.ended;
      }
    })();
    const end = await run.ended;
    over = true;
    await killing;
    steady.process.kill('SIGTERM');
    assert.equal((await steady.ended).code, 0);
    assert.equal(end.code, 0, end.stderr);
    const json = await runJson('killed');
    assertAccounts(json, patients);
    assert.equal(json.totals.completed, patients);
    assert.equal(json.totals.jobs, 2 * patients);
    assert.ok(dicom.counts().instances >= 3 * patients);
  });

  it('ends a cancelled run, its waiting jobs unexecuted', async () => {
    await using dicom = await createDicomSink({});
    const run = startYeeter([...bench(40, dicom.port, 'cancelled'), '--workers', '0'], cwd);
    await run.said(/to send/);
    await delay(6000);
    run.process.kill('SIGINT');
    const end = await run.ended;
    assert.equal(end.code, 1, end.stderr);
    const json = await runJson('cancelled');
    assert.equal(json.status, 'CANCELLED');
    const { completed, failed, cancelled } = json.totals;
    assert.deepEqual([completed, failed], [0, 0]);
    assert.equal(cancelled, json.started_iterations);
    assert.equal(dicom.counts().instances, 0);
  });
});
