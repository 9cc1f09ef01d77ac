import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import pg from 'pg';
import type { YeeterError } from '../../src/lib/errors.ts';
import { migratePostgres } from '../../src/storage/postgres/migrate-postgres.ts';
import { type PrivatePostgres, startPrivatePostgres } from '../support/postgres.ts';
import { without } from '../support/programs.ts';

/** Who may connect how: the maker of the roles without a password, `stranger` not at all, everybody else with one. */
const HBA = `
host all app,nobody 127.0.0.1/32 trust
host all stranger 127.0.0.1/32 reject
host all plain 127.0.0.1/32 password
host all all 127.0.0.1/32 scram-sha-256`;

describe('a database that does not let us in', { skip: without('postgresql') }, () => {
  let folder: string;
  let postgres: PrivatePostgres;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'yeeter-hba-'));
    // The server runs as a user of its own.
    chmodSync(folder, 0o755);
    const hba = join(folder, 'pg_hba.conf');
    writeFileSync(hba, HBA, { mode: 0o644 });
    postgres = await startPrivatePostgres([`hba_file = '${hba}'`]);
    const client = new pg.Client({ connectionString: postgres.url });
    await client.connect();
    await client.query("create role anna login password 'right'; create role plain login password 'right'");
    await client.query('create database closed');
    await client.query('revoke connect on database closed from public');
    await client.end();
  });
  after(async () => {
    await postgres.close();
    await rm(folder, { recursive: true });
  });

  const REFUSALS: readonly [string, string, string, RegExp][] = [
    ['a missing password', 'anna', 'postgres', /asks for a password, and the URL has none: write it as/],
    ['a missing password in clear', 'plain', 'postgres', /asks for a password, and the URL has none/],
    ['a wrong password', 'anna:secret', 'postgres', /refuses user or password \(.*"anna"\): check both/],
    ['a role that is not there', 'nobody', 'postgres', /role "nobody" does not exist: .*the user in the URL/],
    ['a role that may not connect', 'stranger', 'postgres', /pg_hba\.conf rejects .*the user in the URL/],
    ['a database that is not there', 'app', 'nowhere', /database "nowhere" does not exist: make it/],
    [
      'a database that is not for us',
      'anna:right',
      'closed',
      /permission denied for database "closed": grant/,
    ],
  ];
  for (const [what, user, database, reason] of REFUSALS) {
    it(`says so of ${what}`, async () => {
      const url = `postgres://${user}@127.0.0.1:${postgres.port}/${database}`;
      await assert.rejects(migratePostgres(url), (error: YeeterError) => {
        assert.deepEqual([error.code, error.retryable], ['LOGIN_REFUSED', false], error.message);
        assert.ok(
          error.message.startsWith(`database 127.0.0.1:${postgres.port}/${database}: `),
          error.message,
        );
        assert.match(error.message, reason);
        assert.doesNotMatch(error.message, /secret|SASL/);
        return true;
      });
    });
  }
});
