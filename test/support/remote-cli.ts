import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach } from 'node:test';
import { type CliEnd, startProgram, YEETER } from './cli.ts';
import { type FakeAnswer, type FakeApi, startFakeApi } from './fake-api.ts';

/** An API key of the right form. */
export const KEY = `ytr_${'k'.repeat(43)}`;
export const RUN = '/api/simulator/runs/7';

export const TEMPLATES = [
  { id: 3, name: 'order-to-image', created_at: null, steps: [{ step_order: 1, step_type: 'GENERATE_HL7' }] },
  { id: 4, name: 'Twin', steps: [] },
  { id: 5, name: 'Twin', steps: [] },
];

export const RUNS = [
  { id: 7, template_id: 3, patient_count: 2, status: 'RUNNING', started_at: 'x', completed_at: null },
  { id: 6, template_id: 3, patient_count: 1, status: 'ERROR', started_at: 'x', completed_at: 'y' },
];

export const STATS = {
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

/** The run as the server shows it in this state. */
export const shownAs = (status: string): FakeAnswer => ({
  json: { ...RUNS[0], status, events: [{ id: 1, timestamp: 't', status: 'INFO', details: 'began' }] },
});

interface RemoteRunOptions {
  /** @default '' */
  input?: string;
  /** @default the key alone */
  env?: Record<string, string>;
}

export interface RemoteCli {
  readonly dir: string;
  readonly api: FakeApi;
  /** Where the commands keep their credentials. */
  readonly file: string;
  /** Runs a command with the key in the environment, unless told otherwise. */
  run(args: string[], options?: RemoteRunOptions): Promise<CliEnd>;
  /** What the server was asked in this test, as `METHOD /path`. */
  asked(): string[];
}

/** A fake server with a few templates and runs, for the commands that talk to one; new answers for each test. */
export function useRemoteCli(): RemoteCli {
  let dir: string;
  let api: FakeApi;
  const file = (): string => join(dir, 'home', 'config.json');
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'yeeter-remote-'));
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
      [`GET ${RUN}`]: shownAs('COMPLETED'),
      [`GET ${RUN}/stats`]: { json: STATS },
      [`GET ${RUN}/metrics`]: { json: { run_id: 7, queued_job_count: 0 } },
    };
  });
  return {
    get dir() {
      return dir;
    },
    get api() {
      return api;
    },
    get file() {
      return file();
    },
    run: (args, { input = '', env = { YEETER_API_KEY: KEY } } = {}) => {
      const [node, main] = YEETER;
      const all = { YEETER_API_URL: api.url, YEETER_CONFIG_PATH: file(), ...env };
      const assignments = Object.entries(all).map(([name, value]) => `${name}=${value}`);
      const started = startProgram('/usr/bin/env', [...assignments, node, main, ...args], dir);
      started.process.stdin!.end(input);
      return started.ended;
    },
    asked: () => api.requests.map(({ method, path }) => `${method} ${path}`),
  };
}
