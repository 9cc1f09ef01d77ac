import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { yeeterUnread } from '../support/cli.ts';
import { KEY, RUN, RUNS, STATS, shownAs, TEMPLATES, useRemoteCli } from '../support/remote-cli.ts';

describe('the commands for a server', () => {
  const remote = useRemoteCli();
  const { run, asked } = remote;

  it('list what is there as a table, as JSON and as CSV', async () => {
    const table = await run(['runs', 'list']);
    assert.match(table.stdout, /^id +status .*\n-.*\n7 +RUNNING +3 +- +2 .*\n6 +ERROR/);
    const json = await run(['runs', 'list', '--output', 'json']);
    assert.deepEqual(JSON.parse(json.stdout), RUNS);
    const csv = await run(['runs', 'list', '--format', 'csv', '--status', 'error']);
    assert.equal(
      csv.stdout,
      'id,status,template_id,template_name,patient_count,started_at,completed_at\r\n6,ERROR,3,,1,x,y\r\n',
    );
    const templates = await run(['templates', 'list']);
    assert.match(templates.stdout, /\norder-to-image +3 +- +GENERATE_HL7\n/);
    assert.deepEqual(JSON.parse((await run(['templates', 'list', '--output', 'json'])).stdout), TEMPLATES);
    const templateRows = (await run(['templates', 'list', '--output', 'csv'])).stdout.split('\r\n');
    assert.equal(templateRows[0], 'name,id,created_at,steps');
    assert.equal(templateRows.length, 1 + TEMPLATES.length + 1);
    assert.deepEqual(JSON.parse((await run(['runs', 'stats', '7', '--output', 'json'])).stdout), {
      ...STATS,
      step_duration_summary: [],
    });
    const stats = await run(['runs', 'stats', '7', '--format', 'csv']);
    assert.match(
      stats.stdout,
      /^metric,value\r\nrun_id,7\r\n.*\r\n\r\nstep_order,[^\r]*\r\n1,1,1,0,0,0\r\n$/s,
    );
  });

  const MISUSES: readonly [string, string[], RegExp][] = [
    [
      'a template that is not there',
      ['runs', 'start', 'nope'],
      /no template "nope": there are order-to-image/,
    ],
    ['a name that two templates have', ['runs', 'start', 'Twin'], /several templates.*4 or 5/],
    ['no template', ['runs', 'start'], /say which template/],
    ['two templates', ['runs', 'start', '3', '--template-id', '3'], /say which template/],
    ['a run that is no number', ['runs', 'watch', 'x'], /'x' is invalid.*whole number from 1/],
    [
      'a format that is not there',
      ['runs', 'list', '--format', 'xml'],
      /Allowed choices are table, json, csv/,
    ],
    ['an address that is none', ['runs', 'list', '--api-url', 'h:1'], /CONFIG_INVALID/],
    ['a server where there is none', ['--api-url', 'http://h', 'check', 'x'], /does not talk to a server/],
    ['all runs without a yes', ['runs', 'delete', '--all'], /2 runs.*1 are under way: add --yes/],
    ['neither a run nor all', ['runs', 'delete'], /either the number of a run or --all/],
    ['an odd length of time', ['workers', 'scale', '2', '--ttl', 'soon'], /90s, 15m or 2h/],
  ];
  for (const [what, args, said] of MISUSES) {
    it(`end with 2 and say why at ${what}`, async () => {
      const end = await run(args);
      assert.match(end.stderr, said);
      assert.equal(end.code, 2);
      assert.ok(asked().every((request) => request.startsWith('GET ')));
    });
  }

  it('end with 1 when the server says no or is not there, and with 2 for a 401', async () => {
    remote.api.routes['POST /api/simulator/runs/7/cancel'] = {
      status: 409,
      json: { error: 'run 7 is over' },
    };
    const refused = await run(['runs', 'cancel', '7']);
    assert.deepEqual(
      [refused.code, refused.stderr],
      [1, 'yeeter: SERVER_REFUSED: run 7 is over\n  (POST /api/simulator/runs/7/cancel: 409)\n'],
    );
    remote.api.routes['GET /api/simulator/runs'] = { status: 401, json: { error: 'the token has ended' } };
    const expired = await run(['runs', 'list']);
    assert.equal(expired.code, 2);
    assert.match(expired.stderr, /the token has ended.*yeeter login/);
    assert.doesNotMatch(expired.stderr, /ytr_/);
    const nobody = await run(['runs', 'list', '--api-url', 'http://127.0.0.1:1']);
    assert.equal(nobody.code, 1);
    assert.match(nobody.stderr, /CONNECT_REFUSED: .*is "yeeter serve" running\?/);
  });

  it('pass CSV on byte for byte, to a pipe and to a file', async () => {
    const csv = 'run_id,note\r\n7,"\x1b[31m, ""x"""\r\n';
    remote.api.routes['GET /api/metrics/runs'] = { text: csv };
    assert.equal((await run(['metrics', 'runs', '--format', 'csv', '--template-id', '3'])).stdout, csv);
    assert.deepEqual(remote.api.requests.at(-1)!.query, { template_id: '3', format: 'csv' });
    const stored = await run(['metrics', 'runs', '--format', 'csv', '--out', 'runs.csv']);
    assert.deepEqual([stored.code, stored.stdout], [0, '']);
    assert.equal(await readFile(join(remote.dir, 'runs.csv'), 'utf8'), csv);
  });

  it('end quietly when nobody reads what they print', async () => {
    remote.api.routes['GET /api/metrics/runs'] = { text: 'run_id\r\n7\r\n' };
    remote.api.routes[`GET ${RUN}`] = shownAs('RUNNING');
    const env = { YEETER_API_URL: remote.api.url, YEETER_API_KEY: KEY, YEETER_CONFIG_PATH: remote.file };
    for (const args of [
      ['runs', 'list'],
      ['runs', 'watch', '7'],
      ['metrics', 'runs', '--format', 'csv'],
    ]) {
      const { code, stderr } = await yeeterUnread(args, remote.dir, env);
      assert.equal(code, 141, stderr);
      assert.doesNotMatch(stderr, /EPIPE|yeeter:|^ +at /m);
    }
  });

  it('show metrics as a table with their sums', async () => {
    const metrics = [{ id: 1, run_id: 7, queue: 'q\x1b[2J', outcome: 'success', duration_ms: 2.5 }];
    const summary = { job_count: 1, average_duration_ms: 2.5 };
    remote.api.routes['GET /api/metrics/workers'] = { json: { summary, metrics } };
    const end = await run(['metrics', 'workers', '--run-id', '7', '--success', 'true', '--limit', '5']);
    assert.match(end.stdout, /\n1 +7 +q \[2J +success +2\.5 /);
    assert.match(end.stdout, /\njob count 1 \| average duration ms 2\.5\n$/);
    assert.deepEqual(remote.api.requests.at(-1)!.query, { run_id: '7', success: 'true', limit: '5' });
  });

  it('list workers with their queues in words and the age of their heartbeat', async () => {
    const worker = {
      worker_id: 'w-1',
      state: 'silent',
      heartbeat_age_seconds: 7.2,
      queues: ['orders', 'stores'],
    };
    remote.api.routes['GET /api/admin/workers'] = { json: [worker] };
    const end = await run(['workers', 'list']);
    assert.match(end.stdout, /^worker id .* heartbeat age seconds +queues\n/);
    assert.match(end.stdout, /\nw-1 .* silent .* 7\.2 +orders, stores\n$/);
    const json = await run(['workers', 'list', '--format', 'json']);
    assert.deepEqual(JSON.parse(json.stdout), [worker]);
  });

  it('scale workers as they are told to', async () => {
    const answer = {
      config: {},
      status: { current_replicas: 1 },
      decision: { target_replicas: 4, applied: false },
    };
    remote.api.routes['POST /api/admin/workers/scale'] = { json: answer };
    const dry = await run(['workers', 'scale', '4', '--reason', 'night', '--ttl', '2h', '--dry-run']);
    assert.match(dry.stdout, /^nothing was changed.*\ntarget replicas +4\napplied +false\n$/);
    assert.deepEqual(remote.api.requests.at(-1)!.body, {
      replicas: 4,
      reason: 'night',
      ttl_seconds: 7200,
      dry_run: true,
    });
  });

  it('look after queues through a server', async () => {
    const queue = { name: 'q/1', mode: 'open', ready: 3, unacknowledged: 1, delayed: 2, dead_letters: 4 };
    remote.api.routes['GET /api/admin/queues'] = {
      json: [{ ...queue, consumers: 5, published_per_second: 1.5 }],
    };
    const server = ['--api-url', remote.api.url];
    assert.match(
      (await run(['queues', 'list', ...server])).stdout,
      /\nq\/1 +3 +2 +1 +5 +\+0\.00 +1\.50 +- +4 +open\n/,
    );
    assert.match(
      (await run(['queues', 'list', '--help'])).stdout,
      /"-" where RABBITMQ_MANAGEMENT_URL is not set/,
    );
    const job = '5b0c1e9e-7a39-8d0b-9d1e-0c7f4c8f6a11';
    const dead = { job_id: job, run_id: 7, patient_iteration: 2, queue: 'q/1', job_type: null, attempts: 3 };
    const why = {
      failed_step: 4,
      error_code: 'CONNECT_REFUSED',
      error: 'no\x07',
      died_at: '2026-01-05T07:00:00Z',
    };
    const path = '/api/admin/queues/q%2F1/dead-letters';
    remote.api.routes[`GET ${path}`] = { json: { items: [{ ...dead, ...why, requeues: 0 }] } };
    const setAside = (reason: string, set_aside_at: string | null) => ({
      message_id: null,
      reason,
      set_aside_at,
      bytes: 8,
    });
    remote.api.routes['GET /api/admin/queues/q%2F1/set-aside'] = {
      json: { items: [setAside('it is not JSON', '2026-01-05T08:00:00Z'), setAside('nor is it', null)] },
    };
    const inspected = await run(['queues', 'inspect', 'q/1', ...server]);
    assert.match(
      inspected.stdout,
      /\n- .* 2026-01-05T08:00:00\.000Z +JOB_INVALID +set aside\n\S{32}6a11 +7 +2 +3 +4 +2026-01-05T07:00:00\.000Z +CONNECT_REFUSED +never\n(- +){6}JOB_INVALID +set aside\n {2}1 x JOB_INVALID: it is not JSON\n {2}1 x .*: no \n {2}1 x JOB_INVALID: nor is it\n$/,
    );
    const newest = await run(['queues', 'inspect', 'q/1', '--limit', '2', ...server]);
    assert.match(newest.stdout, /not JSON\n.*: no \n$/);
    const requeued = { requeued: 1, job_ids: [job], run_ids: [7] };
    remote.api.routes[`POST ${path}/requeue`] = { json: requeued };
    const requeue = async (): Promise<string> =>
      (await run(['queues', 'requeue', 'q/1', '--job', job, ...server])).stdout;
    assert.equal(await requeue(), 'requeued 1 job of q/1, run 7\n');
    assert.deepEqual(remote.api.requests.findLast(({ method }) => method === 'POST')!.body, {
      job_ids: [job],
    });
    remote.api.routes['GET /api/admin/queues'] = { json: [{ ...queue, consumers: 0 }] };
    assert.match(await requeue(), /\nnobody consumes q\/1: start a worker with "yeeter workers scale 1"\n$/);
    remote.api.routes['GET /api/admin/queues'] = { json: [{ ...queue, consumers: 0, mode: 'paused' }] };
    assert.match(
      await requeue(),
      /\nq\/1 is paused: "yeeter queues resume q\/1" lets workers take it up again\n$/,
    );
    remote.api.routes['GET /api/admin/queues'] = { json: [{ ...queue, consumers: 5 }] };
    const sinks = [{ run_id: 7, mllp_port: 4001, dicom_port: null }];
    remote.api.routes[`POST ${path}/requeue`] = { json: { ...requeued, bench_sinks: sinks } };
    assert.match(
      await requeue(),
      /\nrun 7 sent to built-in receivers, which ended with its bench: .*"yeeter sink --mllp-port 4001" where the workers run\n$/,
    );
    const none = await run(['queues', 'requeue', 'q/1', '--job', 'job 1', ...server]);
    assert.deepEqual([none.code, none.stdout], [2, '']);
    assert.match(none.stderr, /not the id of a job/);
    remote.api.routes[`DELETE ${path}`] = { json: { purged: 4 } };
    const wrong = await run(['queues', 'purge', 'q/1', '--dead', '--count', '5', ...server]);
    assert.match(wrong.stderr, /QUEUE_COUNT_CHANGED: q\/1 holds 4 dead letters, not 5/);
    assert.equal((await run(['queues', 'purge', 'q/1', '--dead', '--count', '4', ...server])).code, 0);
    assert.deepEqual(remote.api.requests.at(-1)!.query, { count: '4' });
    remote.api.routes['POST /api/admin/queues/q%2F1/pause'] = { json: {} };
    assert.equal((await run(['queues', 'pause', 'q/1', ...server])).code, 0);
    remote.api.routes['POST /api/admin/queues/q%2F1/drain'] = { json: {} };
    const drained = await run(['queues', 'drain', 'q/1', '--no-wait', ...server]);
    assert.match(drained.stdout, /^q\/1 is draining: .*"yeeter queues resume q\/1" opens it again\n$/);
    assert.equal((await run(['queues', 'list'])).code, 0);
  });
});
