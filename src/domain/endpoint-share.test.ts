import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { divideEndpoint, type SharedLimits, type ShareHolder } from './endpoint-share.ts';

const LIMITS: SharedLimits = { maxConnections: 4, maxPerSecond: 100, ramp: false };

/** Processes that ask in turn; each opens what it may, and closes what it must. */
function createTable(limits: SharedLimits) {
  const holders = new Map<string, ShareHolder>();
  const sum = (of: (holder: ShareHolder) => number): number =>
    [...holders.values()].reduce((total, holder) => total + of(holder), 0);
  return {
    ask: (name: string, wanted: number, nowMs: number, open = 0) => {
      const mine = holders.get(name) ?? null;
      const others = [...holders].filter(([other]) => other !== name).map(([, holder]) => holder);
      const { share, holder } = divideEndpoint({ limits, wanted, open, nowMs }, mine, others);
      holders.set(name, holder);
      return share;
    },
    connections: () => sum(({ connections }) => connections),
    perSecond: () => sum(({ perSecond }) => perSecond),
  };
}

describe('an endpoint that several processes share', () => {
  it('is all of the only one that wants it', () => {
    const table = createTable(LIMITS);
    assert.deepEqual(table.ask('a', 9, 0), { connections: 4, perSecond: 100 });
    assert.deepEqual(table.ask('a', 2, 1), { connections: 2, perSecond: 100 });
  });

  it('is divided when a second one comes, as soon as the first has given back', () => {
    const table = createTable(LIMITS);
    table.ask('a', 9, 0);
    assert.deepEqual(table.ask('b', 9, 1), { connections: 0, perSecond: 0 });
    // Four are open and in use.
    assert.deepEqual(table.ask('a', 9, 2, 4), { connections: 2, perSecond: 50 });
    assert.deepEqual(table.ask('b', 9, 3), { connections: 0, perSecond: 0 });
    assert.deepEqual(table.ask('a', 9, 4, 2), { connections: 2, perSecond: 50 });
    assert.deepEqual(table.ask('b', 9, 5), { connections: 2, perSecond: 50 });
  });

  it('leaves to others what one does not want', () => {
    const table = createTable(LIMITS);
    table.ask('a', 1, 0);
    assert.equal(table.ask('b', 9, 1).connections, 3);
  });

  it('is taken in turns when there are more processes than connections', () => {
    const table = createTable({ ...LIMITS, maxConnections: 1 });
    const served = { a: 0, b: 0, c: 0 };
    const open: Record<string, number> = {};
    for (let nowMs = 0; nowMs < 60_000; nowMs += 500) {
      for (const name of ['a', 'b', 'c'] as const) {
        const { connections } = table.ask(name, 5, nowMs, 0);
        open[name] = connections;
        served[name] += connections;
      }
      assert.ok(open.a! + open.b! + open.c! <= 1);
    }
    for (const times of Object.values(served)) assert.ok(times > 25, JSON.stringify(served));
  });

  it('allows one more connection a second when it ramps', () => {
    const table = createTable({ ...LIMITS, ramp: true });
    assert.equal(table.ask('a', 9, 0).connections, 1);
    assert.equal(table.ask('a', 9, 1500).connections, 2);
    assert.equal(table.ask('a', 9, 99_000).connections, 4);
  });

  it('is never had beyond its limits, whoever asks for what and when', () => {
    const asking = fc.record({
      name: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
      wanted: fc.nat(9),
      keeps: fc.nat(9),
      laterMs: fc.nat(2000),
    });
    fc.assert(
      fc.property(
        fc.array(asking, { maxLength: 60 }),
        fc.integer({ min: 1, max: 5 }),
        (askings, maxConnections) => {
          const table = createTable({ ...LIMITS, maxConnections });
          const open = new Map<string, number>();
          let nowMs = 0;
          for (const { name, wanted, keeps, laterMs } of askings) {
            nowMs += laterMs;
            const still = Math.min(keeps, open.get(name) ?? 0);
            const { connections } = table.ask(name, wanted, nowMs, still);
            open.set(name, Math.max(still, connections));
            const all = [...open.values()].reduce((sum, n) => sum + n, 0);
            assert.ok(all <= maxConnections, `${all} open`);
            assert.ok(table.connections() <= maxConnections);
            assert.ok(table.perSecond() <= 100 + 1e-9);
          }
        },
      ),
    );
  });
});
