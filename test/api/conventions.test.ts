import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { openTestApi, type TestApi } from '../support/api.ts';

describe('conventions of the API', () => {
  let api: TestApi;
  before(async () => {
    api = await openTestApi();
  });
  after(() => api.close());

  it('an unknown route is answered with JSON', async () => {
    const { status, body } = await api.call('GET', '/api/nowhere?x=1');
    assert.equal(status, 404);
    assert.equal(body.code, 'NOT_FOUND');
    assert.match(String(body.error), /GET \/api\/nowhere/);
  });
});
