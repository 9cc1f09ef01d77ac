import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { io } from 'socket.io-client';
import type { Api } from '../../src/api/app.ts';
import { openTestApi, type TestApi } from '../support/api.ts';
import { startLiveServer } from '../support/live-server.ts';

const WRONG_KEY = `ytr_${'B'.repeat(43)}`;

/** `connected`, or the code of the refusal. */
async function connect(url: string, token: string, from?: string): Promise<string> {
  const extraHeaders: Record<string, string> = from === undefined ? {} : { 'x-forwarded-for': from };
  const socket = io(url, { auth: { token }, reconnection: false, forceNew: true, extraHeaders });
  try {
    return await new Promise<string>((resolve) => {
      socket.once('connect', () => resolve('connected'));
      socket.once('connect_error', (error: Error & { data?: { code: string } }) =>
        resolve(error.data?.code ?? error.message),
      );
    });
  } finally {
    socket.disconnect();
  }
}

describe('credentials of a live connection', () => {
  let api: TestApi;
  before(async () => {
    api = await openTestApi();
  });
  after(() => api.close());

  const serve = (strict: Api) =>
    startLiveServer({
      store: api.store,
      live: api.live,
      change: { signIn: strict.signIn, authenticate: strict.authenticate },
    });
  const statusOf = async (strict: Api, key: string): Promise<number> =>
    (await strict.app.inject({ url: '/api/admin/apikeys', headers: { 'x-api-key': key } })).statusCode;

  it('count against the address when they are wrong, together with those of requests', async () => {
    const { raw_key: key } = await api.ok('createApiKey', { body: { name: 'good' } });
    const strict = await api.another({ settings: { badCredentialsPerMinute: 3 } });
    await using server = await serve(strict);
    assert.equal(await connect(server.url, key), 'connected');
    assert.equal(await connect(server.url, ''), 'UNAUTHENTICATED', 'none is not a wrong one');
    assert.equal(await statusOf(strict, WRONG_KEY), 401);
    assert.equal(await connect(server.url, WRONG_KEY), 'UNAUTHENTICATED');
    assert.equal(await connect(server.url, 'no.token.atall'), 'UNAUTHENTICATED');
    assert.equal(await connect(server.url, WRONG_KEY), 'TOO_MANY_REQUESTS');
    assert.equal(await connect(server.url, 'no.token.atall'), 'TOO_MANY_REQUESTS');
    assert.equal(await statusOf(strict, WRONG_KEY), 429);
    assert.equal(await connect(server.url, key), 'connected', 'a good key goes on');
    assert.equal(await connect(server.url, api.admin.token), 'connected');
  });

  it('count against the address that a trusted proxy names', async () => {
    const strict = await api.another({ settings: { badCredentialsPerMinute: 1, trustProxy: true } });
    await using server = await serve(strict);
    assert.equal(await connect(server.url, WRONG_KEY, '198.51.100.7, 10.0.0.1'), 'UNAUTHENTICATED');
    assert.equal(await connect(server.url, WRONG_KEY, '198.51.100.7'), 'TOO_MANY_REQUESTS');
    assert.equal(await connect(server.url, WRONG_KEY, '198.51.100.8'), 'UNAUTHENTICATED');
    const headers = { 'x-api-key': WRONG_KEY, 'x-forwarded-for': '198.51.100.8' };
    assert.equal((await strict.app.inject({ url: '/api/admin/apikeys', headers })).statusCode, 429);
  });

  it('count against the connection’s own address where no proxy is trusted', async () => {
    const strict = await api.another({ settings: { badCredentialsPerMinute: 1 } });
    await using server = await serve(strict);
    assert.equal(await connect(server.url, WRONG_KEY, '198.51.100.7'), 'UNAUTHENTICATED');
    assert.equal(await connect(server.url, WRONG_KEY, '198.51.100.8'), 'TOO_MANY_REQUESTS');
  });

  it('end a connection when they are worth nothing any more, whatever its address has sent', async () => {
    const { raw_key: key } = await api.ok('createApiKey', { body: { name: 'ending' } });
    const strict = await api.another({ settings: { badCredentialsPerMinute: 1 } });
    await using server = await startLiveServer({
      store: api.store,
      live: api.live,
      change: { signIn: strict.signIn, authenticate: strict.authenticate, recheckIntervalMs: 50 },
    });
    const client = await server.connect(key);
    assert.equal(await connect(server.url, WRONG_KEY), 'UNAUTHENTICATED');
    const ended = new Promise((resolve) => client.socket.once('disconnect', resolve));
    const [newest] = await api.ok('listApiKeys');
    await api.ok('deleteApiKey', { params: { id: newest!.id } });
    await ended;
    assert.equal(client.of<{ code: string }>('error')[0]!.code, 'UNAUTHENTICATED');
  });
});
