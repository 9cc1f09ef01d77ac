import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Socket } from 'socket.io-client';
import { delay } from '../../src/lib/lifecycle.ts';
import { OWNER, useLive } from '../support/live-runs.ts';
import { startLiveServer } from '../support/live-server.ts';
import { until } from '../support/until.ts';

describe('who may watch a run', () => {
  const on = useLive();

  it('refuses a connection without a valid token, and says why', async () => {
    for (const token of ['', 'nonsense', 'user'])
      await assert.rejects(on.server.connect(token), (error: Error & { data?: unknown }) => {
        assert.deepEqual((error.data as { code: string }).code, 'UNAUTHENTICATED');
        return true;
      });
  });

  it('lets owners and administrators into the room of a run, and nobody else', async () => {
    const run = await on.createRun();
    const owner = await on.server.connect(`user:${OWNER}`);
    const admin = await on.server.connect('admin:1');
    const other = await on.server.connect('user:8');
    for (const client of [owner, admin])
      assert.deepEqual(await client.join(run.id), {
        ok: true,
        run_id: run.id,
        status: 'PENDING',
        last_event_id: 0,
      });
    const refusal = { error: `there is no run ${run.id} of yours`, code: 'RUN_NOT_FOUND', run_id: run.id };
    assert.deepEqual(await other.join(run.id), { ok: false, ...refusal });
    await until(() => other.of('error').length > 0);
    assert.deepEqual(other.of('error'), [refusal]);
    await on.writeEvents(run.id, 1);
    for (const client of [owner, admin]) await until(() => client.of('sim_log_update').length === 1);
    assert.deepEqual(other.of('sim_log_update'), []);
  });

  it('answers nonsense with an error, and stays', async () => {
    const run = await on.createRun();
    const client = await on.server.connect(`user:${OWNER}`);
    const nonsense = [
      undefined,
      null,
      7,
      'x',
      {},
      { run_id: null },
      { run_id: -1 },
      { run_id: '7x' },
      { run_id: 1e99 },
      [],
    ];
    for (const payload of nonsense) client.socket.emit('join_run_room', payload);
    client.socket.emit('leave_run_room', { run_id: {} });
    client.socket.emit('no_such_event', {});
    await until(() => client.of('error').length === nonsense.length);
    for (const { code } of client.of('error') as { code: string }[]) assert.equal(code, 'VALIDATION');
    const missing = await client.join(999_999);
    assert.deepEqual([missing.ok, missing.code], [false, 'RUN_NOT_FOUND']);
    assert.equal((await client.socket.emitWithAck('join_run_room', { run_id: String(run.id) })).ok, true);
  });

  it('ends the connection when its token ends', async () => {
    const ending = await startLiveServer({
      store: on.store,
      live: on.live,
      change: {
        authenticate: async () => ({ id: OWNER, isAdmin: false, expiresAtMs: Date.now() + 300 }),
      },
    });
    const client = await ending.connect('short');
    await until(() => client.socket.disconnected);
    assert.equal((client.of('error')[0] as { code: string }).code, 'UNAUTHENTICATED');
    await ending.close();
  });

  it('takes away what somebody may no longer have', async () => {
    const run = await on.createRun();
    let rights: { id: number; isAdmin: boolean; expiresAtMs: null } | null = {
      ...{ id: 1, isAdmin: true, expiresAtMs: null },
    };
    const own = await startLiveServer({
      store: on.store,
      live: on.live,
      change: { authenticate: async () => rights, recheckIntervalMs: 50 },
    });
    const client = await own.connect('somebody');
    await client.join(run.id);
    rights = { ...rights, isAdmin: false };
    await until(async () => {
      const before = client.of('sim_log_update').length;
      await on.writeEvents(run.id, 1);
      await delay(300);
      return client.of('sim_log_update').length === before;
    });
    rights = null;
    await until(() => client.socket.disconnected);
    await own.close();
  });

  it('ends a client that asks faster than anybody can, and one that sends too much', async () => {
    const fast = await on.server.connect('user:30', { transports: ['websocket'] });
    for (let n = 0; n < 500; n++) fast.socket.emit('leave_run_room', { run_id: n });
    await until(() => fast.socket.disconnected);
    const large = await on.server.connect('user:30', { transports: ['websocket'] });
    large.socket.emit('join_run_room', { run_id: 1, more: 'x'.repeat(100_000) });
    await until(() => large.socket.disconnected);
  });

  it('bounds the rooms of a connection and the connections of a user', async () => {
    const run = await on.createRun(40);
    const client = await on.server.connect('admin:40', { transports: ['websocket'] });
    const answers: { ok: boolean; code?: string }[] = [];
    for (let n = 0; n < 51; n++) {
      const { id } = n < 50 ? await on.createRun(40) : run;
      answers.push((await client.join(id)) as { ok: boolean; code?: string });
      await delay(20);
    }
    assert.equal(answers.filter(({ ok }) => ok).length, 50);
    assert.equal(answers.at(-1)!.code, 'TOO_MANY_REQUESTS');
    for (let n = 0; n < 49; n++) await on.server.connect('user:40', { transports: ['websocket'] });
    await assert.rejects(on.server.connect('user:40', { transports: ['websocket'] }), /connections open/);
  });

  it('lets a client go that takes nothing up, and goes on with the others', async () => {
    const own = await startLiveServer({ store: on.store, live: on.live });
    const slow = await own.connect(`user:${OWNER}`, { transports: ['websocket'] });
    const other = await own.connect(`user:${OWNER}`, { transports: ['websocket'] });
    stopReading(slow.socket);
    const message = 'x'.repeat(1_000_000);
    for (let n = 1; n <= 60 && own.sockets() === 2; n++) {
      on.live.publish({ kind: 'listener', status: 'error', port: null, message });
      await until(() => other.of('listener_status').length === n);
    }
    assert.equal(own.sockets(), 1);
    await own.close();
  });
});

/** Like a browser that hangs: its system takes what fits into its buffers, and no more. */
function stopReading(socket: Socket): void {
  const { transport } = socket.io.engine as unknown as { transport: { ws: { pause(): void } } };
  transport.ws.pause();
}
