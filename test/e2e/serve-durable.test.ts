import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createDicomSink } from '../../src/sink/dicom-sink.ts';
import { createMllpSink } from '../../src/sink/mllp-sink.ts';
import { type CliEnd, type CliRun, startYeeter, untilServing, yeeter } from '../support/cli.ts';
import type { Postgres } from '../support/postgres.ts';
import type { Rabbitmq } from '../support/rabbitmq.ts';
import { startPostgres, startRabbitmq, without } from '../support/services.ts';

/** Servers run through a test. */
const HANG_MS = 600_000;
const ACCOUNT = ['-u', 'anna', '--email', 'anna@example.org', '--password', 'correct horse'];

describe('a new server over RabbitMQ and PostgreSQL', {
  skip: without('rabbitmq-server', 'postgresql'),
}, () => {
  let cwd: string;
  let postgres: Postgres;
  let rabbitmq: Rabbitmq;

  before(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'yeeter-serve-durable-'));
    [postgres, rabbitmq] = await Promise.all([startPostgres(), startRabbitmq()]);
  });
  after(async () => {
    await rabbitmq.close();
    await postgres.close();
    await rm(cwd, { recursive: true, force: true });
  });

  const environment = async (): Promise<Record<string, string>> => ({
    DATABASE_URL: await postgres.createDatabase(),
    RABBITMQ_URL: await rabbitmq.createVhost(),
    JWT_SECRET_KEY: 'a secret that all api processes of this test share',
    YEETER_API_KEY: '',
  });

  /** Processes that are asked to stop, the last one first, when the test is over. */
  const opened = () => {
    const started: CliRun[] = [];
    const start = async (env: Record<string, string>, ...args: string[]): Promise<CliRun> => {
      const run = startYeeter(args, cwd, HANG_MS, env);
      started.push(run);
      await run.said(/ready/);
      return run;
    };
    const close = async (): Promise<void> => {
      for (const run of started.toReversed()) {
        run.process.kill('SIGTERM');
        const { code, stderr } = await run.ended;
        assert.equal(code, 0, stderr);
      }
    };
    return { start, [Symbol.asyncDispose]: close };
  };
  /** The commands of a person who has this server. */
  const commands = (url: string, name: string) => {
    const env = { YEETER_API_URL: url, YEETER_CONFIG_PATH: join(cwd, `${name}.json`), YEETER_API_KEY: '' };
    const run = (...args: string[]): Promise<CliEnd> => yeeter(args, cwd, env);
    const ok = async (...args: string[]): Promise<string> => {
      const { code, stdout, stderr } = await run(...args);
      assert.equal(code, 0, stderr);
      return stdout;
    };
    const names = async (what: 'templates' | 'endpoints'): Promise<string[]> =>
      (JSON.parse(await ok(what, 'list', '--format', 'json')) as { name: string }[]).map(({ name }) => name);
    return { run, ok, names };
  };

  it('lets its first user run an example against its receivers, also after a restart', async () => {
    const env = await environment();
    let receivers: string;
    {
      await using processes = opened();
      const server = await processes.start(env, 'serve', '--port', '0', '--data', 'data', '--workers', '1');
      receivers = /built-in receivers: .*/.exec(server.stderr())![0];
      const { ok, names } = commands(await untilServing(server), 'serve');
      await ok('register', ...ACCOUNT);
      assert.ok((await names('templates')).includes('order-to-image'));
      assert.deepEqual(await names('endpoints'), ['dicom', 'mllp']);
      const run = await ok('runs', 'start', 'order-to-image', '-n', '3', '--watch');
      assert.match(run, /COMPLETED after .*3 patients, 0 failure events/);
    }
    await using processes = opened();
    const server = await processes.start(env, 'serve', '--port', '0', '--data', 'data', '--workers', '1');
    assert.equal(/built-in receivers: .*/.exec(server.stderr())![0], receivers);
    const { ok, names } = commands(await untilServing(server), 'serve');
    await ok('login', '-u', 'anna', '--password', 'correct horse');
    const templates = await names('templates');
    assert.equal(new Set(templates).size, templates.length);
    assert.deepEqual(await names('endpoints'), ['dicom', 'mllp']);
    assert.match(await ok('runs', 'start', 'orders-only', '-n', '2', '--watch'), /COMPLETED/);
  });

  it('of several api processes has the examples once, and runs them where it is told to', async () => {
    const env = await environment();
    await using processes = opened();
    const admin = { ...env, YEETER_ADMIN_USER: 'anna', YEETER_ADMIN_PASSWORD: 'correct horse' };
    const [one, other] = await Promise.all([
      processes.start(admin, 'api', '--port', '0'),
      processes.start(admin, 'api', '--port', '0'),
    ]);
    await processes.start(env, 'runner');
    await processes.start(env, 'worker', '--all-queues');
    await using mllp = await createMllpSink({});
    await using dicom = await createDicomSink({ aeTitle: 'ORTHANC' });
    const { ok, run, names } = commands(await untilServing(one!), 'api');
    await ok('login', '-u', 'anna', '--password', 'correct horse');
    const templates = await names('templates');
    assert.ok(templates.includes('order-to-image'));
    assert.equal(new Set(templates).size, templates.length);
    assert.deepEqual(await names('endpoints'), [], 'there are no receivers');
    const early = await run('runs', 'start', 'order-to-image');
    assert.equal(early.code, 1);
    assert.match(early.stderr, /no endpoint is named "mllp": there is none of type MLLP, make it/);
    await ok('endpoints', 'create', 'mllp', `127.0.0.1:${mllp.port}`);
    await ok('endpoints', 'create', 'dicom', `ORTHANC@127.0.0.1:${dicom.port}`);
    const elsewhere = commands(await untilServing(other!), 'api-other');
    await elsewhere.ok('login', '-u', 'anna', '--password', 'correct horse');
    const over = await elsewhere.ok('runs', 'start', 'order-to-image', '-n', '2', '--watch');
    assert.match(over, /COMPLETED after .*2 patients, 0 failure events/);
    assert.equal(mllp.counts().received, 2);
  });
});
