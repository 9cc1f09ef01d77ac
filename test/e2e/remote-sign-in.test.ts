import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { YEETER } from '../support/cli.ts';
import { startFakeApi } from '../support/fake-api.ts';
import { KEY, useRemoteCli } from '../support/remote-cli.ts';
import { selfSigned } from '../support/self-signed.ts';

describe('signing in to a server', () => {
  const remote = useRemoteCli();
  const { run } = remote;

  it('sign in and keep the token where nobody else can read it', async () => {
    const end = await run(['login', '--username', 'ada', '--password-stdin'], {
      input: 'right horse\n',
      env: {},
    });
    assert.deepEqual([end.code, end.stderr], [0, '']);
    assert.match(
      end.stdout,
      /^signed in to http.* as ada, an administrator; the token is in .*config\.json\n$/,
    );
    assert.equal((await stat(remote.file)).mode & 0o777, 0o600);
    assert.deepEqual(JSON.parse(await readFile(remote.file, 'utf8')), {
      api_url: remote.api.url,
      access_token: 'j.w.t',
      username: 'ada',
    });
    assert.equal((await run(['runs', 'list'], { env: {} })).code, 0);
    assert.equal(remote.api.requests.at(-1)!.headers.authorization, 'Bearer j.w.t');
  });

  it('make an account', async () => {
    const account = { username: 'eve', access_token: 'e.v.e', is_admin: false };
    remote.api.routes['POST /api/auth/register'] = { status: 201, json: { message: 'm', ...account } };
    const args = ['register', '-u', 'eve', '--email', 'eve@example.org', '--password-stdin'];
    const end = await run(args, { input: 'right horse', env: {} });
    assert.match(end.stdout, /as eve; /);
    assert.deepEqual(remote.api.requests[0]!.body, {
      username: 'eve',
      email: 'eve@example.org',
      password: 'right horse',
    });
    assert.equal((await run(['register', '-u', 'eve'], { env: {} })).code, 2);
  });

  it('end with 2 for a wrong password, without the password', async () => {
    const end = await run(['login', '-u', 'ada', '--password-stdin'], { input: 'wr0ng', env: {} });
    assert.equal(end.code, 2);
    assert.match(end.stderr, /^yeeter: UNAUTHENTICATED: wrong name or password/);
    assert.doesNotMatch(end.stderr, /wr0ng/);
    await assert.rejects(stat(remote.file), { code: 'ENOENT' });
  });

  it('ask for a password without an echo', {
    skip: existsSync('/usr/bin/script') ? false : 'script (bsdutils) is not installed',
  }, async () => {
    const [node, main] = YEETER;
    const line = `YEETER_API_URL=${remote.api.url} YEETER_CONFIG_PATH=${remote.file} ${node} ${main} login`;
    const terminal = spawn('script', ['-qec', line, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
    let shown = '';
    const answers: [RegExp, string][] = [
      [/User name: $/, 'ada\n'],
      [/Password: $/, 'right horse\n'],
    ];
    terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
      shown += text;
      const [next] = answers;
      if (next?.[0].test(stripVTControlCharacters(shown))) {
        answers.shift();
        terminal.stdin.write(next[1]);
      }
    });
    const code = await new Promise((resolve) => terminal.on('close', resolve));
    assert.equal(code, 0, shown);
    assert.match(shown, /signed in to .* as ada/);
    assert.match(shown, /ada/);
    assert.doesNotMatch(shown, /horse/);
  });

  it('keep and drop an API key, and let no other file of it be', async () => {
    const env = {};
    assert.equal((await run(['api-key'], { input: `${KEY}\n`, env })).code, 0);
    assert.equal((await run(['runs', 'list'], { env })).code, 0);
    assert.equal(remote.api.requests.at(-1)!.headers['x-api-key'], KEY);
    await chmod(remote.file, 0o644);
    assert.equal((await run(['api-key', '--clear'], { env })).code, 0);
    assert.equal((await stat(remote.file)).mode & 0o777, 0o600);
    const without = await run(['runs', 'list'], { env });
    assert.equal(without.code, 2);
    assert.match(without.stderr, /no credentials for http.*yeeter login/);
    assert.equal((await run(['api-key', '--value', 'nonsense'], { env })).code, 2);
    assert.equal((await run(['api-key', '--value', KEY, '--clear'], { env })).code, 2);
  });

  it('send stored credentials to their own server alone', async () => {
    await run(['api-key', '--value', KEY], { env: {} });
    await using other = await startFakeApi({ 'GET /api/simulator/runs': { json: [] } });
    const end = await run(['--api-url', other.url, 'runs', 'list'], { env: {} });
    assert.equal(end.code, 2);
    assert.match(end.stderr, new RegExp(`those of ${remote.api.url}, not of ${other.url}`));
    assert.equal(other.requests.length, 0);
    assert.equal((await run(['runs', 'list', '--api-url', other.url])).code, 0);
  });

  it('trust no server whose certificate nobody vouches for, unless told to', async () => {
    await using other = await startFakeApi({ 'GET /api/simulator/runs': { json: [] } }, selfSigned());
    const refused = await run(['runs', 'list', '--api-url', other.url]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /TLS_FAILED/);
    assert.equal(other.requests.length, 0);
    assert.equal((await run(['runs', 'list', '--api-url', other.url, '--insecure'])).code, 0);
  });

  it('keep a new API key when they are told to, or print it alone', async () => {
    const key = { status: 201, json: { message: 'm', name: 'n', key_prefix: 'ytr_', raw_key: KEY } };
    remote.api.routes['POST /api/admin/apikeys'] = key;
    assert.equal((await run(['api-keys', 'create', 'n'])).stdout, `${KEY}\n`);
    const stored = await run(['api-keys', 'create', 'n', '--store']);
    assert.equal(stored.code, 0);
    assert.doesNotMatch(stored.stdout + stored.stderr, /ytr_/);
    assert.equal((JSON.parse(await readFile(remote.file, 'utf8')) as { api_key: string }).api_key, KEY);
  });

  it('use the file of the older client as it is', async () => {
    await run(['api-key', '--value', KEY], { env: {} });
    const older = {
      api_url: remote.api.url,
      access_token: 'old',
      username: 'ada',
      auth_method: 'jwt',
      saved_at: 'x',
    };
    await writeFile(remote.file, JSON.stringify(older));
    assert.equal((await run(['runs', 'list'], { env: {} })).code, 0);
    assert.equal(remote.api.requests.at(-1)!.headers.authorization, 'Bearer old');
    assert.equal((await run(['login', '-u', 'ada', '--password', 'right horse'], { env: {} })).code, 0);
    assert.deepEqual(JSON.parse(await readFile(remote.file, 'utf8')), { ...older, access_token: 'j.w.t' });
  });
});
