import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Connection } from 'rabbitmq-client';
import { delay } from '../../src/lib/lifecycle.ts';
import { createDicomSink, DICOM_FAULTS } from '../../src/sink/dicom-sink.ts';
import { parseFaultPlan } from '../../src/sink/fault-plan.ts';
import { createMllpSink, MLLP_FAULTS, type MllpSink } from '../../src/sink/mllp-sink.ts';
import { type CliEnd, type CliRun, childrenOf, startYeeter, yeeter } from '../support/cli.ts';
import { type Postgres, startPostgres } from '../support/postgres.ts';
import { without } from '../support/programs.ts';
import { type Rabbitmq, startRabbitmq } from '../support/rabbitmq.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { until, untilAnswer } from '../support/until.ts';

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
    metadata: {ward: B 2}
    retry: {max_attempts: 2, delay_ms: 100, backoff: fixed}
`;

const SLOW = `
name: slow
generators: {order: {file: ${GENERATOR}}}
steps:
  - {step_type: GENERATE_HL7, parameters: {generator_template_id: order}}
  - {step_type: SEND_MLLP, execution: async, queue: slow}
`;

/** The order goes to the built-in receiver, its copy to nobody. */
const GONE = `
name: gone
generators: {order: {file: ${GENERATOR}}}
endpoints: {nobody: {endpoint_type: MLLP, hostname: 127.0.0.1, port: 1}}
steps:
  - {step_type: GENERATE_HL7, parameters: {generator_template_id: order}}
  - {step_type: SEND_MLLP, execution: async, queue: gone, retry: {max_attempts: 1}}
  - {step_type: SEND_MLLP, parameters: {endpoint_id: nobody}}
`;

interface RunJson {
  run_id: number;
  status: string;
  endpoints: { name: string; port: number }[];
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
    await writeFile(join(cwd, 'slow.yaml'), SLOW);
    const retry = 'retry: {max_attempts: 3, delay_ms: 600000, backoff: fixed}';
    await writeFile(join(cwd, 'later.yaml'), SLOW.replace('queue: slow', `queue: later, ${retry}`));
    await writeFile(join(cwd, 'gone.yaml'), GONE);
    await writeFile(join(cwd, 'elsewhere.yaml'), SLOW.replace('queue: slow', 'queue: slow-elsewhere'));
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
  const slowBench = (patients: number, mllpPort: number, out: string, env?: NodeJS.ProcessEnv): CliRun =>
    startYeeter(
      [
        ...['bench', 'slow.yaml', '--patients', String(patients), '--out', out, '--workers', '1', ...urls],
        ...['--mllp', `127.0.0.1:${mllpPort}`],
      ],
      cwd,
      undefined,
      env,
    );
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
    // The tests' database has fsync = off, which those that bench starts need not say again.
    assert.equal(end.stderr.match(/confirms what it has not written/g)?.length, 1);
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
    assert.match(
      inspected.stdout,
      new RegExp(`^\\S{36} +${run.run_id} +[1-4] +2 +4 +2.*Z +DICOM_STORE_FAILED`, 'm'),
    );
    const dead: { run_id: number; requeues: number; metadata: object }[] = JSON.parse(
      (await queues('inspect', 'store', '--format', 'json')).stdout,
    );
    assert.deepEqual(
      dead.map(({ run_id, requeues, metadata }) => [run_id, requeues, metadata]),
      Array(4).fill([run.run_id, 0, { ward: 'B 2' }]),
    );
    const csv = (await queues('inspect', 'store', '--format', 'csv')).stdout.split('\r\n');
    assert.match(csv[0]!, /^kind,job_id,run_id,/);
    assert.match(csv[1]!, /^dead,.*,DICOM_STORE_FAILED,/);

    await using healed = await createDicomSink({ port });
    const runner = startYeeter(['runner', ...urls], cwd);
    const worker = startYeeter(['worker', '--queues', 'acquire,store', ...urls], cwd);
    await Promise.all([runner.said('runner ready'), worker.said('worker ready')]);
    const requeued = await queues('requeue', 'store', '--all');
    assert.equal(requeued.stdout, `requeued 4 jobs of store, run ${run.run_id}\n`);
    await runner.said(`run ${run.run_id} COMPLETED`);
    assert.equal(healed.counts().instances, 12);
    runner.process.kill('SIGTERM');
    worker.process.kill('SIGTERM');
    assert.deepEqual([(await runner.ended).code, (await worker.ended).code], [0, 0]);
    assert.match((await queues('inspect', 'store')).stdout, /no dead jobs/);
  });

  it('says which names of queues it does not know', async () => {
    for (const command of ['pause', 'resume', 'drain', 'inspect', 'requeue --all', 'purge --count 0']) {
      const [name, ...flags] = command.split(' ');
      const end = await queues(name!, 'stroe', ...flags);
      assert.equal(end.code, 1, command);
      assert.match(end.stderr, /^yeeter: NOT_FOUND: there is no queue "stroe": there are acquire, store, /m);
      assert.equal(end.stdout, '');
    }
    assert.doesNotMatch((await queues('list')).stdout, /stroe/);
  });

  it('lists what is no job among the dead letters, and takes it away', async () => {
    const worker = startYeeter(['worker', '--queues', 'store', ...urls], cwd);
    await worker.said('worker ready');
    const broker = new Connection(urls.at(-1)!);
    const channel = await broker.acquire();
    await channel.confirmSelect();
    await channel.basicPublish(
      { routingKey: 'store', durable: true, messageId: 'odd \u001b[31m' },
      'not JSON',
    );
    await channel.basicPublish({ routingKey: 'store', durable: true }, Buffer.alloc(1024 * 1024 + 1, 'x'));
    await channel.close();
    await broker.close();
    await worker.said(/set_aside[\s\S]*\n.*set_aside/);
    const inspected = await queues('inspect', 'store');
    assert.match(inspected.stdout, /^odd \s*\S*\[31m +- +- +- .* JOB_INVALID +set aside$/m);
    assert.ok(!inspected.stdout.includes('\u001b'));
    assert.match(inspected.stdout, /1 x JOB_INVALID: .*not JSON/);
    assert.match(inspected.stdout, /1 x JOB_INVALID: .*bytes/);
    const requeued = await queues('requeue', 'store', '--all');
    assert.equal(requeued.code, 0);
    assert.match(requeued.stdout, /^store: no dead jobs to requeue\n2 messages stay, which are no jobs/);
    assert.match((await queues('purge', 'store', '--dead', '--count', '2')).stdout, /purged 2 dead letters/);
    assert.match((await queues('inspect', 'store')).stdout, /no dead jobs/);
    worker.process.kill('SIGTERM');
    assert.equal((await worker.ended).code, 0);
  });

  it('tells what workers hold, and does not call a queue drained before they have done it', async () => {
    await using slow = await createMllpSink({ faultPlan: parseFaultPlan('delay:5000/1', MLLP_FAULTS) });
    const run = slowBench(6, slow.port, 'slow', { WORKER_CONCURRENCY: '2' });
    await untilAnswer(
      async () => (await queues('list')).stdout,
      (list) =>
        /^slow +0 +0 +[1-6] +1 .*open$/.test(list.split('\n').find((line) => line.startsWith('slow ')) ?? ''),
    );
    assert.ok(slow.counts().received < 6);
    const drained = await queues('drain', 'slow');
    assert.match(drained.stdout, /\n[1-6] jobs left\n[\s\S]*\n?0 jobs left\n$/);
    assert.equal(slow.counts().received, 6);
    assert.equal((await run.ended).code, 0);
    assert.equal((await queues('resume', 'slow')).code, 0);
  });

  it('starts a worker of its own again that was killed', async () => {
    await using slow = await createMllpSink({ faultPlan: parseFaultPlan('delay:300/1', MLLP_FAULTS) });
    const run = slowBench(40, slow.port, 'restarted');
    await until(() => slow.counts().received > 0);
    const worker = childrenOf(run.process.pid!).find((pid) =>
      readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes('worker'),
    );
    process.kill(worker!, 'SIGKILL');
    const end = await run.ended;
    assert.equal(end.code, 0, end.stderr);
    assert.match(end.stderr, /the worker ended early \(signal SIGKILL\): another is started/);
    assertAccounts(await runJson('restarted'), 40);
  });

  it('says which of its processes lost the broker', async () => {
    await using slow = await createMllpSink({ faultPlan: parseFaultPlan('delay:300/1', MLLP_FAULTS) });
    await using proxy = await startTcpProxy(rabbitmq.port);
    const through = [...urls.slice(0, -1), urls.at(-1)!.replace(`:${rabbitmq.port}/`, `:${proxy.port}/`)];
    const run = startYeeter(
      [
        ...['bench', 'slow.yaml', '--patients', '40', '--out', 'lost', '--workers', '1', ...through],
        ...['--mllp', `127.0.0.1:${slow.port}`],
      ],
      cwd,
    );
    await until(() => slow.counts().received > 0);
    proxy.cut();
    const { code, stderr } = await run.ended;
    assert.equal(code, 0, stderr);
    for (const name of ['bench', 'runner', 'worker']) {
      assert.match(stderr, new RegExp(`yeeter ${name} \\d+: connection_lost: RabbitMQ 127`));
      assert.match(stderr, new RegExp(`yeeter ${name} \\d+: connected: RabbitMQ 127`));
    }
  });

  it('does not begin a run whose broker is away, or has its queue otherwise', async () => {
    const broker = new Connection(urls.at(-1)!);
    await broker.queueDeclare({ queue: 'slow-elsewhere', durable: true });
    await broker.close();
    const away = [...urls.slice(0, -1), 'amqp://127.0.0.1:1'];
    const ends = [
      await yeeter(['bench', 'elsewhere.yaml', ...urls], cwd),
      await yeeter(['bench', 'slow.yaml', ...away], cwd),
    ];
    assert.match(ends[0]!.stderr, /^yeeter: QUEUE_MISMATCH: queue "slow-elsewhere" is on the broker/m);
    assert.match(ends[1]!.stderr, /^yeeter: QUEUE_UNREACHABLE: RabbitMQ 127\.0\.0\.1:1/m);
    for (const { code, stderr } of ends) {
      assert.equal(code, 1);
      assert.doesNotMatch(stderr, /run \d/);
    }
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

  it('processes that are asked to stop as soon as they are ready end in order', async () => {
    assert.equal((await yeeter(['migrate', ...urls.slice(0, 2)], cwd)).code, 0);
    const commands = { worker: ['worker', '--queues', 'acquire'], runner: ['runner'] };
    for (let times = 0; times < 4; times++)
      for (const [name, command] of Object.entries(commands)) {
        const run = startYeeter([...command, ...urls], cwd);
        await run.said(`${name} ready`);
        run.process.kill('SIGTERM');
        const { code, signal, stderr } = await run.ended;
        assert.deepEqual([code, signal], [0, null], stderr);
      }
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

  it('ends a cancelled burst, its waiting jobs unexecuted', async () => {
    await using dicom = await createDicomSink({});
    const args = [...bench(40, dicom.port, 'cancelled'), '--workers', '0', '--burst', '--concurrency', '2'];
    const run = startYeeter(args, cwd);
    await untilAnswer(
      async () => (await queues('list')).stdout,
      (list) => /^acquire +40 /m.test(list),
    );
    run.process.kill('SIGINT');
    const end = await run.ended;
    assert.equal(end.code, 1, end.stderr);
    assert.match(
      end.stderr,
      /^nobody consumes acquire, store: start "yeeter worker --queues acquire,store"$/m,
    );
    const json = await runJson('cancelled');
    assert.equal(json.status, 'CANCELLED');
    const { completed, failed, cancelled } = json.totals;
    assert.deepEqual([completed, failed, cancelled, json.started_iterations], [0, 0, 40, 40]);
    assert.equal(dicom.counts().instances, 0);
    assert.match((await queues('list')).stdout, /^acquire +0 +0 +0 +0 /m);
  });

  it('takes retries that wait for their time from the queue of a cancelled run', async () => {
    const args = ['bench', 'later.yaml', '--patients', '20', '-c', '20', '--out', 'later'];
    const run = startYeeter([...args, ...urls, '--mllp', '127.0.0.1:1'], cwd);
    const line = async (): Promise<string> =>
      (await queues('list')).stdout.split('\n').find((row) => row.startsWith('later ')) ?? '';
    await untilAnswer(line, (row) => /^later +0 +20 /.test(row));
    run.process.kill('SIGINT');
    await run.ended;
    const { status, totals } = await runJson('later');
    assert.deepEqual([status, totals.cancelled], ['CANCELLED', 20]);
    assert.match(await line(), /^later +0 +0 +0 /);
  });

  it('says of requeued jobs that their receiver ended with the bench, and that nobody takes them', async () => {
    const end = await yeeter(['bench', 'gone.yaml', '--out', 'gone', '--patients', '1', ...urls], cwd);
    assert.equal(end.code, 1, end.stderr);
    const { run_id, endpoints } = await runJson('gone');
    const { port } = endpoints.find(({ name }) => name === 'mllp')!;
    const [first, ...hints] = (await queues('requeue', 'gone', '--all')).stdout.split('\n');
    assert.equal(first, `requeued 1 job of gone, run ${run_id}`);
    assert.match(
      hints[0]!,
      new RegExp(`^run ${run_id} sent to built-in receivers, which ended with its bench: `),
    );
    assert.match(hints[0]!, new RegExp(`"yeeter sink --mllp-port ${port}" `));
    assert.match(
      hints[1]!,
      /^nobody consumes gone: start "yeeter worker --queues gone", and "yeeter runner"/,
    );
  });
});
