import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { pipeline } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { YeeterError } from '../../src/lib/errors.ts';
import type { RabbitQueue, RabbitQueueOptions } from '../../src/queue/rabbitmq/rabbit-queue.ts';
import { testJob } from '../support/job.ts';
import { newQueueName, openRabbitQueue } from '../support/rabbit-queue.ts';
import type { PrivateRabbitmq } from '../support/rabbitmq.ts';
import { selfSigned } from '../support/self-signed.ts';
import { startPrivateRabbitmq, without } from '../support/services.ts';

describe('a queue on RabbitMQ that is refused', { skip: without('rabbitmq-server') }, () => {
  let broker: PrivateRabbitmq;

  before(async () => {
    broker = await startPrivateRabbitmq({ management: false });
  });
  after(() => broker?.close());

  const open = (options: Partial<RabbitQueueOptions> = {}): Promise<RabbitQueue> =>
    openRabbitQueue(broker, options);

  it('makes no queue of a name that none may have', async () => {
    await using queue = await open();
    for (const name of ['orders.dlq', 'x'.repeat(201)]) {
      await assert.rejects(queue.declare([name]), {
        code: 'CONFIG_INVALID',
        message: /is not a queue's name: 1 to/,
      });
    }
  });

  it('refuses, with a code, a publish to a queue that is not there', async () => {
    await using queue = await open();
    await assert.rejects(
      queue.publish(testJob({ queue: 'nowhere' })),
      (error) =>
        error instanceof YeeterError &&
        error.code === 'QUEUE_PUBLISH_FAILED' &&
        /not on the broker/.test(error.message),
    );
  });

  it('names the queue whose arguments differ, and says what to do', async () => {
    const name = newQueueName();
    await using queue = await open({ maxLength: 10 });
    await queue.declare([name]);
    await using other = await open({ maxLength: 20 });
    await assert.rejects(
      other.declare([name]),
      (error) =>
        error instanceof YeeterError &&
        error.code === 'QUEUE_MISMATCH' &&
        error.message.includes(`"${name}"`) &&
        /delete it/.test(error.message),
    );
  });

  it('names the broker, but not the password, when it is not there', async () => {
    const url = 'amqp://app:secret@127.0.0.1:1/v';
    await assert.rejects(open({ url, connectTimeoutMs: 1000 }), (error: YeeterError) => {
      assert.equal(error.code, 'QUEUE_UNREACHABLE');
      assert.match(error.message, /RabbitMQ 127\.0\.0\.1:1\/v: nothing listens .* the broker is started/);
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });
  });

  it('says at once which login the broker refuses, also when it was still starting', async () => {
    let tries = 0;
    const starting = createServer((client) => {
      if (++tries < 3) return client.destroy();
      return void pipeline(client, connect(broker.port, '127.0.0.1'), client, () => {});
    });
    await once(starting.listen(0, '127.0.0.1'), 'listening');
    const { port } = starting.address() as AddressInfo;
    for (const [url, reason] of [
      [`amqp://app:secret@127.0.0.1:${broker.port}`, /: it refuses user "app" or the password/],
      [`amqp://guest:guest@127.0.0.1:${broker.port}/no%20vhost`, /user "guest" into vhost "no vhost"/],
      [`amqp://app:secret@127.0.0.1:${port}`, /: it refuses user "app" or the password/],
    ] as const) {
      const startedMs = performance.now();
      await assert.rejects(open({ url, connectTimeoutMs: 60_000 }), (error: YeeterError) => {
        assert.deepEqual([error.code, error.retryable], ['LOGIN_REFUSED', false]);
        assert.match(error.message, reason);
        assert.doesNotMatch(error.message, /secret|undefined/);
        return true;
      });
      assert.ok(performance.now() - startedMs < 30_000, 'waiting does not help');
    }
    starting.close();
  });

  it('says at once that TLS meets a port without it, or the other way round, or another protocol', async () => {
    const web = createHttpServer().listen(0, '127.0.0.1');
    const secure = createTlsServer(selfSigned()).listen(0, '127.0.0.1');
    // The alert of a broker's port for TLS that does not get any.
    const alerting = createServer((client) => client.end(Buffer.from('1503030002020a', 'hex')));
    alerting.listen(0, '127.0.0.1');
    await Promise.all([web, secure, alerting].map((server) => once(server, 'listening')));
    const portOf = (server: Server): number => (server.address() as AddressInfo).port;
    for (const [scheme, port, code, reason] of [
      ['amqps', broker.port, 'TLS_FAILED', /no TLS at that port/],
      ['amqp', portOf(alerting), 'TLS_FAILED', /it expects TLS at that port/],
      ['amqps', portOf(secure), 'TLS_FAILED', /certificate is not accepted \(self-signed/],
      ['amqp', portOf(web), 'QUEUE_UNREACHABLE', /no RabbitMQ \("HTTP/],
      ['amqps', portOf(web), 'TLS_FAILED', /no TLS at that port/],
    ] as const) {
      const url = `${scheme}://app:secret@127.0.0.1:${port}`;
      await assert.rejects(open({ url, connectTimeoutMs: 60_000 }), (error: YeeterError) => {
        assert.deepEqual([error.code, error.retryable], [code, false], error.message);
        assert.match(error.message, reason);
        return true;
      });
    }
    for (const server of [web, secure, alerting]) server.close();
  });

  it('says of a port that closes without a word that something else may listen there', async () => {
    const other = createServer((client) => void client.resume().end()).listen(0, '127.0.0.1');
    await once(other, 'listening');
    const url = `amqp://127.0.0.1:${(other.address() as AddressInfo).port}`;
    await assert.rejects(open({ url, connectTimeoutMs: 300 }), {
      code: 'QUEUE_UNREACHABLE',
      message: /without a word: .*something other than RabbitMQ/,
    });
    other.close();
  });
});
