import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { EndpointLimits } from '../../src/domain/endpoint.ts';
import { buildAck, hl7DateTime } from '../../src/hl7/ack.ts';
import { createMllpServer } from '../../src/hl7/mllp-server.ts';
import { delay } from '../../src/lib/lifecycle.ts';
import type { RunRecord } from '../../src/storage/port.ts';
import type { CliRun } from '../support/cli.ts';
import { assertAccounts, type DurableBench, openDurableBench } from '../support/durable.ts';
import { type Postgres, startPostgres } from '../support/postgres.ts';
import { without } from '../support/programs.ts';
import { type Rabbitmq, startRabbitmq } from '../support/rabbitmq.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

const QUEUE = 'limited';
const TEMPLATE = `
name: limited
generators: {order: {file: ../generators/orm-o01.hl7}}
steps:
  - {step_type: GENERATE_HL7, parameters: {generator_template_id: order}}
  - {step_type: SEND_MLLP, execution: async, queue: ${QUEUE}}
`;
const ANSWER_MS = 15;

describe('limits of a system under test, with several workers and runs', {
  skip: without('rabbitmq-server', 'postgresql'),
}, () => {
  let postgres: Postgres;
  let rabbitmq: Rabbitmq;
  let bench: DurableBench;
  let processes: CliRun[];
  before(async () => {
    [postgres, rabbitmq] = await Promise.all([startPostgres(), startRabbitmq()]);
    bench = await openDurableBench({
      databaseUrl: await postgres.createDatabase(),
      queueUrl: await rabbitmq.createVhost(),
      queues: [QUEUE],
    });
    processes = await Promise.all([bench.start('runner'), bench.start('worker'), bench.start('worker')]);
  });
  after(async () => {
    await bench.stop(...processes);
    await bench.close();
    await rabbitmq.close();
    await postgres.close();
  });

  /** Runs that are played at the same time against one receiver. */
  const play = async (patients: readonly number[], limits: Partial<EndpointLimits>) => {
    const arrivals: { atMs: number; bytes: number }[] = [];
    const server = await createMllpServer({
      onMessage: async (message) => {
        arrivals.push({ atMs: performance.now(), bytes: message.length });
        await delay(ANSWER_MS);
        return buildAck(message, 'AA', { dateTime: hl7DateTime(Date.now()) });
      },
    });
    await using proxy = await startTcpProxy(server.port);
    const runs: RunRecord[] = [];
    for (const count of patients) {
      const all = { maxConnections: 8, maxPerSecond: null, maxBytes: null, ramp: false, shared: true };
      const { id } = await bench.createRun({
        ...{ template: TEMPLATE, patients: count, mllpPort: proxy.port, concurrency: 32 },
        limits: { ...all, ...limits },
      });
      runs.push(await bench.store.getRun(id));
    }
    const ended = await Promise.all(runs.map(({ id }) => bench.untilOver(id)));
    await server.close();
    for (const run of ended) await assertAccounts(bench, run, null);
    const workers = await bench.rows(
      'select distinct worker_id from job_attempts where run_id = any($1::int8[]) and error_code is null',
      [ended.map(({ id }) => id)],
    );
    return { ended, arrivals, mostAtOnce: proxy.mostAtOnce, workers: workers.length };
  };

  it('are not exceeded in connections, and both workers have some', async () => {
    const { ended, arrivals, mostAtOnce, workers } = await play([150, 150], { maxConnections: 3 });
    assert.deepEqual(
      ended.map(({ status }) => status),
      ['COMPLETED', 'COMPLETED'],
    );
    assert.equal(arrivals.length, 300);
    assert.equal(mostAtOnce, 3);
    assert.equal(workers, 2);
  });

  it('leave nobody without a turn, though there is one connection for all', async () => {
    const { ended, mostAtOnce } = await play([20, 20], { maxConnections: 1 });
    assert.deepEqual(
      ended.map(({ status }) => status),
      ['COMPLETED', 'COMPLETED'],
    );
    assert.equal(mostAtOnce, 1);
  });

  it('are not exceeded in messages a second', async () => {
    const { arrivals } = await play([120], { maxPerSecond: 40 });
    assert.equal(arrivals.length, 120);
    for (const [at, { atMs }] of arrivals.entries()) {
      const within = arrivals.slice(at).filter((later) => later.atMs - atMs < 1000).length;
      // Each of two workers may have sent one at the edge of the second, and a busy machine hands some over late.
      assert.ok(within <= 46, `${within} messages in a second`);
    }
  });

  it('are not exceeded in bytes, which end the run', async () => {
    const { ended, arrivals } = await play([400], { maxBytes: 100_000 });
    const bytes = arrivals.reduce((sum, arrival) => sum + arrival.bytes, 0);
    assert.equal(ended[0]!.status, 'CANCELLED');
    assert.ok(bytes <= 100_000 && bytes > 90_000, `${bytes} bytes`);
  });
});
