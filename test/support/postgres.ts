import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFileSync, chownSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import type { Closeable } from '../../src/lib/lifecycle.ts';
import { onFreePort, type ServiceChild, startChild, temporaryFolder, untilReady } from './child.ts';
import { POSTGRES_BIN } from './programs.ts';

/** Names the server that a whole test session shares: `postgres://USER@HOST:PORT/DATABASE`. */
export const POSTGRES_URL_VARIABLE = 'YEETER_TEST_DATABASE_URL';

export interface Postgres extends Closeable {
  readonly host: string;
  readonly port: number;
  /** Of the maintenance database; tests work in one of their own. */
  readonly url: string;
  /**
   * A new database and its URL; dropped on close.
   * @param template a database to clone, to which nobody may be connected
   */
  createDatabase(template?: string): Promise<string>;
}

/** A server of our own, which may be made to fail. */
export interface PrivatePostgres extends Postgres {
  /** Ends it without a shutdown, like a crash of its processes. */
  crash(): Promise<void>;
  /** Starts it again after a crash. */
  start(): Promise<void>;
}

/** The server of the test session, or one of our own when a test file runs alone. */
export async function startPostgres(): Promise<Postgres> {
  const shared = process.env[POSTGRES_URL_VARIABLE];
  return shared === undefined ? startPrivatePostgres() : attach(shared, async () => {});
}

/**
 * The data is worth nothing once the tests are over, and survives what they do to the server: what it has committed is
 * with the operating system.
 */
const SETTINGS = [
  "listen_addresses = '127.0.0.1'",
  "unix_socket_directories = ''",
  'fsync = off',
  'full_page_writes = off',
].join('\n');

/** @param settings lines of postgresql.conf that win over those of the tests */
export async function startPrivatePostgres(settings: readonly string[] = []): Promise<PrivatePostgres> {
  const root = process.getuid?.() === 0;
  const folder = temporaryFolder();
  try {
    const home = mkdtempSync(path.join(folder, 'postgres-'));
    const user = root ? 'postgres' : undefined;
    if (user !== undefined) giveTo(user, [folder, home]);
    const data = path.join(home, 'data');
    const options = { cwd: home, ...(user === undefined ? {} : { user }) };
    const prepare = startChild(
      `${POSTGRES_BIN}/initdb`,
      ['-D', data, '-U', 'app', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'],
      options,
    );
    await new Promise((resolve) => prepare.process.on('exit', resolve));
    if (prepare.process.exitCode !== 0) throw new Error(`initdb failed:\n${prepare.output()}`);
    appendFileSync(path.join(data, 'postgresql.conf'), `\n${[SETTINGS, ...settings].join('\n')}\n`);
    return await onFreePort(async (port) => {
      const start = async (): Promise<ServiceChild> => {
        const started = startChild(`${POSTGRES_BIN}/postgres`, ['-D', data, '-p', String(port)], options);
        await untilReady(started, () => started.output().includes('ready to accept connections'));
        return started;
      };
      let child = await start();
      const attached = attach(`postgres://app@127.0.0.1:${port}/postgres`, async () => {
        // SIGINT is its fast shutdown: open sessions are ended.
        await child.stop('SIGINT');
        rmSync(folder, { recursive: true, force: true });
      });
      return {
        ...attached,
        // SIGQUIT is its immediate shutdown: no session ends in order, and the log is replayed at the next start.
        crash: () => child.stop('SIGQUIT'),
        start: async () => {
          child = await start();
        },
      };
    });
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

/** The server refuses to run as root, and its user must be able to reach its folder. */
function giveTo(user: string, folders: readonly string[]): void {
  const id = (flag: string): number => Number(execFileSync('id', [flag, user], { encoding: 'utf8' }));
  for (const folder of folders) chownSync(folder, id('-u'), id('-g'));
}

function attach(url: string, stop: () => Promise<void>): Postgres {
  const address = new URL(url);
  const created: string[] = [];
  const withClient = async (work: (client: pg.Client) => Promise<unknown>): Promise<void> => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      await work(client);
    } finally {
      await client.end();
    }
  };
  let closing: Promise<void> | null = null;
  const close = async (): Promise<void> => {
    if (created.length > 0) {
      await withClient(async (client) => {
        for (const name of created) await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      });
    }
    await stop();
  };
  const closeOnce = (): Promise<void> => {
    closing ??= close();
    return closing;
  };
  return {
    host: address.hostname,
    port: Number(address.port),
    url,
    createDatabase: async (template = 'template0') => {
      const name = `test_${randomBytes(6).toString('hex')}`;
      await withClient((client) => client.query(`CREATE DATABASE ${name} TEMPLATE ${template}`));
      created.push(name);
      return Object.assign(new URL(url), { pathname: `/${name}` }).href;
    },
    close: closeOnce,
    [Symbol.asyncDispose]: closeOnce,
  };
}
