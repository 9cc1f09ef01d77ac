import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startProgram, YEETER } from '../support/cli.ts';
import { KEY, RUN, RUNS, shownAs, useRemoteCli } from '../support/remote-cli.ts';

describe('the runs of a server', () => {
  const remote = useRemoteCli();
  const { run, asked } = remote;

  it('list the runs of everybody, and say how where there is none of one’s own', async () => {
    const bench = { ...RUNS[0], username: null, template_id: null };
    remote.api.routes['GET /api/simulator/runs'] = ({ query }) => ({
      json: query.all === 'true' ? [bench] : [],
    });
    assert.match((await run(['runs', 'list'])).stdout, /^no such runs of yours: .*"runs list --all"/);
    const all = await run(['runs', 'list', '--all', '--format', 'csv']);
    assert.match(all.stdout, /^id,username,status,.*\r\n7,,RUNNING,/);
  });

  it('start a run of a template by its name or its id, with what was said and nothing else', async () => {
    const plain = await run(['runs', 'start', 'Order-To-Image']);
    assert.deepEqual([plain.code, plain.stdout], [0, 'run 7 is accepted: template 3, 1 patients\n']);
    assert.deepEqual(remote.api.requests.at(-1)!.body, { template_id: 3, patient_count: 1 });
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
    assert.deepEqual(remote.api.requests.at(-1)!.body, {
      template_id: 4,
      patient_count: 2,
      seed: 5,
      load: { concurrency: 8 },
      on_failure: 'continue',
      tags: ['a', 'b'],
    });
  });

  for (const [status, code] of [
    ['COMPLETED', 0],
    ['ERROR', 1],
    ['CANCELLED', 1],
  ] as const) {
    it(`end with ${code} when a watched run is ${status}`, async () => {
      remote.api.routes[`GET ${RUN}`] = shownAs(status);
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
    remote.api.routes[`GET ${RUN}`] = shownAs('COMPLETED');
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
    remote.api.routes['POST /api/simulator/runs/7/cancel'] = { json: { message: 'it ends' } };
    const cancelled = await run(['runs', 'cancel', '7', '--format', 'csv']);
    assert.equal(cancelled.stdout, 'run_id,message\r\n7,it ends\r\n');
    assert.deepEqual(JSON.parse((await run(['runs', 'cancel', '7', '--output', 'json'])).stdout), {
      run_id: 7,
      message: 'it ends',
    });
  });

  for (const [when, figures] of [
    ['between two readings', { json: {} }],
    ['while the server has not answered', { raw: () => {} }],
  ] as const) {
    it(`leave a watched run alone at Ctrl-C ${when} and say so`, async () => {
      remote.api.routes[`GET ${RUN}`] = shownAs('RUNNING');
      remote.api.routes[`GET ${RUN}/metrics`] = figures;
      const [node, main] = YEETER;
      const env = [`YEETER_API_URL=${remote.api.url}`, `YEETER_API_KEY=${KEY}`];
      const watch = startProgram('/usr/bin/env', [...env, node, main, 'runs', 'watch', '7'], remote.dir);
      await watch.said(/run 7 is RUNNING/);
      watch.process.kill('SIGINT');
      const { code, stderr } = await watch.ended;
      assert.equal(code, 130, stderr);
      assert.match(stderr, /run 7 goes on without being watched: "yeeter runs cancel 7" ends it/);
      assert.ok(asked().every((request) => request.startsWith('GET ')));
    });
  }

  it('show what became of the patients of a run, as far as the server says so', async () => {
    const patients = { completed_patients: 2, failed_patients: 0, cancelled_patients: 0 };
    remote.api.routes[`GET ${RUN}/metrics`] = { json: { queued_job_count: 2, ...patients } };
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
    remote.api.routes[`GET ${RUN}/metrics`] = { json: { queued_job_count: 2 } };
    assert.match((await run(['runs', 'show', '7'])).stdout, /\nfailed patients +-\n/);
  });

  it('show a run of bench by the name of its template, and what may have happened twice', async () => {
    const bench = { ...RUNS[0], template_id: null, template_name: 'order-to-image', events: [] };
    remote.api.routes[`GET ${RUN}`] = { json: bench };
    remote.api.routes[`GET ${RUN}/metrics`] = { json: { possibly_repeated_count: 3, duplicate_count: 1 } };
    const { stdout } = await run(['runs', 'show', '7']);
    assert.match(stdout, /\ntemplate +order-to-image\ntemplate id +-\n/);
    assert.match(stdout, /\npossibly repeated +3\nduplicates +1\n/);
  });
});
