import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parseFaultPlan } from '../../src/sink/fault-plan.ts';
import { createMllpSink, MLLP_FAULTS } from '../../src/sink/mllp-sink.ts';
import { type CliEnd, startProgram, YEETER, yeeter, yeeterUnread } from '../support/cli.ts';

/** The contract's columns, in its order. */
const RUN_COLUMNS =
  'run_id,user_id,username,template_id,template_name,status,started_at,completed_at,total_patients,queued_job_count,' +
  'queued_job_max_depth,queued_job_last_depth,queue_publish_sum_ms,queue_publish_min_ms,queue_publish_max_ms,' +
  'queue_publish_avg_ms,dicom_attempted_instances,dicom_success_instances,dicom_attempted_bytes,' +
  'dicom_success_bytes,dicom_send_count,dicom_send_sum_ms,dicom_send_min_ms,dicom_send_max_ms,dicom_send_avg_ms,' +
  'dicom_throughput_sum_mbps,dicom_throughput_min_mbps,dicom_throughput_max_mbps,dicom_throughput_avg_mbps,' +
  'dicom_throughput_count,worker_job_count,worker_job_success_count,worker_job_duration_sum_ms,' +
  'worker_job_duration_min_ms,worker_job_duration_max_ms,worker_job_duration_avg_ms,wall_clock_seconds,' +
  'orders_per_second,step_durations,created_at,updated_at';
const JOB_COLUMNS =
  'id,run_id,job_id,queue,success,outcome,error,duration_ms,steps_executed,remaining_steps,patient_iteration,' +
  'repeat_iteration,created_at';

/** An order, then a job with a study of five small images. */
const SMALL_STUDIES = `
name: small-studies
case_mix: {CT: 1}
generators:
  order:
    content: |
      MSH|^~\\&|YEETER|T|RIS|T|{$Faker.Context.MessageTimestamp}||ORM^O01|{$Faker.Context.MessageControlId}|T|2.5.1
      PID|||{$Faker.Patient.MRN}||{$Faker.Person.LastName}^{$Faker.Person.FirstName}
      OBR||{$Faker.Order.PlacerOrderNumber}|{$Faker.Order.AccessionNumber}|CT1^CT head
steps:
  - {step_type: GENERATE_HL7, parameters: {generator_template_id: order}}
  - {step_type: SEND_MLLP}
  - step_type: GENERATE_DICOM
    execution: async
    retry: {max_attempts: 2, delay_ms: 10}
    parameters: {count: 5, generate_pixels: false}
  - {step_type: SEND_DICOM}
`;

interface RunJson {
  status: string;
  patient_count: number;
  started_iterations: number;
  seed: number;
  namespace: number;
  manifest_sha256: string;
  totals: Record<string, number> & { dicom: Record<string, number> };
  series: { series: string; count: number; failures: number; ok_histogram: string | null }[];
  sink_counts: Record<string, number> | null;
  environment: Record<string, unknown>;
  template: { name: string };
}

const readRun = async (out: string): Promise<RunJson> =>
  JSON.parse(await readFile(join(out, 'run.json'), 'utf8')) as RunJson;

/** Lines of a CSV file without quoted line ends. */
const csvLines = async (file: string): Promise<string[]> =>
  (await readFile(file, 'utf8')).split(/\r?\n/).filter((line) => line !== '');

describe('yeeter bench', () => {
  let cwd: string;
  before(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'yeeter-e2e-'));
    await writeFile(join(cwd, 'studies.yaml'), SMALL_STUDIES);
  });
  after(() => rm(cwd, { recursive: true, force: true }));

  describe('with the built-in sinks', () => {
    let end: CliEnd;
    let run: RunJson;
    before(async () => {
      end = await yeeter(['bench', 'studies.yaml', '--patients', '30', '--out', 'first'], cwd);
      run = await readRun(join(cwd, 'first'));
    });

    it('ends with 0 and a summary of all series', () => {
      assert.equal(end.code, 0, end.stderr);
      assert.match(
        end.stdout,
        /^run 1 COMPLETED after .*: 30 completed, 0 failed, 0 cancelled of 30 patients$/m,
      );
      assert.match(end.stdout, /^manifest sha256 [0-9a-f]{64}$/m);
      assert.match(end.stdout, /^series \(ms\) +count +failed +\/s +min +avg +p50 +p95 +p99 +max$/m);
      assert.match(end.stdout, /^order_ack +30 +0 /m);
      assert.match(end.stdout, /^dicom_store +150 +0 /m);
      assert.match(end.stdout, /^files: .*first$/m);
    });

    it('says on the other stream what is to be sent, the seed and the new data folder', () => {
      assert.match(end.stderr, /making a new data folder/);
      assert.match(end.stderr, /to send: 30 messages, 30 studies, 150 instances/);
      assert.match(end.stderr, /run 1: small-studies, seed \d+, namespace 0/);
      assert.ok(!end.stderr.includes('\x1b'));
    });

    it('leaves a run.json whose accounts are those of the sinks', () => {
      assert.equal(run.status, 'COMPLETED');
      assert.deepEqual([run.patient_count, run.started_iterations], [30, 30]);
      const { completed, failed, cancelled, dicom } = run.totals;
      assert.deepEqual([completed, failed, cancelled], [30, 0, 0]);
      assert.equal(dicom.success_instances, 150);
      assert.equal(run.totals.queue_last_depth, 0);
      assert.equal(run.sink_counts?.messages, 30);
      assert.equal(run.sink_counts?.associations, 30);
      assert.equal(run.sink_counts?.instances, 150);
      assert.equal(run.sink_counts?.instance_bytes, dicom.success_bytes);
      const store = run.series.find(({ series }) => series === 'dicom_store');
      assert.deepEqual([store?.count, store?.failures], [150, 0]);
      assert.ok(store?.ok_histogram);
      assert.equal(run.environment.node, process.version);
      assert.equal(run.template.name, 'small-studies');
      assert.match(run.manifest_sha256, /^[0-9a-f]{64}$/);
    });

    it("leaves CSV files whose first columns are the contract's", async () => {
      const out = join(cwd, 'first');
      const runs = await csvLines(join(out, 'runs.csv'));
      assert.ok(`${runs[0]},`.startsWith(`${RUN_COLUMNS},`), runs[0]);
      assert.equal(runs.length, 2);
      const jobs = await csvLines(join(out, 'jobs.csv'));
      assert.ok(`${jobs[0]},`.startsWith(`${JOB_COLUMNS},`), jobs[0]);
      assert.equal(jobs.length, 31);
      assert.equal(new Set(jobs.slice(1).map((line) => line.split(',')[2])).size, 30);
      assert.ok((await csvLines(join(out, 'windows.csv'))).some((line) => line.includes('dicom_store')));
      const purge = await csvLines(join(out, 'purge.csv'));
      assert.equal(purge[0], 'iteration,outcome,patient_id,accession_number,study_instance_uid');
      assert.equal(new Set(purge.slice(1).map((line) => line.split(',').at(-1))).size, 30);
    });

    it('runs again in the same data folder with a namespace of its own, and prints run.json when asked', async () => {
      const again = await yeeter(['bench', 'studies.yaml', '--patients', '5', '--json'], cwd);
      assert.equal(again.code, 0, again.stderr);
      const printed = JSON.parse(again.stdout) as RunJson;
      assert.deepEqual(printed, await readRun(join(cwd, 'yeeter-out', 'run-2')));
      assert.equal(printed.seed, run.seed);
      assert.notEqual(printed.namespace, run.namespace);
    });

    it('repeats a run by its seed and says nothing with --quiet', async () => {
      const same = ['bench', 'studies.yaml', '--patients', '30', '--seed', String(run.seed), '--quiet'];
      const repeated = await yeeter([...same, '--out', 'repeated', '--concurrency', '3'], cwd);
      assert.deepEqual({ ...repeated }, { code: 0, signal: null, stdout: '', stderr: '' });
      assert.equal((await readRun(join(cwd, 'repeated'))).manifest_sha256, run.manifest_sha256);
    });
  });

  it('goes on when nobody reads what it prints, and leaves its files', async () => {
    const args = ['bench', 'studies.yaml', '--patients', '3', '--out', 'unread'];
    const { code, stderr } = await yeeterUnread(args, cwd, { YEETER_METRIC_LOG: 'json' });
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stderr, /EPIPE/);
    assert.equal((await readRun(join(cwd, 'unread'))).totals.completed, 3);
    assert.equal((await csvLines(join(cwd, 'unread', 'purge.csv'))).length, 4);
  });

  it('ends with 1 and shows each kind of failure with its count when patients fail', async () => {
    await using sink = await createMllpSink({ faultPlan: parseFaultPlan('AE/4,AR/7', MLLP_FAULTS) });
    const to = `127.0.0.1:${sink.port}`;
    const end = await yeeter(
      ['bench', 'orders-only', '--patients', '20', '--concurrency', '1', '--mllp', to, '--out', 'failing'],
      cwd,
    );
    assert.equal(end.code, 1);
    assert.match(end.stdout, /COMPLETED after .*: 13 completed, 7 failed, 0 cancelled of 20/);
    assert.match(end.stdout, /^ {2}5 x MLLP_NAK_ERROR at step 2: /m);
    assert.match(end.stdout, /^ {2}2 x MLLP_NAK_REJECT at step 2: /m);
    const run = await readRun(join(cwd, 'failing'));
    assert.equal(run.started_iterations, 20);
    assert.equal(run.sink_counts, null);
    assert.equal(sink.counts().received, 20);
  });

  it('stops at the first failure with --on-failure fail_run', async () => {
    await using sink = await createMllpSink({ faultPlan: parseFaultPlan('AR/3', MLLP_FAULTS) });
    const args = ['--patients', '20', '--concurrency', '1', '--on-failure', 'fail_run', '--out', 'fail-run'];
    const end = await yeeter(['bench', 'orders-only', '--mllp', `127.0.0.1:${sink.port}`, ...args], cwd);
    assert.equal(end.code, 1);
    const { status, started_iterations, totals } = await readRun(join(cwd, 'fail-run'));
    assert.deepEqual([status, started_iterations, totals.completed, totals.failed], ['ERROR', 3, 2, 1]);
  });

  it('counts every patient as failed when nothing listens', async () => {
    const end = await yeeter(
      ['bench', 'orders-only', '-n', '3', '--mllp', '127.0.0.1:9', '--out', 'none'],
      cwd,
    );
    assert.equal(end.code, 1);
    assert.match(end.stdout, /3 x CONNECT_REFUSED at step 2: .*127\.0\.0\.1:9/);
  });

  it('rewrites one line of progress on a terminal, and Ctrl-C there ends it with whole accounts', {
    skip: !existsSync('/usr/bin/script') && 'there is no script(1) to make a terminal',
  }, async () => {
    // Replaces the shell: one that stays gets the Ctrl-C too, and some then end with 130 instead of our code.
    const command = ['exec', ...YEETER, 'bench', 'studies.yaml', '-n', '1000000', '--out', 'terminal'].join(
      ' ',
    );
    const run = startProgram('/usr/bin/script', ['-qec', command, '/dev/null'], cwd);
    await run.said(
      /\[2K[\d,]+\/1,000,000 patients \d+ % \| .* orders\/s \| .* images\/s \| .* in flight \| /,
    );
    run.process.stdin?.write('\x03');
    const end = await run.ended;
    assert.equal(end.code, 1, end.stdout);
    assert.match(end.stdout, /CANCELLED after/);
    const { status, started_iterations, totals } = await readRun(join(cwd, 'terminal'));
    assert.equal(status, 'CANCELLED');
    assert.equal(started_iterations, totals.completed! + totals.failed! + totals.cancelled!);
  });

  it('plays worklist and performed procedure steps with nothing else installed', async () => {
    const end = await yeeter(['bench', 'worklist-mpps', '--patients', '3', '--out', 'mpps'], cwd);
    assert.equal(end.code, 0, end.stderr);
    const run = await readRun(join(cwd, 'mpps'));
    assert.equal(run.totals.completed, 3);
    const countOf = (name: string): number | undefined =>
      run.series.find(({ series }) => series === name)?.count;
    assert.deepEqual([countOf('worklist_find'), countOf('mpps')], [3, 6]);
    assert.deepEqual([run.sink_counts?.worklist_queries, run.sink_counts?.performed_steps], [3, 3]);
  });
});
