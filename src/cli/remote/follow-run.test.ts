import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Server } from 'socket.io';
import { type FakeApi, startFakeApi } from '../../../test/support/fake-api.ts';
import { selfSigned } from '../../../test/support/self-signed.ts';
import { startTcpProxy } from '../../../test/support/tcp-proxy.ts';
import { untilAnswer } from '../../../test/support/until.ts';
import { type FollowOptions, followRun } from './follow-run.ts';
import { type ApiClient, createApiClient } from './http.ts';
import { openLiveLink } from './live-link.ts';
import type { RunDisplay } from './run-display.ts';

const RUN = '/api/simulator/runs/7';

/** A server with run 7, and sockets that hear of it. */
async function startRun(tls?: Parameters<typeof startFakeApi>[1]) {
  const api = await startFakeApi({}, tls);
  const io = new Server(api.server);
  const run = { status: 'RUNNING', ids: [1] };
  const joined: unknown[] = [];
  let refuse: string | null = null;
  io.use((socket, next) => next(socket.handshake.auth.token === 't' ? undefined : new Error('who are you')));
  io.on('connection', (socket) => {
    socket.on('join_run_room', (payload: unknown, answer: (joined: object) => void) => {
      joined.push(payload);
      answer(refuse === null ? { ok: true } : { ok: false, error: refuse });
      void socket.join('7');
    });
  });
  api.routes[`GET ${RUN}`] = ({ query }) => {
    const [limit, offset] = [Number(query.events_limit), Number(query.events_offset)];
    const newest = run.ids
      .toReversed()
      .slice(offset, offset + limit)
      .reverse();
    const events = newest.map((id) => ({ id, status: 'INFO', details: `event ${id}` }));
    return { json: { id: 7, patient_count: 10, status: run.status, events } };
  };
  api.routes[`GET ${RUN}/stats`] = {
    json: {
      run_id: 7,
      patient_count: 10,
      status: 'RUNNING',
      total_events: 1,
      success_events: 0,
      failure_events: 0,
      warning_events: 0,
      info_events: 1,
      debug_events: 0,
      max_iteration: 4,
    },
  };
  api.routes[`GET ${RUN}/metrics`] = { json: { queued_job_count: 3, worker_job_success_count: 1 } };
  return {
    api,
    joined,
    refuse: (why: string) => {
      refuse = why;
    },
    add: (...ids: number[]) => {
      run.ids.push(...ids);
      io.to('7').emit('sim_log_update', { run_id: 7, event: { id: ids.at(-1) } });
    },
    untilJoined: () =>
      untilAnswer(
        async () => joined.length,
        (count) => count > 0,
      ),
    progress: (payload: object) => io.to('7').emit('simulation_async_progress', { run_id: 7, ...payload }),
    end: (status: string) => {
      run.status = status;
      io.to('7').emit('sim_run_status_update', { run_id: 7, status });
    },
    [Symbol.asyncDispose]: async () => {
      io.disconnectSockets(true);
      await io.close();
      await api.close();
    },
  };
}

const clientOf = (apiUrl: string, token = 't'): ApiClient =>
  createApiClient({ apiUrl, insecure: false, credentials: { kind: 'token', value: token } });

/** Follows run 7 and keeps what is shown of it, in order. */
function follow(client: ApiClient, options: Partial<FollowOptions> = {}) {
  const shown: string[] = [];
  const display: RunDisplay = {
    event: ({ id }) => shown.push(`event ${id}`),
    status: ({ status }) => shown.push(status),
    progress: ({ jobsDone, jobs, patientsBegun, workers }) =>
      shown.push(`progress ${patientsBegun} ${jobsDone}/${jobs} ${workers}`),
    note: (text) => shown.push(`note ${text}`),
    end: () => {},
  };
  const ended = followRun({
    client,
    runId: 7,
    display,
    openLive: openLiveLink,
    tail: Number.POSITIVE_INFINITY,
    intervalMs: 50,
    signal: new AbortController().signal,
    nowMs: () => performance.now(),
    ...options,
  });
  let failed: unknown = null;
  ended.catch((error: unknown) => {
    failed = error;
  });
  const until = async (wanted: RegExp): Promise<void> => {
    const deadline = performance.now() + 30_000;
    while (!shown.some((line) => wanted.test(line))) {
      if (failed !== null) throw failed;
      if (performance.now() > deadline) throw new Error(`never shown ${wanted}: ${shown.join('; ')}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  const facts = (): string[] => shown.filter((line) => !/^(note|progress)/.test(line));
  return { shown, facts, ended, until };
}

const asked = (api: FakeApi): number => api.requests.filter(({ path }) => path === RUN).length;

describe('following a run', () => {
  it('shows events as they are announced, and ends with the run', async () => {
    await using server = await startRun();
    // A clock that would come too late.
    const { facts, ended, until, shown } = follow(clientOf(server.api.url), { intervalMs: 3_600_000 });
    await until(/^progress/);
    await server.untilJoined();
    server.progress({ queued_jobs: 9, completed_jobs: 5, active_workers: 2 });
    await until(/^progress 4 5\/9 2$/);
    server.add(2, 3);
    await until(/^event 3$/);
    server.add(4);
    server.end('COMPLETED');
    assert.equal((await ended).status, 'COMPLETED');
    assert.deepEqual(facts(), ['event 1', 'RUNNING', 'event 2', 'event 3', 'event 4', 'COMPLETED']);
    assert.deepEqual(server.joined, [{ run_id: 7 }]);
    assert.ok(!shown.some((line) => line.startsWith('note')));
  });

  for (const [what, token, why] of [
    ['socket', 'x', /who are you/],
    ['room', 't', /closed to you/],
  ] as const) {
    it(`looks every few seconds where the ${what} is refused, and says why once`, async () => {
      await using server = await startRun();
      server.refuse('closed to you');
      const { facts, ended, until, shown } = follow(clientOf(server.api.url, token));
      await until(/^note no live events/);
      server.add(2);
      await until(/^event 2$/);
      server.end('ERROR');
      assert.equal((await ended).status, 'ERROR');
      assert.deepEqual(facts(), ['event 1', 'RUNNING', 'event 2', 'ERROR']);
      const notes = shown.filter((line) => line.startsWith('note'));
      assert.equal(notes.length, 1);
      assert.match(notes[0]!, why);
    });
  }

  it('hears live events over TLS, where a self-signed certificate is taken', async () => {
    await using server = await startRun(selfSigned());
    const client = createApiClient({
      apiUrl: server.api.url,
      insecure: true,
      credentials: { kind: 'token', value: 't' },
    });
    const { ended, until, shown } = follow(client, { intervalMs: 3_600_000 });
    await until(/^progress/);
    await server.untilJoined();
    server.end('COMPLETED');
    await ended;
    assert.ok(!shown.some((line) => line.startsWith('note')), shown.join('\n'));
  });

  it('misses nothing and shows nothing twice when the socket is cut in the middle', async () => {
    await using server = await startRun();
    await using proxy = await startTcpProxy(Number(new URL(server.api.url).port));
    const direct = clientOf(server.api.url);
    const throughProxy = { ...direct, apiUrl: `http://127.0.0.1:${proxy.port}` };
    const { facts, ended, until } = follow(direct, {
      openLive: (options) => openLiveLink({ ...options, client: throughProxy }),
    });
    await server.untilJoined();
    server.add(2);
    await until(/^event 2$/);
    await proxy.close();
    await until(/^note no live events/);
    server.add(3, 4);
    await until(/^event 4$/);
    server.add(5);
    server.end('COMPLETED');
    await ended;
    assert.deepEqual(facts(), [
      'event 1',
      'RUNNING',
      'event 2',
      'event 3',
      'event 4',
      'event 5',
      'COMPLETED',
    ]);
  });

  it('waits for a server that is gone for a while, and gives up one that stays away', async () => {
    await using server = await startRun();
    const client = clientOf(server.api.url);
    const run = server.api.routes[`GET ${RUN}`]!;
    const away = { status: 503, json: { error: 'the database is away' } };
    const { ended, until, facts } = follow(client);
    await until(/^progress/);
    server.api.routes[`GET ${RUN}`] = away;
    await until(/^note the database is away\n.*\ntrying again/s);
    server.api.routes[`GET ${RUN}`] = run;
    await until(/^note the server answers again/);
    server.api.routes[`GET ${RUN}`] = away;
    const lost = follow(client, { patienceMs: 0 });
    await assert.rejects(lost.ended, { code: 'SERVER_REFUSED', message: /the database is away/ });
    server.api.routes[`GET ${RUN}`] = run;
    server.end('COMPLETED');
    await ended;
    assert.deepEqual(facts(), ['event 1', 'RUNNING', 'COMPLETED']);
  });

  it('ends at once when the run is not there', async () => {
    await using server = await startRun();
    server.api.routes[`GET ${RUN}`] = { status: 404, json: { error: 'there is no run 7 of yours' } };
    await assert.rejects(follow(clientOf(server.api.url)).ended, { code: 'SERVER_REFUSED' });
    assert.deepEqual([server.joined, asked(server.api)], [[], 1]);
  });

  it('ends when it is told to', async () => {
    await using server = await startRun();
    const abort = new AbortController();
    const { ended, until } = follow(clientOf(server.api.url), {
      signal: abort.signal,
      intervalMs: 3_600_000,
    });
    await until(/^progress/);
    abort.abort();
    await assert.rejects(ended, { code: 'CANCELLED' });
  });
});
