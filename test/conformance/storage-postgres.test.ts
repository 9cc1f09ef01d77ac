import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import pg from 'pg';
import type { CoordinationPort } from '../../src/storage/coordination-port.ts';
import { openPostgresStore } from '../../src/storage/postgres/open-postgres-store.ts';
import type { Postgres } from '../support/postgres.ts';
import { startPostgres, without } from '../support/services.ts';
import { coordinationConforms } from './coordination-suite.ts';
import { storageConforms } from './storage-suite.ts';

describe('a store in PostgreSQL', { skip: without('postgresql') }, () => {
  let postgres: Postgres;
  let databaseUrl: string;
  let store: CoordinationPort;
  let other: CoordinationPort;

  before(async () => {
    postgres = await startPostgres();
    databaseUrl = await postgres.createDatabase();
    [store, other] = await Promise.all([
      openPostgresStore({ databaseUrl, migrate: true }),
      openPostgresStore({ databaseUrl, migrate: true }),
    ]);
  });
  after(async () => {
    await Promise.all([store.close(), other.close()]);
    await postgres.close();
  });

  it('is made once by processes that start together', async () => {
    assert.deepEqual(await store.deployment(), await other.deployment());
  });

  storageConforms('PostgreSQL', () => store);
  coordinationConforms('PostgreSQL', () => ({ one: store, other }));

  it('is not touched by a program older than its tables', async () => {
    const url = await postgres.createDatabase();
    await (await openPostgresStore({ databaseUrl: url, migrate: true })).close();
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query("insert into schema_migrations values (9000000000000, 'of a later version')");
    await client.end();
    await assert.rejects(openPostgresStore({ databaseUrl: url }), {
      code: 'SCHEMA_OUTDATED',
      message: /made by a newer Yeeter/,
    });
  });

  it('names the server, but not the password, when it does not answer', async () => {
    const silent = 'postgres://app:secret@127.0.0.1:1/ledger';
    await assert.rejects(openPostgresStore({ databaseUrl: silent }), (error: Error & { code: string }) => {
      assert.equal(error.code, 'CONNECT_REFUSED');
      assert.match(error.message, /database 127\.0\.0\.1:1\/ledger/);
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });
  });
});
