import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { credentialsPath, readCredentials, writeCredentials } from './credentials.ts';

describe('the file of credentials', () => {
  let dir: string;
  let path: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'yeeter-credentials-'));
    path = join(dir, 'own', 'config.json');
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  it('lies in the home folder unless it is said otherwise', () => {
    assert.equal(credentialsPath(null), join(homedir(), '.yeeter', 'config.json'));
    assert.equal(credentialsPath('~/y.json'), join(homedir(), 'y.json'));
    assert.equal(credentialsPath('/a/~b.json'), '/a/~b.json');
  });

  it('is readable by its owner alone, whatever the umask and whatever was there before', async () => {
    const umask = process.umask(0);
    try {
      await writeCredentials(path, { access_token: 'one' });
      await writeFile(path, '{}', { mode: 0o666 });
      await writeCredentials(path, { access_token: 'two' });
    } finally {
      process.umask(umask);
    }
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.equal((await stat(dirname(path))).mode & 0o777, 0o700);
    assert.deepEqual(await readCredentials(path), { access_token: 'two' });
    assert.deepEqual(await readdir(dirname(path)), ['config.json']);
  });

  it('keeps what other clients wrote into it', async () => {
    const other = { api_url: 'http://h', auth_method: 'jwt', saved_at: 'x' };
    await writeCredentials(path, other);
    await writeCredentials(path, { ...(await readCredentials(path)), api_key: 'k' });
    assert.deepEqual(JSON.parse(await readFile(path, 'utf8')), { ...other, api_key: 'k' });
  });

  it('is empty where there is none, and quoted nowhere when it is broken', async () => {
    assert.deepEqual(await readCredentials(path), {});
    for (const broken of ['{"access_token":"s3cret"', '{"access_token":["s3cret"]}']) {
      await writeFile(join(dir, 'broken'), broken);
      await assert.rejects(readCredentials(join(dir, 'broken')), (error: Error) => {
        assert.match(error.message, /does not hold the credentials/);
        assert.doesNotMatch(`${error.stack} ${String(error.cause)}`, /s3cret/);
        return true;
      });
    }
  });

  it('leaves no half of a file where it cannot be written', async () => {
    await writeFile(join(dir, 'own'), 'a file where the folder should be');
    await assert.rejects(writeCredentials(path, {}), {
      code: 'CONFIG_INVALID',
      message: /YEETER_CONFIG_PATH/,
    });
    assert.deepEqual(await readdir(dir), ['own']);
  });
});
