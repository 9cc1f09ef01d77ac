import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createLedgerClock } from './ledger-clock.ts';

it('a ledger clock corrects by the reading with the shortest round trip', async () => {
  let nowUs = 1_000_000;
  const clock = createLedgerClock({
    nowMs: () => nowUs / 1000,
    monotonicUs: () => nowUs,
    epochUs: () => nowUs,
  });
  const read = (roundTripUs: number, databaseMs: number): Promise<void> =>
    clock.synchronise(async () => {
      nowUs += roundTripUs;
      return databaseMs;
    });
  assert.equal(clock.uncertaintyUs, null);
  assert.equal(clock.epochUs(), nowUs);
  await read(10_000, 2000);
  assert.equal(clock.uncertaintyUs, 5000);
  await read(100, (nowUs + 50 + 700_000) / 1000);
  assert.equal(clock.uncertaintyUs, 50);
  assert.equal(Math.round(clock.epochUs() - nowUs), 700_000);
  await read(50_000, 9_999_999);
  assert.equal(Math.round(clock.epochUs() - nowUs), 700_000);
});
