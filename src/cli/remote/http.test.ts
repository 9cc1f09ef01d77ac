import assert from 'node:assert/strict';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { type FakeAnswer, type FakeRoutes, startFakeApi } from '../../../test/support/fake-api.ts';
import { selfSigned } from '../../../test/support/self-signed.ts';
import { type Credentials, createApiClient } from './http.ts';

const OK = z.object({ ok: z.boolean() });
const PATH = '/api/x';

const clientOf = (apiUrl: string, credentials: Credentials = null, silenceMs = 30_000) =>
  createApiClient({ apiUrl, insecure: false, credentials, silenceMs });

const ask = async (routes: FakeRoutes, silenceMs?: number) => {
  await using api = await startFakeApi(routes);
  return await clientOf(api.url, null, silenceMs).json(OK, { path: PATH });
};

describe('the client of a server', () => {
  it('sends what is asked, leaves out what is not given, and shows its credentials', async () => {
    await using api = await startFakeApi({ [`POST ${PATH}`]: { status: 202, json: { ok: true } } });
    const token = clientOf(api.url, { kind: 'token', value: 't0ken' });
    const request = { path: PATH, query: { a: 1, b: null, c: undefined, d: 'x y' } };
    assert.deepEqual(await token.json(OK, { ...request, method: 'POST', body: { n: 1 } }), { ok: true });
    const key = clientOf(api.url, { kind: 'api_key', value: 'ytr_k' });
    await key.json(OK, { path: PATH, method: 'POST', body: {} });
    const [first, second] = api.requests;
    assert.deepEqual([first!.query, first!.body], [{ a: '1', d: 'x y' }, { n: 1 }]);
    assert.equal(first!.headers.authorization, 'Bearer t0ken');
    assert.deepEqual([second!.headers.authorization, second!.headers['x-api-key']], [undefined, 'ytr_k']);
  });

  it('finds a server below a path', async () => {
    await using api = await startFakeApi({ 'GET /yeeter/api/x': { json: { ok: true } } });
    assert.deepEqual(await clientOf(`${api.url}/yeeter`).json(OK, { path: PATH }), { ok: true });
  });

  it('says where nothing listens and what to do', async () => {
    const api = await startFakeApi();
    await api.close();
    await assert.rejects(clientOf(api.url).json(OK, { path: PATH }), {
      code: 'CONNECT_REFUSED',
      retryable: true,
      message: `${api.url}: nothing listens there: is "yeeter serve" running? Otherwise check --api-url`,
    });
  });

  it('does not wait for ever on a server that says nothing', async () => {
    await assert.rejects(ask({ [`GET ${PATH}`]: { raw: () => {} } }, 50), { code: 'CONNECT_TIMEOUT' });
  });

  it('tells a connection that breaks in the middle of an answer', async () => {
    const raw: FakeAnswer['raw'] = (response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{"ok":');
      setTimeout(() => response.destroy(), 20);
    };
    await assert.rejects(ask({ [`GET ${PATH}`]: { raw } }), { code: 'CONNECT_FAILED', retryable: true });
  });

  it('tells another program from a Yeeter server', async () => {
    await assert.rejects(ask({ [`GET ${PATH}`]: { text: '<html>' } }), { code: 'SERVER_ANSWER' });
    await assert.rejects(ask({ [`GET ${PATH}`]: { json: { ok: 3 } } }), {
      code: 'SERVER_ANSWER',
      message: /\(ok: /,
    });
  });

  it('follows no redirection, since credentials would go along', async () => {
    const away = { status: 302, headers: { location: 'http://elsewhere.example/' } };
    await assert.rejects(ask({ [`GET ${PATH}`]: away }), {
      code: 'SERVER_ANSWER',
      message: /answers 302 and points to http:\/\/elsewhere\.example\//,
    });
  });

  it('takes a self-signed certificate only when it is told to', async () => {
    await using api = await startFakeApi({ [`GET ${PATH}`]: { json: { ok: true } } }, selfSigned());
    await assert.rejects(clientOf(api.url).json(OK, { path: PATH }), {
      code: 'TLS_FAILED',
      message: /--insecure/,
    });
    const trusting = createApiClient({ apiUrl: api.url, insecure: true, credentials: null });
    assert.deepEqual(await trusting.json(OK, { path: PATH }), { ok: true });
  });

  it('says so when the server speaks no TLS', async () => {
    await using api = await startFakeApi();
    const client = clientOf(api.url.replace('http:', 'https:'));
    await assert.rejects(client.json(OK, { path: PATH }), { code: 'TLS_FAILED', message: /http:\/\// });
  });

  it('ends with its signal', async () => {
    await using api = await startFakeApi({ [`GET ${PATH}`]: { raw: () => {} } });
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 20);
    await assert.rejects(clientOf(api.url).json(OK, { path: PATH, signal: abort.signal }), {
      code: 'CANCELLED',
    });
  });

  it('hands on the bytes of a download, and the error of one that is refused', async () => {
    await using api = await startFakeApi({ [`GET ${PATH}`]: { text: 'a,b\r\n1,2\r\n' } });
    assert.equal(await text(await clientOf(api.url).download({ path: PATH })), 'a,b\r\n1,2\r\n');
    await assert.rejects(clientOf(api.url).download({ path: '/api/y' }), { code: 'SERVER_REFUSED' });
  });
});
