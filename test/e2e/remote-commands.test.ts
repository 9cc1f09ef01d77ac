import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { type CliEnd, startProgram, YEETER, yeeterUnread } from '../support/cli.ts';
import { type FakeApi, startFakeApi } from '../support/fake-api.ts';
import { selfSigned } from '../support/self-signed.ts';

const KEY = `ytr_${'k'.repeat(43)}`;
const RUN = '/api/simulator/runs/7';

const TEMPLATES = [
  { id: 3, name: 'order-to-image', created_at: null, steps: [{ step_order: 1, step_type: 'GENERATE_HL7' }] },
  { id: 4, name: 'Twin', steps: [] },
  { id: 5, name: 'Twin', steps: [] },
];

const RUNS = [
  { id: 7, template_id: 3, patient_count: 2, status: 'RUNNING', started_at: 'x', completed_at: null },
  { id: 6, template_id: 3, patient_count: 1, status: 'ERROR', started_at: 'x', completed_at: 'y' },
];

const STATS = {
  run_id: 7,
  patient_count: 2,
  status: 'COMPLETED',
  total_events: 1,
  success_events: 1,
  failure_events: 0,
  warning_events: 0,
  info_events: 0,
  debug_events: 0,
  last_failure: null,
  steps: [
    {
      step_order: 1,
      total_events: 1,
      success_events: 1,
      failure_events: 0,
      warning_events: 0,
      info_events: 0,
    },
  ],
};

const over = (status: string) => ({
  json: { ...RUNS[0], status, events: [{ id: 1, timestamp: 't', status: 'INFO', details: 'began' }] },
});

describe('the commands for a server', () => {
  let dir: string;
  let api: FakeApi;
  let file: string;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'yeeter-remote-'));
    file = join(dir, 'home', 'config.json');
    api = await startFakeApi();
  });
  after(async () => {
    await api.close();
    await rm(dir, { recursive: true, force: true });
  });
  beforeEach(async () => {
    await rm(join(dir, 'home'), { recursive: true, force: true });
    api.requests.length = 0;
    api.routes = {
      'POST /api/auth/login': ({ body }) =>
        (body as { password: string }).password === 'right horse'
          ? { json: { access_token: 'j.w.t', username: 'ada', is_admin: true } }
          : { status: 401, json: { error: 'wrong name or password', code: 'UNAUTHENTICATED' } },
      'GET /api/simulator/templates': { json: TEMPLATES },
      'GET /api/simulator/runs': { json: RUNS },
      'POST /api/simulator/run': { status: 202, json: { message: 'ok', run_id: 7 } },
      [`GET ${RUN}`]: over('COMPLETED'),
      [`GET ${RUN}/stats`]: { json: STATS },
      [`GET ${RUN}/metrics`]: { json: { run_id: 7, queued_job_count: 0 } },
    };
  });

  /** Runs a command with the key in the environment, unless told otherwise. */
  async function run(
    args: string[],
    { input = '', env = { YEETER_API_KEY: KEY } }: { input?: string; env?: Record<string, string> } = {},
  ): Promise<CliEnd> {
    const [node, main] = YEETER;
    const all = { YEETER_API_URL: api.url, YEETER_CONFIG_PATH: file, ...env };
    const assignments = Object.entries(all).map(([name, value]) => `${name}=${value}`);
    const started = startProgram('/usr/bin/env', [...assignments, node, main, ...args], dir);
    started.process.stdin!.end(input);
    return started.ended;
  }

  const asked = (): string[] => api.requests.map(({ method, path }) => `${method} ${path}`);

  it('sign in and keep the token where nobody else can read it', async () => {
    const end = await run(['login', '--username', 'ada', '--password-stdin'], {
      input: 'right horse\n',
      env: {},
    });
    assert.deepEqual([end.code, end.stderr], [0, '']);
    assert.match(
      end.stdout,
      /^signed in to http.* as ada, an administrator; the token is in .*config\.json\n$/,
    );
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.deepEqual(JSON.parse(await readFile(file, 'utf8')), {
      api_url: api.url,
      access_token: 'j.w.t',
      username: 'ada',
    });
    assert.equal((await run(['runs', 'list'], { env: {} })).code, 0);
    assert.equal(api.requests.at(-1)!.headers.authorization, 'Bearer j.w.t');
  });

  it('make an account', async () => {
    const account = { username: 'eve', access_token: 'e.v.e', is_admin: false };
    api.routes['POST /api/auth/register'] = { status: 201, json: { message: 'm', ...account } };
    const args = ['register', '-u', 'eve', '--email', 'eve@example.org', '--password-stdin'];
    const end = await run(args, { input: 'right horse', env: {} });
    assert.match(end.stdout, /as eve; /);
    assert.deepEqual(api.requests[0]!.body, {
      username: 'eve',
      email: 'eve@example.org',
      password: 'right horse',
    });
    assert.equal((await run(['register', '-u', 'eve'], { env: {} })).code, 2);
  });

  it('end with 2 for a wrong password, without the password', async () => {
    const end = await run(['login', '-u', 'ada', '--password-stdin'], { input: 'wr0ng', env: {} });
    assert.equal(end.code, 2);
    assert.match(end.stderr, /^yeeter: UNAUTHENTICATED: wrong name or password/);
    assert.doesNotMatch(end.stderr, /wr0ng/);
    await assert.rejects(stat(file), { code: 'ENOENT' });
  });

  it('ask for a password without an echo', {
    skip: existsSync('/usr/bin/script') ? false : 'script (bsdutils) is not installed',
  }, async () => {
    const [node, main] = YEETER;
    const line = `YEETER_API_URL=${api.url} YEETER_CONFIG_PATH=${file} ${node} ${main} login`;
    const terminal = spawn('script', ['-qec', line, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
    let shown = '';
    const answers: [RegExp, string][] = [
      [/User name: $/, 'ada\n'],
      [/Password: $/, 'right horse\n'],
    ];
    terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
      shown += text;
      const [next] = answers;
      if (next?.[0].test(stripVTControlCharacters(shown))) {
        answers.shift();
        terminal.stdin.write(next[1]);
      }
    });
    const code = await new Promise((resolve) => terminal.on('close', resolve));
    assert.equal(code, 0, shown);
    assert.match(shown, /signed in to .* as ada/);
    assert.match(shown, /ada/);
    assert.doesNotMatch(shown, /horse/);
  });

  it('keep and drop an API key, and let no other file of it be', async () => {
    const env = {};
    assert.equal((await run(['api-key'], { input: `${KEY}\n`, env })).code, 0);
    assert.equal((await run(['runs', 'list'], { env })).code, 0);
    assert.equal(api.requests.at(-1)!.headers['x-api-key'], KEY);
    await chmod(file, 0o644);
    assert.equal((await run(['api-key', '--clear'], { env })).code, 0);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    const without = await run(['runs', 'list'], { env });
    assert.equal(without.code, 2);
    assert.match(without.stderr, /no credentials for http.*yeeter login/);
    assert.equal((await run(['api-key', '--value', 'nonsense'], { env })).code, 2);
    assert.equal((await run(['api-key', '--value', KEY, '--clear'], { env })).code, 2);
  });

  it('send stored credentials to their own server alone', async () => {
    await run(['api-key', '--value', KEY], { env: {} });
    await using other = await startFakeApi({ 'GET /api/simulator/runs': { json: [] } });
    const end = await run(['--api-url', other.url, 'runs', 'list'], { env: {} });
    assert.equal(end.code, 2);
    assert.match(end.stderr, new RegExp(`those of ${api.url}, not of ${other.url}`));
    assert.equal(other.requests.length, 0);
    assert.equal((await run(['runs', 'list', '--api-url', other.url])).code, 0);
  });

  it('trust no server whose certificate nobody vouches for, unless told to', async () => {
    await using other = await startFakeApi({ 'GET /api/simulator/runs': { json: [] } }, selfSigned());
    const refused = await run(['runs', 'list', '--api-url', other.url]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /TLS_FAILED/);
    assert.equal(other.requests.length, 0);
    assert.equal((await run(['runs', 'list', '--api-url', other.url, '--insecure'])).code, 0);
  });

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

  it('list the runs of everybody, and say how where there is none of one’s own', async () => {
    const bench = { ...RUNS[0], username: null, template_id: null };
    api.routes['GET /api/simulator/runs'] = ({ query }) => ({ json: query.all === 'true' ? [bench] : [] });
    assert.match((await run(['runs', 'list'])).stdout, /^no such runs of yours: .*"runs list --all"/);
    const all = await run(['runs', 'list', '--all', '--format', 'csv']);
    assert.match(all.stdout, /^id,username,status,.*\r\n7,,RUNNING,/);
  });

  it('start a run of a template by its name or its id, with what was said and nothing else', async () => {
    const plain = await run(['runs', 'start', 'Order-To-Image']);
    assert.deepEqual([plain.code, plain.stdout], [0, 'run 7 is accepted: template 3, 1 patients\n']);
    assert.deepEqual(api.requests.at(-1)!.body, { template_id: 3, patient_count: 1 });
    const more = ['--seed', '5', '-c', '8', '--on-failure', 'continue', '--tag', 'a', '--tag', 'b'];
    const full = await run([
      'runs',
      'start',
      '--template-id',
      '4',
      '--patients',
      '2',
      ...more,
      '--output',
      'json',
    ]);
    assert.deepEqual(JSON.parse(full.stdout), {
      run_id: 7,
      template_id: 4,
      patient_count: 2,
      message: 'ok',
    });
    assert.deepEqual(api.requests.at(-1)!.body, {
      template_id: 4,
      patient_count: 2,
      seed: 5,
      load: { concurrency: 8 },
      on_failure: 'continue',
      tags: ['a', 'b'],
    });
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
    api.routes['POST /api/simulator/runs/7/cancel'] = { status: 409, json: { error: 'run 7 is over' } };
    const refused = await run(['runs', 'cancel', '7']);
    assert.deepEqual(
      [refused.code, refused.stderr],
      [1, 'yeeter: SERVER_REFUSED: run 7 is over\n  (POST /api/simulator/runs/7/cancel: 409)\n'],
    );
    api.routes['GET /api/simulator/runs'] = { status: 401, json: { error: 'the token has ended' } };
    const expired = await run(['runs', 'list']);
    assert.equal(expired.code, 2);
    assert.match(expired.stderr, /the token has ended.*yeeter login/);
    assert.doesNotMatch(expired.stderr, /ytr_/);
    const nobody = await run(['runs', 'list', '--api-url', 'http://127.0.0.1:1']);
    assert.equal(nobody.code, 1);
    assert.match(nobody.stderr, /CONNECT_REFUSED: .*is "yeeter serve" running\?/);
  });

  for (const [status, code] of [
    ['COMPLETED', 0],
    ['ERROR', 1],
    ['CANCELLED', 1],
  ] as const) {
    it(`end with ${code} when a watched run is ${status}`, async () => {
      api.routes[`GET ${RUN}`] = over(status);
      const end = await run(['runs', 'watch', '7']);
      assert.equal(end.code, code, end.stderr);
      assert.match(end.stdout, new RegExp(`^t  INFO     run: began\nrun 7 is ${status}\nrun 7 `));
      const json = await run(['runs', 'watch', '7', '--output', 'json']);
      const types = json.stdout
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { type: string }).type);
      assert.deepEqual([types, json.code], [['event', 'status', 'end'], code]);
    });
  }

  it('print one CSV of a run that is started, watched or cancelled', async () => {
    const header = 'type,run_id,timestamp,iteration,step_order,status,details';
    const watch = ['event,7,t,,,INFO,began', 'status,7,,,,COMPLETED,'];
    api.routes[`GET ${RUN}`] = over('COMPLETED');
    for (const args of [
      ['runs', 'watch', '7', '--output', 'csv'],
      ['runs', 'start', '3', '--watch', '--format', 'csv'],
    ]) {
      const { stdout, code } = await run(args);
      const [first, ...rows] = stdout.split('\r\n');
      assert.deepEqual([first, rows.slice(0, 2), code], [header, watch, 0]);
      assert.match(rows[2]!, /^end,7,/);
      assert.deepEqual(rows.slice(3), ['']);
    }
    const started = await run(['runs', 'start', '3', '-n', '12', '--format', 'csv']);
    assert.match(started.stdout, /^run_id,template_id,patient_count,message\r\n7,\d+,12,[^\r]*\r\n$/);
    api.routes['POST /api/simulator/runs/7/cancel'] = { json: { message: 'it ends' } };
    const cancelled = await run(['runs', 'cancel', '7', '--format', 'csv']);
    assert.equal(cancelled.stdout, 'run_id,message\r\n7,it ends\r\n');
    assert.deepEqual(JSON.parse((await run(['runs', 'cancel', '7', '--output', 'json'])).stdout), {
      run_id: 7,
      message: 'it ends',
    });
  });

  it('leave a watched run alone at Ctrl-C and say so', async () => {
    api.routes[`GET ${RUN}`] = over('RUNNING');
    const [node, main] = YEETER;
    const env = [`YEETER_API_URL=${api.url}`, `YEETER_API_KEY=${KEY}`];
    const watch = startProgram('/usr/bin/env', [...env, node, main, 'runs', 'watch', '7'], dir);
    await watch.said(/run 7 is RUNNING/);
    watch.process.kill('SIGINT');
    const { code, stderr } = await watch.ended;
    assert.equal(code, 130);
    assert.match(stderr, /run 7 goes on without being watched: "yeeter runs cancel 7" ends it/);
    assert.ok(asked().every((request) => request.startsWith('GET ')));
  });

  it('pass CSV on byte for byte, to a pipe and to a file', async () => {
    const csv = 'run_id,note\r\n7,"\x1b[31m, ""x"""\r\n';
    api.routes['GET /api/metrics/runs'] = { text: csv };
    assert.equal((await run(['metrics', 'runs', '--format', 'csv', '--template-id', '3'])).stdout, csv);
    assert.deepEqual(api.requests.at(-1)!.query, { template_id: '3', format: 'csv' });
    const stored = await run(['metrics', 'runs', '--format', 'csv', '--out', 'runs.csv']);
    assert.deepEqual([stored.code, stored.stdout], [0, '']);
    assert.equal(await readFile(join(dir, 'runs.csv'), 'utf8'), csv);
  });

  it('end quietly when nobody reads what they print', async () => {
    api.routes['GET /api/metrics/runs'] = { text: 'run_id\r\n7\r\n' };
    api.routes[`GET ${RUN}`] = over('RUNNING');
    const env = { YEETER_API_URL: api.url, YEETER_API_KEY: KEY, YEETER_CONFIG_PATH: file };
    for (const args of [
      ['runs', 'list'],
      ['runs', 'watch', '7'],
      ['metrics', 'runs', '--format', 'csv'],
    ]) {
      const { code, stderr } = await yeeterUnread(args, dir, env);
      assert.equal(code, 141, stderr);
      assert.doesNotMatch(stderr, /EPIPE|yeeter:|^ +at /m);
    }
  });

  it('show metrics as a table with their sums', async () => {
    const metrics = [{ id: 1, run_id: 7, queue: 'q\x1b[2J', outcome: 'success', duration_ms: 2.5 }];
    const summary = { job_count: 1, average_duration_ms: 2.5 };
    api.routes['GET /api/metrics/workers'] = { json: { summary, metrics } };
    const end = await run(['metrics', 'workers', '--run-id', '7', '--success', 'true', '--limit', '5']);
    assert.match(end.stdout, /\n1 +7 +q \[2J +success +2\.5 /);
    assert.match(end.stdout, /\njob count 1 \| average duration ms 2\.5\n$/);
    assert.deepEqual(api.requests.at(-1)!.query, { run_id: '7', success: 'true', limit: '5' });
  });

  it('show what became of the patients of a run, as far as the server says so', async () => {
    const patients = { completed_patients: 2, failed_patients: 0, cancelled_patients: 0 };
    api.routes[`GET ${RUN}/metrics`] = { json: { queued_job_count: 2, ...patients } };
    assert.match(
      (await run(['runs', 'show', '7'])).stdout,
      /\ncompleted patients +2\nfailed patients +0\ncancelled patients +0\n/,
    );
    const csv = await run(['runs', 'show', '7', '--format', 'csv']);
    const [names, values] = csv.stdout.split('\r\n').map((row) => row.split(','));
    const shown = Object.fromEntries(names!.map((name, i) => [name, Number(values![i])]));
    assert.partialDeepStrictEqual(shown, patients);
    const json = JSON.parse((await run(['runs', 'show', '7', '--output', 'json'])).stdout);
    assert.partialDeepStrictEqual(json.metrics, patients);
    api.routes[`GET ${RUN}/metrics`] = { json: { queued_job_count: 2 } };
    assert.match((await run(['runs', 'show', '7'])).stdout, /\nfailed patients +-\n/);
  });

  it('show a run of bench by the name of its template, and what may have happened twice', async () => {
    const bench = { ...RUNS[0], template_id: null, template_name: 'order-to-image', events: [] };
    api.routes[`GET ${RUN}`] = { json: bench };
    api.routes[`GET ${RUN}/metrics`] = { json: { possibly_repeated_count: 3, duplicate_count: 1 } };
    const { stdout } = await run(['runs', 'show', '7']);
    assert.match(stdout, /\ntemplate +order-to-image\ntemplate id +-\n/);
    assert.match(stdout, /\npossibly repeated +3\nduplicates +1\n/);
  });

  it('list workers with their queues in words and the age of their heartbeat', async () => {
    const worker = {
      worker_id: 'w-1',
      state: 'silent',
      heartbeat_age_seconds: 7.2,
      queues: ['orders', 'stores'],
    };
    api.routes['GET /api/admin/workers'] = { json: [worker] };
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
    api.routes['POST /api/admin/workers/scale'] = { json: answer };
    const dry = await run(['workers', 'scale', '4', '--reason', 'night', '--ttl', '2h', '--dry-run']);
    assert.match(dry.stdout, /^nothing was changed.*\ntarget replicas +4\napplied +false\n$/);
    assert.deepEqual(api.requests.at(-1)!.body, {
      replicas: 4,
      reason: 'night',
      ttl_seconds: 7200,
      dry_run: true,
    });
  });

  it('look after queues through a server', async () => {
    const queue = { name: 'q/1', mode: 'open', ready: 3, unacknowledged: 1, delayed: 2, dead_letters: 4 };
    api.routes['GET /api/admin/queues'] = { json: [{ ...queue, consumers: 5, published_per_second: 1.5 }] };
    const server = ['--api-url', api.url];
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
    api.routes[`GET ${path}`] = { json: { items: [{ ...dead, ...why, requeues: 0 }] } };
    const setAside = (reason: string, set_aside_at: string | null) => ({
      message_id: null,
      reason,
      set_aside_at,
      bytes: 8,
    });
    api.routes['GET /api/admin/queues/q%2F1/set-aside'] = {
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
    api.routes[`POST ${path}/requeue`] = { json: requeued };
    const requeue = async (): Promise<string> =>
      (await run(['queues', 'requeue', 'q/1', '--job', job, ...server])).stdout;
    assert.equal(await requeue(), 'requeued 1 job of q/1, run 7\n');
    assert.deepEqual(api.requests.findLast(({ method }) => method === 'POST')!.body, { job_ids: [job] });
    api.routes['GET /api/admin/queues'] = { json: [{ ...queue, consumers: 0 }] };
    assert.match(await requeue(), /\nnobody consumes q\/1: start a worker with "yeeter workers scale 1"\n$/);
    api.routes['GET /api/admin/queues'] = { json: [{ ...queue, consumers: 0, mode: 'paused' }] };
    assert.match(
      await requeue(),
      /\nq\/1 is paused: "yeeter queues resume q\/1" lets workers take it up again\n$/,
    );
    api.routes['GET /api/admin/queues'] = { json: [{ ...queue, consumers: 5 }] };
    const sinks = [{ run_id: 7, mllp_port: 4001, dicom_port: null }];
    api.routes[`POST ${path}/requeue`] = { json: { ...requeued, bench_sinks: sinks } };
    assert.match(
      await requeue(),
      /\nrun 7 sent to built-in receivers, which ended with its bench: .*"yeeter sink --mllp-port 4001" where the workers run\n$/,
    );
    const none = await run(['queues', 'requeue', 'q/1', '--job', 'job 1', ...server]);
    assert.deepEqual([none.code, none.stdout], [2, '']);
    assert.match(none.stderr, /not the id of a job/);
    api.routes[`DELETE ${path}`] = { json: { purged: 4 } };
    const wrong = await run(['queues', 'purge', 'q/1', '--dead', '--count', '5', ...server]);
    assert.match(wrong.stderr, /QUEUE_COUNT_CHANGED: q\/1 holds 4 dead letters, not 5/);
    assert.equal((await run(['queues', 'purge', 'q/1', '--dead', '--count', '4', ...server])).code, 0);
    assert.deepEqual(api.requests.at(-1)!.query, { count: '4' });
    api.routes['POST /api/admin/queues/q%2F1/pause'] = { json: {} };
    assert.equal((await run(['queues', 'pause', 'q/1', ...server])).code, 0);
    api.routes['POST /api/admin/queues/q%2F1/drain'] = { json: {} };
    const drained = await run(['queues', 'drain', 'q/1', '--no-wait', ...server]);
    assert.match(drained.stdout, /^q\/1 is draining: .*"yeeter queues resume q\/1" opens it again\n$/);
    assert.equal((await run(['queues', 'list'])).code, 0);
  });

  it('keep a new API key when they are told to, or print it alone', async () => {
    const key = { status: 201, json: { message: 'm', name: 'n', key_prefix: 'ytr_', raw_key: KEY } };
    api.routes['POST /api/admin/apikeys'] = key;
    assert.equal((await run(['api-keys', 'create', 'n'])).stdout, `${KEY}\n`);
    const stored = await run(['api-keys', 'create', 'n', '--store']);
    assert.equal(stored.code, 0);
    assert.doesNotMatch(stored.stdout + stored.stderr, /ytr_/);
    assert.equal((JSON.parse(await readFile(file, 'utf8')) as { api_key: string }).api_key, KEY);
  });

  it('use the file of the older client as it is', async () => {
    await run(['api-key', '--value', KEY], { env: {} });
    const older = {
      api_url: api.url,
      access_token: 'old',
      username: 'ada',
      auth_method: 'jwt',
      saved_at: 'x',
    };
    await writeFile(file, JSON.stringify(older));
    assert.equal((await run(['runs', 'list'], { env: {} })).code, 0);
    assert.equal(api.requests.at(-1)!.headers.authorization, 'Bearer old');
    assert.equal((await run(['login', '-u', 'ada', '--password', 'right horse'], { env: {} })).code, 0);
    assert.deepEqual(JSON.parse(await readFile(file, 'utf8')), { ...older, access_token: 'j.w.t' });
  });
});
