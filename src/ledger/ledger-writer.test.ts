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
});
