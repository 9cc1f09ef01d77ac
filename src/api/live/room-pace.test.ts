import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRoomPace } from './room-pace.ts';

describe('room pace', () => {
  it('lets at most 20 events into any second', () => {
    const pace = createRoomPace<number>();
    const sentAt: number[] = [];
    for (let ms = 0; ms < 10_000; ms += 37) {
      for (let n = 0; n < 50; n++) pace.add('simulation_async_job_completed', n, ms);
      for (const _ of pace.take(ms)) sentAt.push(ms);
    }
    for (const start of sentAt) {
      const inSecond = sentAt.filter((ms) => ms >= start && ms < start + 1000);
      assert.ok(inSecond.length <= 20, `${inSecond.length} from ${start} on`);
    }
    assert.ok(sentAt.length >= 180);
  });

  it('sends a bounded backlog whole and in order, later', () => {
    const pace = createRoomPace<number>();
    for (let n = 0; n < 100; n++) pace.add('sim_log_update', n, 0);
    const sent: number[] = [];
    for (let ms = 0; pace.waitMs(ms) !== null; ms += Math.max(1, pace.waitMs(ms) ?? 1))
      for (const { payload } of pace.take(ms)) sent.push(payload);
    assert.deepEqual(
      sent,
      Array.from({ length: 100 }, (_, n) => n),
    );
    assert.equal(pace.skipped, 0);
  });

  it('keeps the newest of what never ends', () => {
    const pace = createRoomPace<number>();
    for (let n = 1; n <= 5000; n++) pace.add('simulation_async_job_queued', n, 0);
    const sent: number[] = [];
    for (let ms = 0; pace.waitMs(ms) !== null; ms += 100)
      for (const { payload } of pace.take(ms)) sent.push(payload);
    assert.equal(sent.at(-1), 5000);
    assert.equal(sent.length + pace.skipped, 5000);
  });

  it('lets kinds take turns, and a status follow the rows that led to it', () => {
    const pace = createRoomPace<string>();
    pace.add('sim_run_status_update', 'COMPLETED', 0);
    for (let n = 0; n < 3; n++) {
      pace.add('sim_log_update', `log ${n}`, 0);
      pace.add('simulation_async_job_completed', `job ${n}`, 0);
    }
    const sent = pace.take(0).map(({ payload }) => payload);
    assert.equal(sent.at(-1), 'COMPLETED');
    assert.deepEqual(
      sent.filter((text) => text.startsWith('log')),
      ['log 0', 'log 1', 'log 2'],
    );
    assert.notDeepEqual(sent.slice(0, 3), ['log 0', 'log 1', 'log 2']);
  });

  it('holds a status back no longer than a second', () => {
    const pace = createRoomPace<string>();
    for (let n = 0; n < 300; n++) pace.add('sim_log_update', 'log', 0);
    pace.add('sim_run_status_update', 'ERROR', 0);
    assert.ok(!pace.take(0).some(({ payload }) => payload === 'ERROR'));
    assert.equal(pace.take(1000)[0]?.payload, 'ERROR');
  });
});
