import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { startFakeApi } from '../../../test/support/fake-api.ts';
import type { RunDetail } from './answers.ts';
import { captureMetrics } from './capture.ts';
import { createApiClient } from './http.ts';

const RUN = {
  id: 7,
  template_id: 3,
  patient_count: 1,
  status: 'COMPLETED',
  started_at: '2026-01-05T07:00:00.000Z',
  events: [],
} as RunDetail;

const JSON_TEXT = '{ "run_id": 7,\n "worker_jobs": [] }';
const JOBS = 'id,run_id\r\n1,7\r\n2,7\r\n';
const RUNS = 'run_id,note\r\n70,"7,x"\r\n7,"two\r\n7,lines ""quoted"""\r\n77,z\r\n';

const ROUTES = {
  'GET /api/simulator/runs/7/metrics': { text: JSON_TEXT },
  'GET /api/metrics/runs': { text: RUNS },
  'GET /api/metrics/workers': { text: JOBS },
};

describe('captured metrics', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'yeeter-capture-'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  const capture = async (routes: Parameters<typeof startFakeApi>[0]) => {
    await using api = await startFakeApi(routes);
    const client = createApiClient({ apiUrl: api.url, insecure: false, credentials: null });
    return { paths: await captureMetrics(client, RUN, join(dir, 'new')), requests: api.requests };
  };

  it('are what the server serves, byte for byte, and of the runs the one row', async () => {
    const { paths, requests } = await capture(ROUTES);
    const names = ['run-7-metrics.json', 'run-7-run-metrics.csv', 'run-7-worker-metrics.csv'];
    assert.deepEqual(
      paths,
      names.map((name) => join(dir, 'new', name)),
    );
    assert.deepEqual((await readdir(join(dir, 'new'))).toSorted(), names);
    const contents = await Promise.all(paths.map((path) => readFile(path, 'utf8')));
    assert.deepEqual(contents, [JSON_TEXT, 'run_id,note\r\n7,"two\r\n7,lines ""quoted"""\r\n', JOBS]);
    const runs = requests.find(({ path }) => path === '/api/metrics/runs');
    assert.deepEqual(runs!.query, {
      format: 'csv',
      run_id: '7',
      template_id: '3',
      start_at: RUN.started_at,
    });
  });

  it('leave no half of a file when the server breaks off', async () => {
    const brokenAfter = (ms: number) => ({
      raw: (response: ServerResponse) => {
        response.writeHead(200, { 'content-length': '1000' });
        response.write(JOBS);
        setTimeout(() => response.destroy(), ms);
      },
    });
    for (const route of ['GET /api/metrics/runs', 'GET /api/metrics/workers']) {
      for (const ms of [0, 0, 0, 1, 20]) {
        const broken = { ...ROUTES, [route]: brokenAfter(ms) };
        await assert.rejects(capture(broken), { code: 'CONNECT_FAILED' });
        assert.deepEqual(
          (await readdir(join(dir, 'new'))).filter((name) => name.endsWith('.part')),
          [],
        );
      }
    }
    assert.ok(!(await readdir(join(dir, 'new'))).includes('run-7-worker-metrics.csv'));
  });
});
