import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { delay } from '../../src/lib/lifecycle.ts';
import { newRun } from './ledger-rows.ts';
import type { SharedStores } from './shared-stores.ts';

/** Limits of a system under test hold for all processes together. */
export function endpointLimitsConform(name: string, stores: () => SharedStores): void {
  describe(`${name}, limits of an endpoint`, () => {
    const limits = { maxConnections: 4, maxPerSecond: 100, ramp: false };
    const asker = (address: string, holder: string) => ({ address, holder, limits, validMs: 60_000 });

    it('are divided among those who ask, and given on when one leaves', async () => {
      const address = `${crypto.randomUUID()}:104`;
      const { one, other } = stores();
      const [a, b] = [asker(address, 'a'), asker(address, 'b')];
      const all = { connections: 4, perSecond: 100 };
      const half = { connections: 2, perSecond: 50 };
      assert.deepEqual(await one.shareEndpoint({ ...a, wanted: 9, open: 0 }), all);
      const none = { connections: 0, perSecond: 0 };
      assert.deepEqual(await other.shareEndpoint({ ...b, wanted: 9, open: 0 }), none);
      assert.deepEqual(await one.shareEndpoint({ ...a, wanted: 9, open: 2 }), half);
      assert.deepEqual(await other.shareEndpoint({ ...b, wanted: 9, open: 0 }), half);
      await one.leaveEndpoint(address, 'a');
      assert.deepEqual(await other.shareEndpoint({ ...b, wanted: 9, open: 2 }), all);
    });

    it('are not exceeded by askings at the same time', async () => {
      const address = `${crypto.randomUUID()}:104`;
      const askings = Array.from({ length: 12 }, (_, n) =>
        (n % 2 ? stores().one : stores().other).shareEndpoint({
          ...asker(address, `holder ${n}`),
          ...{ wanted: 2, open: 0 },
        }),
      );
      const shares = await Promise.all(askings);
      assert.ok(shares.reduce((sum, { connections }) => sum + connections, 0) <= 4);
      assert.ok(shares.reduce((sum, { perSecond }) => sum + perSecond!, 0) <= 100.001);
    });

    it('lapse for whoever asks no more', async () => {
      const address = `${crypto.randomUUID()}:104`;
      await stores().one.shareEndpoint({ ...asker(address, 'dead'), wanted: 9, open: 0, validMs: 1 });
      await delay(5);
      const { connections } = await stores().one.shareEndpoint({
        ...asker(address, 'alive'),
        wanted: 9,
        open: 0,
      });
      assert.equal(connections, 4);
    });

    it('in bytes are taken by parts, to the last that is of use', async () => {
      const runId = (await stores().one.createRun(newRun())).id;
      const { one, other } = stores();
      const ask = { runId, address: 'pacs:104', budget: 100, upTo: 40 };
      assert.equal(await one.takeBytes({ ...ask, atLeast: 10 }), 40);
      assert.equal(await other.takeBytes({ ...ask, atLeast: 10 }), 40);
      assert.equal(await one.takeBytes({ ...ask, atLeast: 30 }), 0);
      assert.equal(await one.takeBytes({ ...ask, atLeast: 10 }), 20);
      await other.giveBytesBack(runId, 'pacs:104', 15);
      assert.equal(await one.takeBytes({ ...ask, atLeast: 1 }), 15);
    });
  });
}
