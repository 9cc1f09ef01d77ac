import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { countUnacknowledged, messageRates } from './management-api.ts';

/** Answers every request alike; resolves to its URL, with credentials. */
async function answering(status: number, body: object) {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    requests,
    url: `http://app:s%3Acret@127.0.0.1:${port}/rabbit/`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe('the management API', () => {
  it('is asked for the queue in its vhost, and answers with what all consumers hold', async () => {
    await using api = await answering(200, { messages_unacknowledged: 12 });
    assert.equal(await countUnacknowledged({ managementUrl: api.url, broker: 'broker:5672/' }, 'a/b'), 12);
    assert.equal(
      await countUnacknowledged({ managementUrl: api.url, broker: 'broker:5672/my%2Fhost' }, 'q'),
      12,
    );
    const [first, second] = api.requests;
    assert.equal(first!.url, '/rabbit/api/queues/%2F/a%2Fb');
    assert.equal(second!.url, '/rabbit/api/queues/my%2Fhost/q');
    assert.equal(first!.headers.authorization, `Basic ${Buffer.from('app:s:cret').toString('base64')}`);
  });

  it('holds nothing of a queue that is not there', async () => {
    await using api = await answering(404, {});
    assert.equal(await countUnacknowledged({ managementUrl: api.url, broker: 'broker:5672/' }, 'q'), 0);
  });

  it('tells the rates of queues, and that one is not there', async () => {
    const message_stats = { publish_details: { rate: 12.5 }, ack_details: { rate: 3 } };
    await using moving = await answering(200, { message_stats });
    const at = (managementUrl: string) => ({ managementUrl, broker: 'broker:5672/' });
    const rates = { publishedPerSecond: 12.5, acknowledgedPerSecond: 3 };
    assert.deepEqual(await messageRates(at(moving.url), ['a', 'b']), [rates, rates]);
    await using resting = await answering(200, { messages_unacknowledged: 0 });
    assert.deepEqual(await messageRates(at(resting.url), ['a']), [
      { publishedPerSecond: 0, acknowledgedPerSecond: 0 },
    ]);
    await using missing = await answering(404, {});
    assert.deepEqual(await messageRates(at(missing.url), ['a']), [null]);
  });

  it('is named, but not the password, when it does not answer as it should', async () => {
    await using api = await answering(401, {});
    await assert.rejects(
      countUnacknowledged({ managementUrl: api.url, broker: 'broker:5672/' }, 'q'),
      (error: Error & { code: string }) => {
        assert.equal(error.code, 'QUEUE_UNREACHABLE');
        assert.match(error.message, /127\.0\.0\.1:\d+: it answered 401/);
        assert.doesNotMatch(error.message, /cret/);
        return true;
      },
    );
  });
});
