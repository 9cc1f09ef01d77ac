import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EndpointLimits } from '../domain/endpoint.ts';
import { systemClock } from '../lib/clock.ts';
import { createEndpointGate } from './endpoint-gate.ts';

const open: EndpointLimits = { maxConnections: 4, maxPerSecond: null, maxBytes: null, ramp: false };
const never = new AbortController().signal;

const gateWith = (limits: Partial<EndpointLimits>, onBudgetSpent = (): void => {}) =>
  createEndpointGate({ limits: { ...open, ...limits }, clock: systemClock, onBudgetSpent });

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
});
