import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EndpointLimits } from '../domain/endpoint.ts';
import { systemClock } from '../lib/clock.ts';
import { createEndpointGate } from './endpoint-gate.ts';
import { type LimitShare, wholeShare } from './limit-share.ts';

const open: EndpointLimits = { maxConnections: 4, maxPerSecond: null, maxBytes: null, ramp: false };
const never = new AbortController().signal;

const gateWith = (limits: Partial<EndpointLimits>, onBudgetSpent = (): void => {}) =>
  createEndpointGate({ share: () => wholeShare({ ...open, ...limits }), clock: systemClock, onBudgetSpent });

describe('endpoint gate', () => {
  it('lets no more connections in than allowed', async () => {
    const gate = gateWith({ maxConnections: 2 });
    assert.deepEqual(await Promise.all([gate.enter(never), gate.enter(never)]), [true, true]);
    const abort = new AbortController();
    const third = gate.enter(abort.signal);
    abort.abort();
    assert.equal(await third, false);
  });

  it('begins with one connection when it ramps', async () => {
    const gate = gateWith({ ramp: true });
    assert.equal(await gate.enter(never), true);
    const abort = new AbortController();
    const second = gate.enter(abort.signal);
    abort.abort();
    assert.equal(await second, false);
    gate.close();
  });

  it('spaces messages by its rate', async () => {
    const gate = gateWith({ maxPerSecond: 100 });
    const startedMs = performance.now();
    for (let n = 0; n < 11; n++) assert.equal(await gate.pass(1, never), true);
    assert.ok(performance.now() - startedMs >= 98);
  });

  it('refuses what is beyond the byte budget and says so once', async () => {
    let said = 0;
    const gate = gateWith({ maxBytes: 100 }, () => said++);
    assert.equal(await gate.pass(60, never), true);
    assert.equal(await gate.pass(60, never), false);
    assert.equal(await gate.pass(1, never), false);
    assert.equal(said, 1);
  });

  it('closes what is idle before more is opened than allowed', async () => {
    const gate = gateWith({ maxConnections: 2 });
    let idle = 2;
    gate.count({ idle: () => idle, closeIdle: async () => idle-- });
    await gate.enter(never);
    await gate.makeRoom();
    assert.deepEqual([idle, gate.open()], [1, 2]);
  });

  it('follows a share that changes, both ways', async () => {
    let changed = (): void => {};
    let wanted = 0;
    const share: LimitShare = {
      ...wholeShare({ ...open, maxConnections: 0 }),
      connections: 0,
      onChange: (listener) => {
        changed = listener;
      },
      want: () => wanted++,
    };
    const changing = share as { -readonly [Key in keyof LimitShare]: LimitShare[Key] };
    const gate = createEndpointGate({ share: () => share, clock: systemClock, onBudgetSpent: () => {} });
    const entered = gate.enter(never);
    assert.deepEqual([wanted, gate.wanted(), gate.open()], [1, 1, 0]);
    changing.connections = 1;
    changed();
    assert.equal(await entered, true);
    let idle = 1;
    gate.count({ idle: () => idle, closeIdle: async () => idle-- });
    changing.connections = 0;
    changed();
    assert.equal(idle, 0, 'what is idle is closed at once');
    assert.equal(gate.open(), 1, 'what is in use is used to its end');
  });
});
