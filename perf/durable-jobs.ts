/**
 * Jobs over RabbitMQ and PostgreSQL: the real `yeeter bench` with a runner and workers as processes. Each job is
 * published, consumed, executed and settled, with its hand-off, the attempt's row and the terminal row in the
 * ledger; nothing else goes over a wire. They are a burst, so that the queue does not run empty. The work in it is
 * none (a WAIT of no length), or a study, of which the runner makes the order message. Beside it, in turns, a bare
 * pipeline on the same broker and database: one process publishes constant bytes of the same size (confirmed, 256 in
 * flight), as many processes consume them with the same prefetch, insert an attempt's row each (250 a statement, or
 * those of 5 ms) and acknowledge them. What a job is of is not looked at, and nothing is added up. With
 * `--bare-hurries` they do not wait for 5 ms where the queue gives no more before they insert, as our workers do.
 *
 *   node perf/durable-jobs.ts [--jobs 40000] [--repetitions 3] [--work none,study] [--workers 1,2]
 *     [--prefetch 1,32,256] [--fsync off,on] [--bare-hurries] [--beside DIR [--beside-args=--burst]] [--quick] [--json]
 *
 * `--beside` is a checkout of another version, with its packages: each of its runs comes right after one of ours, on a
 * database of its own and the same broker, and what is told is our rate over its rate. `--beside-args` are the arguments
 * of its `bench` in place of `--burst`, which older ones do not know (they published ahead without being told).
 *
 * Broker and database are private. With `fsync` they share the disk, and every commit waits for it. A ratio is that of
 * one turn. Our rate is from the first job's end to the last one's, that of the whole run has the start of its processes
 * and the notice of its end in it, and the bare one is from the first publish to the last acknowledgement. `--quick` is
 * one repetition of fewer jobs.
 */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { encodeJob } from '../src/domain/job-schema.ts';
import { iterate } from '../src/engine/iterate.ts';
import { openJob } from '../src/engine/open-job.ts';
import { systemClock } from '../src/lib/clock.ts';
import { openPg } from '../src/storage/postgres/pg-executor.ts';
import { testEnvironment } from '../test/support/environment.ts';
import { startPrivatePostgres } from '../test/support/postgres.ts';
import { startPrivateRabbitmq } from '../test/support/rabbitmq.ts';
import { templateFrom } from '../test/support/run.ts';
import { barePipelineRate } from './support/bare-pipeline.ts';
import { EMPTY_JOBS_TEMPLATE, JOBS_TEMPLATE } from './support/jobs-template.ts';
import { type BenchFolder, OUR_MAIN, openBenchFolder } from './support/run-bench.ts';
import { spread } from './support/spread.ts';

/** One job at a time waits for each of its rows: fewer say as much. */
const JOBS_ONE_BY_ONE = 20;
const QUICK_JOBS = 4000;
const DURABLE = ['fsync = on', 'synchronous_commit = on', 'full_page_writes = on'];

const TEMPLATES = { none: EMPTY_JOBS_TEMPLATE, study: JOBS_TEMPLATE };
type Work = keyof typeof TEMPLATES;

interface Cell {
  work: Work;
  fsync: string;
  prefetch: number;
  workers: number;
  ours: number[];
  whole: number[];
  bare: number[];
  beside: number[];
}

/** A version of the product, and what is particular to it. */
interface Version {
  databaseUrl: string;
  /** Its entry. */
  main: string;
  args: readonly string[];
}

/** A job as the product publishes it. */
async function jobBody(work: Work): Promise<Buffer> {
  const template = templateFrom(TEMPLATES[work]);
  const place = { stepIndex: 0, repeatsDone: 0, queue: null, executed: 0, mayRepeat: false };
  const cursor = { iteration: 1, state: null, ...place };
  const end = await iterate(cursor, testEnvironment({ template }), () => {});
  if (end.kind !== 'hand_off') throw new Error(`the iteration ended as ${end.kind}`);
  const nowUs = systemClock.epochUs();
  const origin = {
    ...{ deploymentId: crypto.randomUUID(), runId: 1, template, segment: 0 },
    ...{ intendedStartUs: nowUs, possiblyRepeated: false },
  };
  return Buffer.from(encodeJob(openJob(origin, cursor, end.step, nowUs)));
}

const ENDS = `
select count(*), max(created_at_ms) - min(created_at_ms) from job_attempts
where run_id = (select max(id) from runs)`;

async function productRates(
  folder: BenchFolder,
  queueUrl: string,
  { databaseUrl, main, args: own }: Version,
  { work, prefetch, workers }: Cell,
  jobs: number,
): Promise<{ rate: number; whole: number }> {
  const args = [
    `${work}.yaml`,
    '--patients',
    String(jobs),
    '--concurrency',
    '256',
    '--workers',
    String(workers),
    ...own,
  ];
  const options = { environment: { WORKER_PREFETCH: String(prefetch) }, main };
  const run = await folder.run([...args, '--database-url', databaseUrl, '--queue-url', queueUrl], options);
  const { jobs: settled, attempts, completed } = run.totals;
  if (settled !== jobs || attempts !== jobs || completed !== jobs) {
    throw new Error(`of ${jobs} jobs ${settled} are settled by ${attempts} attempts: ${completed} completed`);
  }
  await using executor = openPg(databaseUrl, { poolSize: 1, retryForMs: 0 });
  const [[ended, betweenMs]] = (await executor.query(ENDS)) as [[number, number]];
  return { rate: (1000 * (ended - 1)) / betweenMs, whole: jobs / run.duration_seconds };
}

interface Measuring {
  queueUrl: string;
  cells: readonly Cell[];
  jobs: number;
  repetitions: number;
  hurries: boolean;
  beside: { folder: string; args: readonly string[] } | null;
}

async function measure({ queueUrl, cells, jobs, repetitions, hurries, beside }: Measuring) {
  await using folder = await openBenchFolder();
  const bodies = { none: await jobBody('none'), study: await jobBody('study') };
  for (const [work, text] of Object.entries(TEMPLATES))
    await writeFile(join(folder.path, `${work}.yaml`), text);
  for (const fsync of new Set(cells.map((cell) => cell.fsync))) {
    await using postgres = await startPrivatePostgres(fsync === 'on' ? DURABLE : []);
    const migrated = async (main: string, args: readonly string[]): Promise<Version> => {
      const databaseUrl = await postgres.createDatabase();
      await promisify(execFile)(process.execPath, [main, 'migrate', '--database-url', databaseUrl]);
      return { databaseUrl, main, args };
    };
    const ours = await migrated(OUR_MAIN, ['--burst']);
    const other = beside && (await migrated(join(beside.folder, 'src/cli/main.ts'), beside.args));
    const services = { queueUrl, databaseUrl: ours.databaseUrl };
    for (let repetition = 0; repetition < repetitions; repetition++) {
      for (const cell of cells) {
        if (cell.fsync !== fsync) continue;
        const count = cell.prefetch === 1 ? Math.ceil(jobs / JOBS_ONE_BY_ONE) : jobs;
        const { work, workers: consumers, prefetch } = cell;
        const body = bodies[work];
        const load = { ...services, consumers, prefetch, hurries, jobs: count, body };
        cell.bare.push(await barePipelineRate(load));
        const { rate, whole } = await productRates(folder, queueUrl, ours, cell, count);
        cell.ours.push(rate);
        cell.whole.push(whole);
        if (other) cell.beside.push((await productRates(folder, queueUrl, other, cell, count)).rate);
        process.stderr.write(
          `${work}, fsync ${fsync}, prefetch ${prefetch}, workers ${consumers}: ${rate.toFixed(0)}/s ` +
            `(whole run ${whole.toFixed(0)}/s), bare ${cell.bare.at(-1)!.toFixed(0)}/s` +
            `${other ? `, other version ${cell.beside.at(-1)!.toFixed(0)}/s` : ''}\n`,
        );
      }
    }
  }
}

const { values } = parseArgs({
  options: {
    jobs: { type: 'string', default: '40000' },
    repetitions: { type: 'string', default: '3' },
    work: { type: 'string', default: 'none,study' },
    workers: { type: 'string', default: '1,2' },
    prefetch: { type: 'string', default: '1,32,256' },
    fsync: { type: 'string', default: 'off,on' },
    beside: { type: 'string' },
    'bare-hurries': { type: 'boolean', default: false },
    'beside-args': { type: 'string', default: '--burst' },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const cells: Cell[] = [];
for (const fsync of values.fsync.split(','))
  for (const work of values.work.split(',')) {
    if (work !== 'none' && work !== 'study') throw new Error(`--work is none or study, not ${work}`);
    for (const prefetch of values.prefetch.split(',').map(Number))
      for (const workers of values.workers.split(',').map(Number))
        cells.push({ work, fsync, prefetch, workers, ours: [], whole: [], bare: [], beside: [] });
  }
await using broker = await startPrivateRabbitmq({ management: false });
const jobs = values.quick ? QUICK_JOBS : Number(values.jobs);
await measure({
  queueUrl: broker.url,
  cells,
  jobs,
  repetitions: values.quick ? 1 : Number(values.repetitions),
  hurries: values['bare-hurries'],
  beside:
    values.beside === undefined
      ? null
      : { folder: values.beside, args: values['beside-args'].split(' ').filter((arg) => arg !== '') },
});
const rows = cells.map(({ ours, whole, bare, beside, ...cell }) => ({
  ...cell,
  'jobs/s': spread(ours, 0),
  'whole run, jobs/s': spread(whole, 0),
  'bare, jobs/s': spread(bare, 0),
  ratio: spread(
    ours.map((rate, turn) => rate / bare[turn]!),
    2,
  ),
  ...(beside.length > 0 && {
    'other version, jobs/s': spread(beside, 0),
    'times the other': spread(
      ours.map((rate, turn) => rate / beside[turn]!),
      2,
    ),
  }),
}));
if (values.json) console.log(JSON.stringify(rows, null, 2));
else console.table(rows);
