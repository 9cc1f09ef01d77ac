import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { delay } from '../lib/lifecycle.ts';
import type { AttemptRow, EventRow, IterationRow, LedgerBatch, StoragePort } from '../storage/port.ts';
import { createLedgerWriter, type LedgerWriter, type LedgerWriterOptions } from './ledger-writer.ts';

/** A writer whose batches go to `take`, and are stored when that resolves. */
function openWriter(
  take: (batch: LedgerBatch) => unknown,
  options: Pick<LedgerWriterOptions, 'maxBatch' | 'maxDelayMs' | 'worthwhile'> = {},
): LedgerWriter {
  const writeLedger: StoragePort['writeLedger'] = async (batch) => {
    await take(batch);
    return { duplicateAttempts: 0, duplicateIterations: 0 };
  };
  return createLedgerWriter({
    store: { writeLedger } as StoragePort,
    takeWindows: () => [],
    onFault: (fault) => assert.fail(fault),
    ...options,
  });
}

describe('a ledger writer', () => {
  it('stores the rows of one turn together, though they fill the batch', async () => {
    const batches: LedgerBatch[] = [];
    await using ledger = openWriter((batch) => batches.push(batch), { maxBatch: 2 });
    ledger.event({} as EventRow);
    ledger.attempt({} as AttemptRow);
    ledger.iteration({} as IterationRow);
    await ledger.flushed();
    assert.deepEqual(
      batches.map(({ events, attempts, iterations }) => [events.length, attempts.length, iterations.length]),
      [[1, 1, 1]],
    );
  });

  it('stores many log lines in few transactions', async () => {
    const sizes: number[] = [];
    await using ledger = openWriter(({ events }) => sizes.push(events.length));
    for (let n = 0; n < 5000; n++) {
      ledger.event({} as EventRow);
      if (n % 10 === 0) await null;
    }
    await ledger.flushed();
    assert.equal(
      sizes.reduce((sum, size) => sum + size, 0),
      5000,
    );
    assert.ok(sizes.length <= 50, `${sizes.length} transactions`);
  });

  it('lets rows wait no longer when told that nothing more comes', async () => {
    const written = Promise.withResolvers<LedgerBatch>();
    await using ledger = openWriter(written.resolve, { maxDelayMs: 60_000 });
    ledger.attempt({} as AttemptRow);
    ledger.hurry();
    ledger.iteration({} as IterationRow);
    const { attempts, iterations } = await written.promise;
    assert.deepEqual([attempts.length, iterations.length], [1, 1]);
  });

  describe('while a flush is under way', () => {
    const WORTHWHILE = 100;
    /** @returns sizes of the flushes so far, the first of which lasts until `release` is called */
    const openHeld = () => {
      const sizes: number[] = [];
      const held = Promise.withResolvers<void>();
      const take = async ({ events }: LedgerBatch): Promise<void> => {
        sizes.push(events.length);
        if (sizes.length === 1) await held.promise;
      };
      const ledger = openWriter(take, { maxBatch: 1000, worthwhile: WORTHWHILE });
      const add = (count: number): void => {
        for (let n = 0; n < count; n++) ledger.event({} as EventRow);
      };
      return { ledger, sizes, release: held.resolve, add };
    };
    /** With what comes during the first flush, and right after it. */
    const sizesWith = async (during: number, after: number): Promise<number[]> => {
      const { ledger, sizes, release, add } = openHeld();
      await using _ = ledger;
      add(1);
      const first = ledger.flushed();
      while (sizes.length === 0) await delay(1);
      add(during);
      const second = ledger.flushed();
      release();
      await first;
      // Timers cannot come in between: what the end of the flush begins has begun.
      for (let turn = 0; turn < 10; turn++) await null;
      add(after);
      await second;
      await ledger.flushed();
      return sizes;
    };

    it('waits for company where rows come fast, until the next one is worthwhile', async () => {
      assert.deepEqual(await sizesWith(40, WORTHWHILE - 40), [1, WORTHWHILE]);
    });

    it('waits no longer once no more come', async () => {
      assert.deepEqual(await sizesWith(40, 0), [1, 40]);
    });

    it('begins the next one at once where few rows wait, or enough', async () => {
      assert.deepEqual(await sizesWith(10, 5), [1, 10, 5]);
      assert.deepEqual(await sizesWith(WORTHWHILE, 5), [1, WORTHWHILE, 5]);
    });
  });
});
