import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createMllpSink, type MllpSink } from '../../src/sink/mllp-sink.ts';
import { type CliEnd, type CliRun, startProgram, startYeeter, YEETER } from '../support/cli.ts';
import { startSocketlessProxy } from '../support/socketless-proxy.ts';

const READY = /ready on (http:\S+);/;
const SERVER_HANG_MS = 600_000;
const PASSWORD = 'correct horse';
const ORDER = [
  'MSH|^~\\&|A|B|C|D|{$Faker.Context.MessageTimestamp}||ORM^O01|{$Faker.Order.PlacerOrderNumber}|T|2.5.1',
  'PID|1||{$Faker.Patient.MRN}||{$Faker.Person.LastName}',
  'ORC|NW|{$Faker.Order.PlacerOrderNumber}',
  'OBR|1|||CT^CT',
].join('\n');

interface StoredEvent {
  id: number;
  timestamp: string;
  details: string;
}

describe('the command line against a server', () => {
  let server: CliRun;
  let url: string;
  let sink: MllpSink;
  let dir: string;
  let file: string;
  let token: string;

  const ask = (path: string, body?: object): Promise<Response> =>
    fetch(`${url}${path}`, {
      method: body ? 'POST' : 'GET',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
  const make = async (path: string, body: object): Promise<number> => {
    const answer = await ask(path, body);
    assert.ok(answer.ok, await answer.clone().text());
    return ((await answer.json()) as { id: number }).id;
  };

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'yeeter-remote-'));
    file = join(dir, 'home', 'config.json');
    const data = join(dir, 'data');
    server = startYeeter(['serve', '--port', '0', '--data', data], dir, SERVER_HANG_MS);
    await server.said(READY);
    url = READY.exec(server.stderr())![1]!;
    sink = await createMllpSink({});
    const person = { username: 'Ada', email: 'ada@example.org', password: PASSWORD };
    const registered = (await (await ask('/api/auth/register', person)).json()) as { access_token: string };
    token = registered.access_token;
    const order = await make('/api/simulator/generators', {
      name: 'order',
      message_type: 'ORM^O01',
      content: ORDER,
    });
    const mllp = (name: string, port: number): Promise<number> =>
      make('/api/endpoints', { name, endpoint_type: 'MLLP', hostname: '127.0.0.1', port });
    const generate = {
      step_order: 1,
      step_type: 'GENERATE_HL7',
      parameters: { generator_template_id: order },
    };
    const send = async (endpoint: Promise<number>, more: object) => ({
      step_order: 2,
      step_type: 'SEND_MLLP',
      parameters: { endpoint_id: await endpoint },
      ...more,
    });
    const retry = { max_attempts: 1, delay_ms: 0 };
    const template = (name: string, ...steps: object[]): Promise<number> =>
      make('/api/simulator/templates', { name, steps });
    await template('orders', generate, await send(mllp('sink', sink.port), { execution: 'async' }));
    const lost = { execution: 'async', queue: 'lost', retry };
    await template('lost orders', generate, await send(mllp('nobody', 1), lost));
    const wait = { step_type: 'WAIT', execution: 'async', parameters: { duration_seconds: 600 } };
    await template('waiting', { step_order: 1, ...wait });
    await template('orders, then waiting', generate, await send(mllp('sink', sink.port), {}), {
      step_order: 3,
      ...wait,
    });
    const signedIn = await run('login', '--api-url', url, '-u', 'ada', '--password', PASSWORD);
    assert.equal(signedIn.code, 0, signedIn.stderr);
  });
  after(async () => {
    server.process.kill('SIGTERM');
    const { code, stderr } = await server.ended;
    await sink.close();
    await rm(dir, { recursive: true, force: true });
    assert.equal(code, 0, stderr);
  });

  /** With the credentials of the login, and nothing else in the environment. */
  function start(args: string[], env: Record<string, string> = {}): CliRun {
    const [node, main] = YEETER;
    const all = Object.entries({ YEETER_CONFIG_PATH: file, ...env }).map(
      ([name, value]) => `${name}=${value}`,
    );
    const started = startProgram('/usr/bin/env', [...all, node, main, ...args], dir);
    started.process.stdin!.end();
    return started;
  }
  const run = (...args: string[]): Promise<CliEnd> => start(args).ended;
  const startedRun = (end: { stdout: string }): number =>
    Number(/^run (\d+) is accepted/.exec(end.stdout)![1]);
  const eventsOf = async (runId: number): Promise<StoredEvent[]> =>
    (
      (await (await ask(`/api/simulator/runs/${runId}?events_limit=10000`)).json()) as {
        events: StoredEvent[];
      }
    ).events;
  /** The events in what was printed, by when and what. */
  const printed = (text: string): string[] =>
    text.split('\n').flatMap((line) => {
      const match = /^(\d{4}-\S+Z) {2}\w+ +[^:]+: (.*)$/.exec(line);
      return match ? [`${match[1]} ${match[2]}`] : [];
    });
  const stored = (events: readonly StoredEvent[]): string[] =>
    events.map(({ timestamp, details }) => `${timestamp} ${details}`.trimEnd());

  it('keeps the token of a login for its owner alone, and is told a wrong password', async () => {
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    const wrong = await run('login', '-u', 'ada', '--password', 'incorrect horse');
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /^yeeter: UNAUTHENTICATED: /);
    assert.doesNotMatch(wrong.stderr, /horse/);
  });

  it('starts a run by the name of its template and shows all of it, each event once', async () => {
    const end = await run('runs', 'start', 'orders', '--patients', '12', '--tag', 'night', '--watch');
    assert.equal(end.code, 0, end.stderr);
    assert.doesNotMatch(end.stderr, /no live events/);
    const runId = startedRun(end);
    assert.match(
      end.stdout,
      new RegExp(`\\nrun ${runId} COMPLETED after [\\d.]+ s: 12 patients, 0 failure events`),
    );
    const events = await eventsOf(runId);
    assert.ok(events.length > 0);
    assert.deepEqual(printed(end.stdout).toSorted(), stored(events).toSorted());
    const again = await run('runs', 'watch', String(runId), '--tail', '2', '--output', 'json');
    const lines = again.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string });
    assert.deepEqual([lines.map(({ type }) => type), again.code], [['event', 'event', 'status', 'end'], 0]);
  });

  it('misses no event where sockets are refused', async () => {
    await using proxy = await startSocketlessProxy(url);
    const key = await run('api-keys', 'create', 'proxied');
    const watched = start(
      [
        'runs',
        'start',
        'orders, then waiting',
        '-n',
        '12',
        '--watch',
        '--interval',
        '0.5',
        '--api-url',
        proxy.url,
      ],
      { YEETER_API_KEY: key.stdout.trim() },
    );
    await watched.said(/no live events \(.*\): asking every 0\.5 s instead/);
    const runId = startedRun({ stdout: watched.stdout() });
    assert.equal((await run('runs', 'cancel', String(runId))).code, 0);
    const end = await watched.ended;
    assert.equal(end.code, 1, end.stderr);
    assert.match(end.stdout, new RegExp(`\\nrun ${runId} CANCELLED after `));
    assert.deepEqual(printed(end.stdout).toSorted(), stored(await eventsOf(runId)).toSorted());
  });

  it('captures the metrics of a run as the server serves them', async () => {
    const end = await run('runs', 'start', 'orders', '-n', '5', '--capture-metrics', 'captured');
    assert.equal(end.code, 0, end.stderr);
    const runId = startedRun(end);
    assert.deepEqual(printed(end.stdout), []);
    const content = (name: string): Promise<string> =>
      readFile(join(dir, 'captured', `run-${runId}-${name}`), 'utf8');
    const served = async (path: string): Promise<string> => (await ask(path)).text();
    assert.deepEqual(
      JSON.parse(await content('metrics.json')),
      JSON.parse(await served(`/api/simulator/runs/${runId}/metrics?jobs_limit=2000`)),
    );
    assert.equal(
      await content('worker-metrics.csv'),
      await served(`/api/metrics/workers?run_id=${runId}&format=csv`),
    );
    const [header, ...rows] = (await served('/api/metrics/runs?format=csv')).split('\r\n');
    const own = rows.find((row) => row.startsWith(`${runId},`));
    assert.equal(await content('run-metrics.csv'), `${header}\r\n${own}\r\n`);
  });

  it('captures into the current folder when none is named', async () => {
    const end = await run('runs', 'start', 'orders', '--capture-metrics');
    assert.equal(end.code, 0, end.stderr);
    assert.ok(await stat(join(dir, `run-${startedRun(end)}-metrics.json`)));
  });

  it('ends with 1 when a run did not complete, and looks after its dead letters', async () => {
    const end = await run('runs', 'start', 'lost orders', '-n', '2', '--watch', '--capture-metrics', 'lost');
    assert.equal(end.code, 1, end.stderr);
    const runId = startedRun(end);
    assert.match(end.stdout, new RegExp(`\nrun ${runId} ERROR after .*\nlast failure: .*CONNECT_REFUSED`));
    assert.ok(await stat(join(dir, 'lost', `run-${runId}-worker-metrics.csv`)));
    assert.match((await run('runs', 'show', String(runId))).stdout, /\nfailed patients +2\n/);
    const through = ['--api-url', url];
    assert.match((await run('queues', 'list', ...through)).stdout, /\nlost .* 2 +open\n/);
    assert.match((await run('queues', 'inspect', 'lost', ...through)).stdout, /2 x CONNECT_REFUSED/);
    assert.equal((await run('queues', 'pause', 'lost', ...through)).code, 0);
    assert.match((await run('queues', 'list', ...through)).stdout, /\nlost .* paused\n/);
    const drained = await run('queues', 'drain', 'lost', ...through);
    assert.match(drained.stdout, /^lost is draining: .*\n0 jobs left\n$/);
    assert.match((await run('queues', 'list', ...through)).stdout, /\nlost .* draining\n/);
    assert.equal((await run('queues', 'resume', 'lost', ...through)).code, 0);
    assert.equal((await run('queues', 'purge', 'lost', '--dead', '--count', '1', ...through)).code, 1);
    const purged = await run('queues', 'purge', 'lost', '--dead', '--count', '2', ...through);
    assert.equal(purged.stdout, 'purged 2 dead letters of lost\n');
    const inspected = await run('queues', 'inspect', 'lost', ...through);
    assert.match(
      inspected.stdout,
      /\n0 dead letters are there to be requeued: those of the other jobs were purged\n$/,
    );
  });

  it('cancels a run that is watched, and the watching ends with 1', async () => {
    const runId = startedRun(await run('runs', 'start', 'waiting'));
    const watch = start(['runs', 'watch', String(runId)]);
    await watch.said(/ is (RUNNING|WAITING_ON_WORKERS)/);
    const cancelled = await run('runs', 'cancel', String(runId));
    assert.equal(cancelled.code, 0, cancelled.stderr);
    const { code, stdout } = await watch.ended;
    assert.match(stdout, new RegExp(`\nrun ${runId} is CANCELLED\nrun ${runId} CANCELLED`));
    assert.equal(code, 1);
    assert.equal((await run('runs', 'cancel', String(runId))).code, 1);
  });

  it('leaves a run alone at Ctrl-C', async () => {
    const runId = startedRun(await run('runs', 'start', 'waiting'));
    const watch = start(['runs', 'watch', String(runId)]);
    await watch.said(/ is (RUNNING|WAITING_ON_WORKERS)/);
    watch.process.kill('SIGINT');
    assert.equal((await watch.ended).code, 130);
    const { stdout } = await run('runs', 'show', String(runId), '--format', 'json');
    assert.match((JSON.parse(stdout) as { status: string }).status, /RUNNING|WAITING_ON_WORKERS/);
    assert.equal((await run('runs', 'delete', String(runId))).code, 0);
  });

  it('lists, shows and sums up what there is', async () => {
    assert.match((await run('templates', 'list')).stdout, /\norders +\d+ +\S+Z +GENERATE_HL7, SEND_MLLP\n/);
    assert.match((await run('templates', 'show', 'orders')).stdout, /\nSEND_MLLP +2 +async /);
    const runs = JSON.parse((await run('runs', 'list', '--output', 'json')).stdout) as { id: number }[];
    const limited = await run('runs', 'list', '--status', 'COMPLETED', '--limit', '1', '--format', 'csv');
    assert.equal(limited.stdout.trimEnd().split('\r\n').length, 2);
    const first = String(runs.at(-1)!.id);
    assert.match((await run('runs', 'show', first)).stdout, /\norder_ack +12 +0 /);
    const shown = await run('runs', 'show', first, '--format', 'csv');
    assert.match(shown.stdout, /^run,status,.*,jobs,.*,events\r\n\d+,COMPLETED,[^\r]*,12,[^\r]*\r\n$/);
    assert.match((await run('runs', 'stats', first)).stdout, /\nSEND_MLLP +2 +12 /);
    const csv = await run('metrics', 'workers', '--run-id', first, '--format', 'csv');
    const served = await ask(`/api/metrics/workers?run_id=${first}&format=csv`);
    assert.equal(csv.stdout, await served.text());
    const workers = await run('metrics', 'workers', '--run-id', first, '--success', 'true', '--limit', '3');
    assert.match(workers.stdout, /\njob count 3 \| success count 3 \| failure count 0 /);
    assert.match((await run('metrics', 'runs', '--run-id', first)).stdout, /\nrun count 1 \| /);
    assert.match((await run('metrics', 'runs', '--status', 'ERROR')).stdout, /\n\d+ +lost orders +ERROR /);
  });

  it('sees and scales the workers', async () => {
    assert.match((await run('workers', 'list')).stdout, /^worker id .*\n-.*\n\S+ .* working /);
    const dry = await run('workers', 'scale', '2', '--reason', 'night', '--ttl', '90s', '--dry-run');
    assert.match(dry.stdout, /target replicas +2\n/);
    assert.equal((await run('workers', 'scale', '2', '--reason', 'night')).code, 0);
    assert.match((await run('scaling', 'status')).stdout, /\ntarget replicas +2\n/);
    assert.equal((await run('workers', 'scale', '999')).code, 1);
    const decisions = await run('scaling', 'decisions', '--format', 'csv', '--out', 'decisions.csv');
    assert.equal(decisions.code, 0);
    assert.match(await readFile(join(dir, 'decisions.csv'), 'utf8'), /^id,at,action,actor,reason,/);
  });

  it('uses a key until it is deleted', async () => {
    const key = (await run('api-keys', 'create', 'short')).stdout.trim();
    const env = { YEETER_API_KEY: key, YEETER_API_URL: url };
    assert.equal((await start(['runs', 'list'], env).ended).code, 0);
    const keys = JSON.parse((await run('api-keys', 'list', '--format', 'json')).stdout) as { id: number }[];
    assert.equal((await run('api-keys', 'delete', String(keys[0]!.id))).code, 0);
    const refused = await start(['runs', 'list'], env).ended;
    assert.equal(refused.code, 2);
    assert.doesNotMatch(refused.stderr, /ytr_/);
  });
});
