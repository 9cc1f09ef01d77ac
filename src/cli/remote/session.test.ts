import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Account, credentialsOf, serverAddress } from './session.ts';

const URL_HERE = 'http://127.0.0.1:5001';

const account = (stored: Account['stored'], apiKey: string | null = null): Account => ({
  apiUrl: URL_HERE,
  insecure: false,
  path: 'unused',
  stored,
  apiKey,
});

describe('credentials for a server', () => {
  it('come from the environment, else from the stored key, else from the stored token', () => {
    const both = { api_url: URL_HERE, access_token: 't', api_key: 'k' };
    assert.deepEqual(credentialsOf(account(both, 'e')), { kind: 'api_key', value: 'e' });
    assert.deepEqual(credentialsOf(account(both)), { kind: 'api_key', value: 'k' });
    assert.deepEqual(credentialsOf(account({ ...both, api_key: null })), { kind: 'token', value: 't' });
  });

  it('are missed with what to do', () => {
    assert.throws(() => credentialsOf(account({})), { code: 'UNAUTHENTICATED', message: /yeeter login/ });
  });

  it('are not sent to another server, and not shown when that is said', () => {
    const foreign = { api_url: 'https://other.example', access_token: 's3cret' };
    assert.throws(
      () => credentialsOf(account(foreign)),
      ({ code, message }: { code: string; message: string }) =>
        code === 'UNAUTHENTICATED' &&
        message.includes('https://other.example') &&
        !message.includes('s3cret'),
    );
    assert.ok(credentialsOf(account({ api_url: `${URL_HERE}/`, access_token: 't' })));
  });
});

describe('the address of a server', () => {
  it('has one spelling', () => {
    assert.equal(serverAddress('HTTP://Example.org:80/yeeter//'), 'http://example.org/yeeter');
    assert.equal(serverAddress('https://h:8443/?q#f'), 'https://h:8443');
  });

  it('is no other kind of URL and holds no password', () => {
    for (const text of ['h:80', 'ftp://h', '', 'http://u:s3cret@h']) {
      assert.throws(
        () => serverAddress(text),
        ({ code, message }: { code: string; message: string }) =>
          code === 'USAGE' && !message.includes('s3cret'),
      );
    }
  });
});
