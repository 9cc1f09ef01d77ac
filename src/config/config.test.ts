import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadConfig } from './config.ts';

describe('configuration', () => {
  it('has defaults for everything but addresses and secrets', () => {
    assert.deepEqual(loadConfig({}, {}), {
      rabbitmqUrl: null,
      rabbitmqManagementUrl: null,
      databaseUrl: null,
      orderQueue: null,
      queueMaxLength: 1_000_000,
      workerPrefetch: 32,
      workerConcurrency: 8,
      workerGraceMs: 10_000,
      jwtSecret: null,
      jwtExpiresHours: 24,
      firstAdmin: null,
      registrationOpen: true,
      corsOrigins: '*',
      trustProxy: false,
      metricLog: false,
      metricsAccess: 'auto',
      apiUrl: null,
      apiKey: null,
      configPath: null,
    });
  });

  it('lets flags win over the environment', () => {
    const config = loadConfig({ WORKER_PREFETCH: '1' }, { WORKER_PREFETCH: '64', WORKER_CONCURRENCY: '2' });
    assert.deepEqual([config.workerPrefetch, config.workerConcurrency], [1, 2]);
  });

  it('reports all faults at once and masks secrets', () => {
    assert.throws(
      () =>
        loadConfig(
          {},
          {
            RABBITMQ_URL: 'http://u:hunter2@h',
            DATABASE_URL: 'nonsense',
            WORKER_PREFETCH: '0',
            WORKER_GRACE_MS: 'x',
            JWT_SECRET_KEY: 'hunter2',
            YEETER_ADMIN_PASSWORD: 'h2',
          },
        ),
      (error: Error) => {
        assert.match(error.message, /RABBITMQ_URL "http:\/\/u:\*\*\*@h" is not a URL/);
        assert.match(error.message, /DATABASE_URL "nonsense"/);
        assert.match(error.message, /WORKER_PREFETCH "0" is not between 1 and 65535/);
        assert.match(error.message, /WORKER_GRACE_MS "x" is not a whole number/);
        assert.match(error.message, /JWT_SECRET_KEY "\*\*\*" is shorter than 32 characters/);
        assert.match(error.message, /YEETER_ADMIN_PASSWORD "\*\*\*" is shorter/);
        assert.doesNotMatch(error.message, /hunter2|h2/);
        return true;
      },
    );
  });

  it('tells a URL that cannot be read from one of another scheme, and says why', () => {
    for (const [name, url, fault] of [
      ['DATABASE_URL', 'mysql://u:hunter2@h/d', 'is not a URL that begins with postgres:// or postgresql://'],
      ['DATABASE_URL', 'postgres://u:hunter2@h:99999/d', 'has port 99999: the highest is 65535'],
      ['RABBITMQ_URL', 'AMQP://u:hunter2@h:99999', 'has port 99999: the highest is 65535'],
      [
        'RABBITMQ_URL',
        'amqp://u:99999/hunter2@h',
        'cannot be read as a URL: write what user and password hold',
      ],
      ['RABBITMQ_URL', 'amqp://u:50%hunter2@h', 'has a "%" that begins no character: write it as %25'],
      ['RABBITMQ_MANAGEMENT_URL', 'http://u:p@h:port', 'cannot be read as a URL'],
    ] as const) {
      assert.throws(
        () => loadConfig({}, { [name]: url }),
        (error: Error) => {
          assert.match(error.message, new RegExp(`^  ${name} ".*" `, 'm'));
          assert.ok(error.message.includes(`" ${fault}`), error.message);
          assert.doesNotMatch(error.message, /hunter2/);
          return true;
        },
      );
    }
  });

  it('takes one queue, by a name that a queue may have', () => {
    assert.equal(loadConfig({}, { RABBITMQ_ORDER_QUEUE: ' CT orders ' }).orderQueue, 'CT orders');
    for (const name of ['a b,,c', 'orders.dlq', 'amq.gen', ' ']) {
      assert.throws(() => loadConfig({}, { RABBITMQ_ORDER_QUEUE: name }), {
        code: 'CONFIG_INVALID',
        message: new RegExp(`RABBITMQ_ORDER_QUEUE "${name}" is not a queue's name: 1 to 200 bytes`),
      });
    }
  });
});
