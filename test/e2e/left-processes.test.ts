import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { delay } from '../../src/lib/lifecycle.ts';
import { parseFaultPlan } from '../../src/sink/fault-plan.ts';
import { createMllpSink, MLLP_FAULTS, type MllpSink } from '../../src/sink/mllp-sink.ts';
import { openPostgresStore } from '../../src/storage/postgres/open-postgres-store.ts';
import {
  type CliRun,
  descendantsOf,
  isRunning,
  startProgram,
  startYeeter,
  untilGone,
} from '../support/cli.ts';
import { type Postgres, startPostgres } from '../support/postgres.ts';
import { without } from '../support/programs.ts';
import { type Rabbitmq, startRabbitmq } from '../support/rabbitmq.ts';
import { until } from '../support/until.ts';

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const BIN = at('bin/yeeter.js');
const FILES = ['run.json', 'runs.csv', 'jobs.csv', 'windows.csv', 'purge.csv'];

const TEMPLATE = `
name: queued
generators: {order: {file: ${at('examples/generators/orm-o01.hl7')}}}
steps:
  - {step_type: GENERATE_HL7, parameters: {generator_template_id: order}}
  - {step_type: SEND_MLLP, execution: async, queue: queued}
`;

interface RunJson {
  status: string;
  started_iterations: number;
  totals: { completed: number; failed: number; cancelled: number };
}

describe('processes over RabbitMQ and PostgreSQL whose starter stops or is gone', {
  skip: without('rabbitmq-server', 'postgresql'),
}, () => {
  let cwd: string;
  let postgres: Postgres;
  let rabbitmq: Rabbitmq;
  let mllp: MllpSink;
  let databaseUrl: string;
  let environment: NodeJS.ProcessEnv;
  before(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'yeeter-left-'));
    await writeFile(join(cwd, 'queued.yaml'), TEMPLATE);
    const faultPlan = parseFaultPlan('delay:200/1', MLLP_FAULTS);
    [postgres, rabbitmq, mllp] = await Promise.all([
      startPostgres(),
      startRabbitmq(),
      createMllpSink({ faultPlan }),
    ]);
    databaseUrl = await postgres.createDatabase();
    environment = {
      DATABASE_URL: databaseUrl,
      RABBITMQ_URL: await rabbitmq.createVhost(),
      JWT_SECRET_KEY: 'a secret of thirty-two characters',
      WORKER_GRACE_MS: '3000',
    };
  });
  const started = new Set<number>();
  after(async () => {
    for (const pid of [...started].filter(isRunning)) process.kill(pid, 'SIGKILL');
    await mllp.close();
    await rabbitmq.close();
    await postgres.close();
    await rm(cwd, { recursive: true, force: true });
  });

  const descendants = (run: CliRun): number[] => {
    const pids = descendantsOf(run.pid);
    for (const pid of pids) started.add(pid);
    return pids;
  };

  const benchArgs = (out: string, workers: number): string[] => [
    ...['bench', 'queued.yaml', '--patients', '100000', '--out', out, '--workers', String(workers)],
    ...['--mllp', `127.0.0.1:${mllp.port}`],
  ];

  /** Once its run is under way: with workers something has arrived, without them the runner is there. */
  const underWay = async (run: CliRun, workers: number): Promise<number[]> => {
    const { received } = mllp.counts();
    await run.said(/^run \d+: queued/m);
    await until(() => descendantsOf(run.pid).length > workers);
    if (workers > 0) await until(() => mllp.counts().received > received);
    else await delay(2000);
    return descendants(run);
  };

  const assertStoppedInOrder = async (out: string, children: readonly number[]): Promise<void> => {
    for (const pid of children) await untilGone(pid);
    for (const name of FILES) assert.ok(existsSync(join(cwd, out, name)), name);
    const run = JSON.parse(await readFile(join(cwd, out, 'run.json'), 'utf8')) as RunJson;
    assert.equal(run.status, 'CANCELLED');
    const { completed, failed, cancelled } = run.totals;
    assert.equal(run.started_iterations, completed + failed + cancelled);
  };

  for (const workers of [0, 2]) {
    it(`a bench of ${workers} workers that timeout(1) ends writes its files and leaves no process`, async () => {
      const out = `timeout-${workers}`;
      const command = ['300', process.execPath, BIN, ...benchArgs(out, workers)];
      const run = startProgram('timeout', command, cwd, undefined, environment);
      const children = await underWay(run, workers);
      // It tells its child, and then the whole group.
      run.process.kill('SIGTERM');
      const { stdout, stderr } = await run.ended;
      assert.match(stdout, /run \d+ CANCELLED after/, stderr);
      assert.equal(stderr.match(/^stopping/gm)?.length, 1);
      await assertStoppedInOrder(out, children);
    });
  }

  it('a bench on a terminal that is told Ctrl-C writes its files and leaves no process', {
    skip: !existsSync('/usr/bin/script') && 'script(1) is not installed',
  }, async () => {
    const command = [process.execPath, BIN, ...benchArgs('terminal', 2)].join(' ');
    const run = startProgram('/usr/bin/script', ['-qec', command, '/dev/null'], cwd, undefined, environment);
    const children = await underWay(run, 2);
    run.process.stdin!.write('\u0003');
    const { stdout } = await run.ended;
    assert.match(stdout, /run \d+ CANCELLED after/);
    await assertStoppedInOrder('terminal', children);
  });

  const ends = {
    'is killed': async (run: CliRun) => void run.process.kill('SIGKILL'),
    'is told twice to stop': async (run: CliRun) => {
      run.process.kill('SIGINT');
      await run.said('stopping');
      await delay(400);
      run.process.kill('SIGINT');
    },
  } as const;
  for (const [how, end] of Object.entries(ends)) {
    it(`a bench that ${how} leaves no process, and its run ends CANCELLED`, async () => {
      const run = startYeeter(benchArgs(how.replaceAll(' ', '-'), 2), cwd, undefined, environment);
      const children = await underWay(run, 2);
      const id = /^run (\d+): queued/m.exec(run.stderr())![1];
      await end(run);
      await untilGone(run.pid);
      for (const pid of children) await untilGone(pid);
      await using store = await openPostgresStore({ databaseUrl });
      assert.equal((await store.getRun(Number(id))).status, 'CANCELLED');
    });
  }

  it('a server that is killed leaves no process', async () => {
    const run = startYeeter(['serve', '--port', '0', '--workers', '2'], cwd, undefined, environment);
    await run.said('Yeeter is ready');
    const children = descendants(run);
    assert.equal(children.length, 4, 'a runner, two workers and the receivers');
    run.process.kill('SIGKILL');
    for (const pid of children) await untilGone(pid);
  });
});
