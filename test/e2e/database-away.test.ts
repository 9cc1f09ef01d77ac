import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { after, before, describe, it } from 'node:test';
import { type CliRun, startYeeter, untilServing } from '../support/cli.ts';
import { type PrivatePostgres, startPrivatePostgres } from '../support/postgres.ts';
import { without } from '../support/programs.ts';
import { type Rabbitmq, startRabbitmq } from '../support/rabbitmq.ts';
import { untilAnswer } from '../support/until.ts';

const ADMIN = { username: 'operator', password: 'correct horse' };
/** Some three seconds, on a machine that is not busy. */
const SOON_MS = 15_000;

describe('a server whose database is away', { skip: without('rabbitmq-server', 'postgresql') }, () => {
  let postgres: PrivatePostgres;
  let rabbitmq: Rabbitmq;
  let server: CliRun;
  let url: string;
  let token: string;

  const ask = async (path: string, body?: unknown): Promise<[number, Record<string, unknown>]> => {
    const response = await fetch(`${url}/api${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(SOON_MS),
    });
    return [response.status, (await response.json()) as Record<string, unknown>];
  };

  before(async () => {
    [postgres, rabbitmq] = await Promise.all([startPrivatePostgres(), startRabbitmq()]);
    server = startYeeter(['api', '--port', '0'], tmpdir(), undefined, {
      DATABASE_URL: await postgres.createDatabase(),
      RABBITMQ_URL: await rabbitmq.createVhost(),
      JWT_SECRET_KEY: 'a secret of thirty-two characters',
      YEETER_ADMIN_USER: ADMIN.username,
      YEETER_ADMIN_PASSWORD: ADMIN.password,
    });
    url = await untilServing(server);
    token = String((await ask('/auth/login', ADMIN))[1].access_token);
  });
  after(async () => {
    server.process.kill('SIGTERM');
    await server.ended;
    await rabbitmq.close();
    await postgres.close();
  });

  it('says so soon, whatever it is asked, and answers again when it is back', async () => {
    await postgres.crash();
    for (const [path, body] of [
      ['/simulator/templates'],
      ['/simulator/runs'],
      ['/auth/login', ADMIN],
      ['/admin/workers/scale', { replicas: 1, dry_run: true }],
    ] as const) {
      const [status, { error, code }] = await ask(path, body);
      assert.deepEqual([path, status, code], [path, 503, 'CONNECT_REFUSED']);
      assert.match(
        String(error),
        /^database 127\.0\.0\.1:\d+\/\w+: nothing listens there: check host and port/,
      );
    }
    const [status, health] = await ask('/health');
    assert.deepEqual([status, health.database, health.broker], [503, 'disconnected', 'connected']);
    const sockets: Socket[] = [];
    const silent = createServer((socket) => sockets.push(socket)).listen(postgres.port, '127.0.0.1');
    await once(silent, 'listening');
    const [answered, { error, code }] = await ask('/simulator/templates');
    assert.deepEqual([answered, code], [503, 'CONNECT_TIMEOUT'], String(error));
    silent.close();
    for (const socket of sockets) socket.destroy();
    await postgres.start();
    await untilAnswer(
      () => ask('/health'),
      ([answered]) => answered === 200,
    );
    assert.equal((await ask('/simulator/templates'))[0], 200);
  });
});
