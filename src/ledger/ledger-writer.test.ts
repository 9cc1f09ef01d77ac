import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AttemptRow, EventRow, IterationRow, LedgerBatch, StoragePort } from '../storage/port.ts';
import { createLedgerWriter } from './ledger-writer.ts';

describe('a ledger writer', () => {
  it('stores the rows of one turn together, though they fill the batch', async () => {
    const batches: LedgerBatch[] = [];
    const writeLedger: StoragePort['writeLedger'] = async (batch) => {
      batches.push(batch);
      return { duplicateAttempts: 0, duplicateIterations: 0 };
    };
    await using ledger = createLedgerWriter({
      store: { writeLedger } as StoragePort,
      takeWindows: () => [],
      onFault: (fault) => assert.fail(fault),
      maxBatch: 2,
    });
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
    const writeLedger: StoragePort['writeLedger'] = async ({ events }) => {
      sizes.push(events.length);
      return { duplicateAttempts: 0, duplicateIterations: 0 };
    };
    await using ledger = createLedgerWriter({
      store: { writeLedger } as StoragePort,
      takeWindows: () => [],
      onFault: (fault) => assert.fail(fault),
    });
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
});
