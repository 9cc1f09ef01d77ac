import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { ask, type TestApi } from '../support/api.ts';

/** Section 1 of the contract. */
export function conventionsConform(api: () => TestApi): void {
  describe('conventions', () => {
    const json = { 'content-type': 'application/json' };
    const raw = async (method: 'POST' | 'DELETE' | 'GET', url: string, payload: string, headers = {}) => {
      const { admin, api: server } = api();
      const authorization = `Bearer ${admin.token}`;
      const reply = await server.app.inject({
        method,
        url,
        payload,
        headers: { ...json, authorization, ...headers },
      });
      return { status: reply.statusCode, body: reply.body === '' ? null : reply.json() };
    };

    it('an unknown route is answered with JSON that names it', async () => {
      for (const path of ['/api/nowhere?x=1', '/', '/api/simulator/runs/1/2/3', '/socket.io.js']) {
        const { status, body } = await api().call('GET', path);
        assert.equal(status, 404);
        assert.equal(body.code, 'NOT_FOUND');
        assert.ok(String(body.error).includes(`GET ${path.split('?')[0]}`));
      }
      assert.equal((await api().call('PATCH', '/api/health')).status, 404);
    });

    it('malformed JSON is 400', async () => {
      for (const payload of ['{', '{"username":}', '[1,', 'nonsense', '{"__proto__":{"x":1}}']) {
        const { status, body } = await raw('POST', '/api/auth/login', payload);
        assert.equal(status, 400, payload);
        assert.equal(body.code, 'REQUEST_MALFORMED');
      }
    });

    it('another type than JSON is refused in words', async () => {
      const { status, body } = await raw('POST', '/api/auth/login', 'a=b', {
        'content-type': 'application/x-www-form-urlencoded',
      });
      assert.equal(status, 400);
      assert.match(body.error, /application\/json/);
    });

    it('all faults of a request are told at once, each with its place', async () => {
      const { status, body } = await api().call('POST', '/api/auth/register', {
        body: { username: 'ab', email: 'nobody', password: 7 },
      });
      assert.equal(status, 422);
      const faults = body.error as { loc: string[]; msg: string; type: string }[];
      assert.deepEqual(faults.map(({ loc }) => loc[0]).sort(), ['email', 'password', 'username']);
      for (const { msg, type } of faults) assert.ok(msg !== '' && type !== '');
      assert.match(String(body.message), /username: .*; email: .*; password: /);
      assert.doesNotMatch(String(body.message), /\n/);
    });

    it('a body that is no object is 422', async () => {
      for (const payload of ['[]', '"text"', '7', 'null', 'true'])
        assert.equal((await raw('POST', '/api/auth/login', payload)).status, 422, payload);
    });

    it('an empty body counts as {}, also with a JSON content type and on DELETE', async () => {
      const key = await raw('POST', '/api/admin/apikeys', '');
      assert.equal(key.status, 422);
      assert.deepEqual(key.body.error[0].loc, ['name']);
      assert.equal((await raw('POST', '/api/listener/stop', '')).status, 200);
      assert.equal((await raw('POST', '/api/listener/stop', '  ')).status, 200);
      assert.equal((await raw('DELETE', '/api/admin/apikeys/999999', '')).status, 404);
      assert.equal((await raw('DELETE', '/api/admin/apikeys/999999', '{}')).status, 404);
    });

    it('integers may come as strings of digits, and nothing else is coerced', async () => {
      const endpoint = { name: 'digits', endpoint_type: 'MLLP', hostname: '127.0.0.1' };
      const made = await api().ok('createEndpoint', { body: { ...endpoint, port: '2575' } });
      assert.equal(made.port, 2575);
      for (const port of ['2575.0', ' 2575', '0x10', true, 2575.5, null, [2575], '']) {
        const { status } = await api().call('POST', '/api/endpoints', {
          as: api().admin,
          body: { ...endpoint, port },
        });
        assert.equal(status, 422, JSON.stringify(port));
      }
    });

    it('unknown fields are ignored', async () => {
      const key = await api().ok('createApiKey', { body: { name: 'ci', colour: 'red', id: 7 } });
      assert.deepEqual(Object.keys(key).sort(), ['key_prefix', 'message', 'name', 'raw_key']);
    });

    it('an id that cannot be one is not found', async () => {
      for (const id of ['0', '-1', 'x', '1.5', '1e3', '99999999999999999999', '%00', 'ä'])
        for (const path of ['/api/simulator/runs/', '/api/simulator/templates/', '/api/endpoints/'])
          assert.equal((await api().call('GET', path + id, { as: api().admin })).status, 404, path + id);
    });

    it('times are ISO 8601 in UTC with Z', async () => {
      const [user] = await api().ok('listUsers');
      assert.match(user!.created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    });

    it('CORS is open on /api for the methods and headers of browsers, and nowhere else', async () => {
      const headers = {
        origin: 'http://front.example',
        'access-control-request-method': 'DELETE',
        'access-control-request-headers': 'authorization,content-type,x-api-key',
      };
      const preflight = await api().call('OPTIONS', '/api/simulator/runs/1', { headers });
      assert.equal(preflight.status, 204);
      assert.equal(preflight.headers['access-control-allow-origin'], '*');
      const methods = String(preflight.headers['access-control-allow-methods']);
      for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) assert.ok(methods.includes(method));
      const allowed = String(preflight.headers['access-control-allow-headers']).toLowerCase();
      for (const header of ['authorization', 'content-type', 'x-api-key'])
        assert.ok(allowed.includes(header));
      const refused = await api().call('GET', '/api/nowhere', {
        headers: { origin: 'http://front.example' },
      });
      assert.equal(refused.headers['access-control-allow-origin'], '*');
      const outside = await api().call('GET', '/nowhere', { headers: { origin: 'http://front.example' } });
      assert.equal(outside.headers['access-control-allow-origin'], undefined);
    });

    it('configured origins alone are allowed', async () => {
      const strict = await api().another({ settings: { corsOrigins: ['http://front.example'] } });
      const asked = (origin: string) => ask(strict, 'GET', '/api/health', { headers: { origin } });
      const known = await asked('http://front.example');
      assert.equal(known.headers['access-control-allow-origin'], 'http://front.example');
      const unknown = await asked('http://evil.example');
      assert.equal(unknown.headers['access-control-allow-origin'], undefined);
    });

    it('a body of more than the limit is refused', async () => {
      const small = await api().another({ settings: { bodyLimitBytes: 1000 } });
      const { status, body } = await ask(small, 'POST', '/api/auth/login', {
        body: { username: 'x'.repeat(2000), password: '' },
      });
      assert.equal(status, 413);
      assert.equal(body.code, 'REQUEST_TOO_LARGE');
    });

    it('an upload of megabytes is taken', async () => {
      const content = `MSH|^~\\&|A|B|C|D|20260105||ORM^O01|1|T|2.3\r${'Z'.repeat(900_000)}`;
      const { status } = await api().call('POST', '/api/parse_hl7', {
        as: api().admin,
        body: { message: content, version: '2.5' },
      });
      assert.equal(status, 200);
    });

    it('no request goes without an answer', async () => {
      const never = new Promise<never>(() => {});
      const slow = await api().another({
        settings: { requestTimeoutMs: 50 },
        deps: { queues: { ...api().queues, list: () => never } },
      });
      const { status, body } = await ask(slow, 'GET', '/api/admin/queues', { as: api().admin });
      assert.equal(status, 503);
      assert.equal(body.code, 'REQUEST_TIMEOUT');
    });

    it('what is not HTTP is answered, and what is too long refused', async () => {
      const server = await api().another({});
      await server.app.listen({ port: 0, host: '127.0.0.1' });
      const { port } = server.app.server.address() as { port: number };
      const exchange = async (bytes: string): Promise<string> => {
        const socket = connect(port, '127.0.0.1');
        socket.end(bytes);
        return await text(socket);
      };
      assert.match(await exchange('nonsense\r\n\r\n'), /^HTTP\/1\.1 400 [\s\S]*"code":"REQUEST_MALFORMED"/);
      const long = await exchange(`GET / HTTP/1.1\r\nhost: a\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`);
      assert.match(long, /"code":/);
      const badUrl = await exchange(
        'GET /api/simulator/runs/%zz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n',
      );
      assert.match(badUrl, /^HTTP\/1\.1 4\d\d [\s\S]*"code":/);
    });

    it('a fault of the server is told without its insides, which are in the log', async () => {
      const broken = await api().another({
        deps: { queues: { ...api().queues, list: () => Promise.reject(new Error('secret insides')) } },
      });
      const {
        status,
        body,
        text: answer,
      } = await ask(broken, 'GET', '/api/admin/queues', { as: api().admin });
      assert.equal(status, 500);
      assert.equal(body.code, 'INTERNAL');
      assert.doesNotMatch(answer, /secret insides/);
      assert.ok(api().lines.some((line) => line.includes('secret insides')));
    });

    it('answers carry the headers of a safe server', async () => {
      const { headers } = await api().call('GET', '/api/health');
      assert.equal(headers['x-content-type-options'], 'nosniff');
      assert.equal(headers['x-frame-options'], 'SAMEORIGIN');
      assert.match(String(headers['content-security-policy']), /default-src 'none'/);
      assert.equal(headers['cache-control'], 'no-store');
      assert.equal(headers['x-powered-by'], undefined);
    });

    it('describes itself as OpenAPI 3.1, and as a page without scripts', async () => {
      const document = await api().ok('openapi');
      assert.equal(document.openapi, '3.1.0');
      const paths = document.paths as Record<string, Record<string, unknown>>;
      assert.ok(paths['/api/simulator/runs/{id}/metrics']?.get);
      const page = await api().call('GET', '/api/docs');
      assert.equal(page.status, 200);
      assert.match(page.text, /<h1>Yeeter API/);
      assert.doesNotMatch(page.text, /<script/i);
      for (const path of Object.keys(paths)) assert.ok(page.text.includes(path), path);
      const policy = String(page.headers['content-security-policy']);
      assert.match(policy, /style-src 'sha256-/);
    });
  });

  describe('health', () => {
    it('is healthy where database and broker answer', async () => {
      const { status, body } = await api().call('GET', '/api/health');
      assert.equal(status, 200);
      assert.deepEqual(
        { status: body.status, database: body.database, broker: body.broker },
        { status: 'healthy', database: 'connected', broker: 'connected' },
      );
    });

    it('is 503 where one of them does not', async () => {
      const ill = await api().another({ deps: { brokerHealth: () => Promise.reject(new Error('gone')) } });
      for (const path of ['/api/health', '/api/health/ready']) {
        const { status, body } = await ask(ill, 'GET', path);
        assert.equal(status, 503);
        assert.equal(body.status, 'unhealthy');
        assert.equal(body.broker, 'disconnected');
      }
      assert.equal((await ask(ill, 'GET', '/api/health/live')).status, 200);
    });
  });
}
