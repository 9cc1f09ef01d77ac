import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ask, PASSWORD, type TestApi } from '../support/api.ts';
import { until } from '../support/until.ts';

/** Section 2 of the contract, and the users of section 5. */
export function accountsConform(api: () => TestApi): void {
  describe('accounts', () => {
    const payloadOf = (token: string): string => token.split('.')[1]!;

    it('the first user becomes administrator, those after it do not', async () => {
      const { admin } = api();
      const login = await api().ok('login', { body: { username: admin.username, password: PASSWORD } });
      assert.equal(login.is_admin, true);
      const { username } = await api().user();
      assert.equal((await api().ok('login', { body: { username, password: PASSWORD } })).is_admin, false);
    });

    it('registration answers 201 with a token that works', async () => {
      const body = { username: 'Ünal Ö', email: 'u@example.org', password: PASSWORD };
      const made = await api().call('POST', '/api/auth/register', { body });
      assert.equal(made.status, 201);
      assert.deepEqual(Object.keys(made.body), ['message', 'access_token', 'username', 'is_admin']);
      const headers = { authorization: `Bearer ${String(made.body.access_token)}` };
      assert.equal((await api().call('GET', '/api/admin/apikeys', { headers })).status, 200);
    });

    it('a name or an address that is taken is 409, without regard to case', async () => {
      await api().user('Taken Name');
      const register = (username: string, email: string) =>
        api().call('POST', '/api/auth/register', { body: { username, email, password: PASSWORD } });
      const name = await register('tAKEN nAME', 'other@example.org');
      assert.equal(name.status, 409);
      assert.equal(name.body.code, 'NAME_TAKEN');
      assert.equal((await register('another name', 'TAKEN.name@example.org')).status, 409);
    });

    it('names, addresses and passwords have their bounds', async () => {
      const good = { username: 'bounds', email: 'bounds@example.org', password: PASSWORD };
      const wrong = [
        { username: 'ab' },
        { username: 'x'.repeat(51) },
        { username: 'a\nb c' },
        { email: 'bounds' },
        { password: 'seven77' },
        { password: 'x'.repeat(1001) },
        { password: 12345678 },
      ];
      for (const change of wrong) {
        const { status } = await api().call('POST', '/api/auth/register', { body: { ...good, ...change } });
        assert.equal(status, 422, JSON.stringify(change).slice(0, 80));
      }
    });

    it('a sign-in is without regard to the case of the name; wrong ones are 401, empty ones 422', async () => {
      const { username } = await api().user('Case Matters');
      const login = (name: unknown, password: unknown) =>
        api().call('POST', '/api/auth/login', { body: { username: name, password } });
      const signed = await login('cASE mATTERS', PASSWORD);
      assert.equal(signed.status, 200);
      assert.deepEqual(Object.keys(signed.body), ['access_token', 'username', 'is_admin']);
      assert.equal(signed.body.username, username);
      const wrong = await login(username, 'wrong password');
      const unknown = await login('nobody at all', PASSWORD);
      assert.equal(wrong.status, 401);
      assert.deepEqual(unknown.body, wrong.body);
      assert.equal((await login(undefined, undefined)).status, 422);
    });

    it('registration that is closed still lets the first account be made', async () => {
      const closed = await api().another({ settings: { registrationOpen: false } });
      const body = { username: 'late', email: 'late@example.org', password: PASSWORD };
      const { status, body: refusal } = await ask(closed, 'POST', '/api/auth/register', { body });
      assert.equal(status, 403);
      assert.match(String(refusal.error), /closed/);
      const { store } = api();
      const empty = await api().another({
        settings: { registrationOpen: false },
        deps: { store: { ...store, listUsers: async () => [] } },
      });
      assert.equal((await ask(empty, 'POST', '/api/auth/register', { body })).status, 201);
    });

    it('a token says who, until when, and is decoded by plain atob', async () => {
      const { admin } = api();
      for (let i = 0; i < 50; i++) {
        const { access_token: token } = await api().ok('login', {
          body: { username: admin.username, password: PASSWORD },
        });
        assert.doesNotMatch(payloadOf(token), /[-_]/);
        const claims = JSON.parse(atob(payloadOf(token)));
        assert.equal(claims.sub, String(admin.id));
        assert.equal(claims.exp - claims.iat, 24 * 3600);
        assert.equal(typeof claims.jti, 'string');
        assert.equal(JSON.parse(atob(token.split('.')[0]!)).alg, 'HS256');
      }
    });

    it('missing, wrong, foreign and ended credentials are 401', async () => {
      const { admin } = api();
      const foreign = await api().another({ settings: { jwtSecret: 'another secret that is long enough' } });
      const ended = await api().another({ settings: { jwtExpiresHours: -1 } });
      const tokenOf = async (server: typeof foreign): Promise<string> => {
        const body = { username: admin.username, password: PASSWORD };
        return String((await ask(server, 'POST', '/api/auth/login', { body })).body.access_token);
      };
      const [head, payload, signature] = admin.token.split('.');
      const none = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url');
      const headers: Record<string, string>[] = [
        {},
        { authorization: 'Bearer' },
        { authorization: 'Basic YWRtaW46YWRtaW4=' },
        { authorization: `Bearer ${head}.${payload}` },
        { authorization: `Bearer ${head}.${payload}.${signature!.slice(0, -2)}AA` },
        { authorization: `Bearer ${none}.${payload}.` },
        { authorization: `Bearer ${await tokenOf(foreign)}` },
        { authorization: `Bearer ${await tokenOf(ended)}` },
        { 'x-api-key': `ytr_${'A'.repeat(43)}` },
        { authorization: 'ApiKey ytr_short' },
      ];
      for (const one of headers) {
        const { status, body } = await api().call('GET', '/api/admin/apikeys', { headers: one });
        assert.equal(status, 401, JSON.stringify(one));
        assert.equal(body.code, 'UNAUTHENTICATED');
      }
    });

    it('a deleted user’s token is worth nothing any more', async () => {
      const gone = await api().user();
      await api().ok('deleteUser', { params: { id: gone.id } });
      assert.equal((await api().call('GET', '/api/simulator/runs', { as: gone })).status, 401);
    });

    it('too many failed sign-ins from an address or for a name have to wait', async () => {
      const strict = await api().another({ settings: { signInsPerMinute: 3 } });
      const body = { username: 'whoever', password: 'wrong password' };
      for (let i = 0; i < 3; i++)
        assert.equal((await ask(strict, 'POST', '/api/auth/login', { body })).status, 401);
      const { status, headers, body: refusal } = await ask(strict, 'POST', '/api/auth/login', { body });
      assert.equal(status, 429);
      assert.equal(refusal.code, 'TOO_MANY_REQUESTS');
      assert.ok(Number(headers['retry-after']) > 0);
    });

    it('guesses at once count like those one after the other, and right ones count for nothing', async () => {
      const { admin } = api();
      const strict = await api().another({ settings: { signInsPerMinute: 3 } });
      const login = (password: string) =>
        ask(strict, 'POST', '/api/auth/login', { body: { username: admin.username, password } });
      for (let i = 0; i < 5; i++) assert.equal((await login(PASSWORD)).status, 200);
      const guesses = await Promise.all(Array.from({ length: 10 }, () => login('wrong password')));
      assert.equal(guesses.filter(({ status }) => status === 401).length, 3);
      assert.equal(guesses.filter(({ status }) => status === 429).length, 7);
    });

    it('too many accounts and too many wrong keys from an address have to wait; good keys go on', async () => {
      const { admin } = api();
      const strict = await api().another({
        settings: { registrationsPerHour: 1, badCredentialsPerMinute: 2 },
      });
      const register = (n: number) =>
        ask(strict, 'POST', '/api/auth/register', {
          body: { username: `flood ${n}`, email: `flood${n}@example.org`, password: PASSWORD },
        });
      assert.equal((await register(1)).status, 201);
      assert.equal((await register(2)).status, 429);
      const { raw_key: key } = await api().ok('createApiKey', { body: { name: 'flood' } });
      const withKey = (raw: string) =>
        ask(strict, 'GET', '/api/admin/apikeys', { headers: { 'x-api-key': raw } });
      assert.equal((await withKey(key)).status, 200);
      for (let i = 0; i < 2; i++) assert.equal((await withKey(`ytr_${'B'.repeat(43)}`)).status, 401);
      assert.equal((await withKey(`ytr_${'B'.repeat(43)}`)).status, 429);
      assert.equal((await withKey(key)).status, 200);
      assert.equal((await ask(strict, 'GET', '/api/admin/apikeys', { as: admin })).status, 200);
    });
  });

  describe('API keys', () => {
    it('are shown once, listed newest first without their secret, and end when they are deleted', async () => {
      const owner = await api().user();
      const first = await api().ok('createApiKey', { as: owner, body: { name: 'first' } });
      const second = await api().ok('createApiKey', { as: owner, body: { name: 'second' } });
      assert.match(second.raw_key, /^ytr_[\w-]{43}$/);
      assert.ok(second.raw_key.startsWith(second.key_prefix));
      const keys = await api().ok('listApiKeys', { as: owner });
      assert.deepEqual(
        keys.map(({ name }) => name),
        ['second', 'first'],
      );
      assert.deepEqual(Object.keys(keys[0]!), [
        'id',
        'name',
        'key_prefix',
        'created_at',
        'last_used',
        'is_active',
      ]);
      assert.ok(!JSON.stringify(keys).includes(first.raw_key));
      const header = { 'x-api-key': first.raw_key };
      assert.equal((await api().call('GET', '/api/simulator/runs', { headers: header })).status, 200);
      const scheme = { authorization: `ApiKey ${first.raw_key}` };
      assert.equal((await api().call('GET', '/api/simulator/runs', { headers: scheme })).status, 200);
      const other = await api().user();
      const path = `/api/admin/apikeys/${keys[1]!.id}`;
      assert.equal((await api().call('DELETE', path, { as: other })).status, 404);
      assert.equal((await api().call('DELETE', path, { as: owner })).status, 204);
      assert.equal((await api().call('DELETE', path, { as: owner })).status, 404);
      assert.equal((await api().call('GET', '/api/simulator/runs', { headers: header })).status, 401);
    });

    it('remember their last use', async () => {
      const owner = await api().user();
      const { raw_key: key } = await api().ok('createApiKey', { as: owner, body: { name: 'used' } });
      await api().call('GET', '/api/simulator/runs', { headers: { 'x-api-key': key } });
      await until(async () => {
        const [listed] = await api().ok('listApiKeys', { as: owner });
        return listed!.last_used !== null;
      }, 'the use is written');
    });

    it('need a name', async () => {
      assert.equal(
        (await api().call('POST', '/api/admin/apikeys', { as: api().admin, body: {} })).status,
        422,
      );
    });
  });

  describe('users', () => {
    it('are listed, made administrators and deleted', async () => {
      const user = await api().user();
      const listed = (await api().ok('listUsers')).find(({ id }) => id === user.id)!;
      assert.deepEqual(Object.keys(listed), ['id', 'username', 'email', 'is_admin', 'created_at']);
      const path = `/api/admin/users/${user.id}`;
      const { admin } = api();
      const made = await api().call('PUT', path, { as: admin, body: { is_admin: true } });
      assert.equal(made.status, 200);
      assert.equal(made.body.is_admin, true);
      assert.equal((await api().call('GET', '/api/admin/users', { as: user })).status, 200);
      const wrong = await api().call('PUT', path, { as: admin, body: { is_admin: 'yes' } });
      assert.equal(wrong.status, 400);
      assert.equal(typeof wrong.body.msg, 'string');
      const deleted = await api().call('DELETE', path, { as: admin });
      assert.equal(deleted.status, 200);
      assert.equal(typeof deleted.body.msg, 'string');
      const gone = await api().call('PUT', path, { as: admin, body: { is_admin: true } });
      assert.equal(gone.status, 404);
      assert.equal(typeof gone.body.msg, 'string');
    });

    it('one’s own account stays, and so does the last administrator', async () => {
      const { admin } = api();
      const own = await api().call('DELETE', `/api/admin/users/${admin.id}`, { as: admin });
      assert.equal(own.status, 400);
      const last = await api().call('PUT', `/api/admin/users/${admin.id}`, {
        as: admin,
        body: { is_admin: false },
      });
      assert.equal(last.status, 400);
      assert.equal(last.body.code, 'LAST_ADMIN');
    });
  });
}
