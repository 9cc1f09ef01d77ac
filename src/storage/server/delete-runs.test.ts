import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock } from '../../lib/clock.ts';
import { createDatabase } from '../database.ts';
import type { SqlExecutor, SqlQueries } from '../sql-executor.ts';
import { createRunDeletion } from './delete-runs.ts';

/** A database with run 1, which is to be deleted and has two batches of events and few other rows. */
function databaseThat(has: { shared: boolean; runUnderWay: boolean }) {
  const statements: string[] = [];
  let batches = 2;
  const query: SqlQueries['query'] = async (text) => {
    statements.push(text.trim());
    if (text.includes('from deleted_runs') && text.includes('select')) return [[1]];
    if (text.includes('limit 1 offset') && text.includes('from run_events') && batches-- > 0) return [[9]];
    return text.includes('completed_at_ms is null') && has.runUnderWay ? [[1]] : [];
  };
  const executor: SqlExecutor = {
    shared: has.shared,
    query,
    repeatable: (work) => work(),
    transaction: (work) => work({ query }),
    close: async () => {},
    [Symbol.asyncDispose]: async () => {},
  };
  return { statements, database: createDatabase(executor, 'here') };
}

async function vacuumed(has: { shared: boolean; runUnderWay: boolean }): Promise<string[]> {
  const { statements, database } = databaseThat(has);
  const deleted = await createRunDeletion({ database, clock: systemClock }).deleteRuns([1]);
  assert.deepEqual(deleted, [1]);
  assert.equal(statements.filter((text) => text.startsWith('delete from run_events')).length, 3);
  return statements.filter((text) => text.startsWith('vacuum'));
}

describe('the room of deleted rows', () => {
  it('is free again in a database that nobody else cleans', async () => {
    assert.deepEqual(await vacuumed({ shared: false, runUnderWay: false }), ['vacuum run_events']);
  });

  it('has to wait while a run is under way', async () => {
    assert.deepEqual(await vacuumed({ shared: false, runUnderWay: true }), []);
  });

  it('is left to the server that a shared database has', async () => {
    assert.deepEqual(await vacuumed({ shared: true, runUnderWay: false }), []);
  });
});
