import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Connection } from 'rabbitmq-client';
import { batchOf } from '../conformance/ledger-rows.ts';
import { type DurableBench, openDurableBench } from '../support/durable.ts';
import { type Postgres, startPostgres } from '../support/postgres.ts';
import { without } from '../support/programs.ts';
import { type Rabbitmq, startRabbitmq } from '../support/rabbitmq.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { untilAnswer } from '../support/until.ts';

const QUEUE = 'refused';
const TEMPLATE = `
name: refused
generators: {order: {file: ../generators/orm-o01.hl7}}
steps:
  - {step_type: GENERATE_HL7, parameters: {generator_template_id: order}}
  - {step_type: SEND_MLLP, execution: async, queue: ${QUEUE}}
`;

describe('a run whose queue cannot be had', { skip: without('rabbitmq-server', 'postgresql') }, () => {
  let postgres: Postgres;
  let rabbitmq: Rabbitmq;
  let queueUrl: string;
  let databaseUrl: string;
  let bench: DurableBench;
  before(async () => {
    [postgres, rabbitmq] = await Promise.all([startPostgres(), startRabbitmq()]);
    [databaseUrl, queueUrl] = await Promise.all([postgres.createDatabase(), rabbitmq.createVhost()]);
    const broker = new Connection(queueUrl);
    await broker.queueDeclare({ queue: QUEUE, durable: true });
    await broker.close();
    bench = await openDurableBench({ databaseUrl, queueUrl, queues: [] });
  });
  after(async () => {
    await bench.close();
    await rabbitmq.close();
    await postgres.close();
  });

  const whyOf = (runId: number): Promise<Record<string, unknown>[]> =>
    bench.rows(`select details from run_events where run_id = $1 and status = 'FAILURE'`, [runId]);

  it('ends ERROR with the reason, where the queue is there and differs', async () => {
    const runner = await bench.start('runner');
    const { id } = await bench.createRun({ template: TEMPLATE, patients: 3 });
    const run = await bench.untilOver(id);
    assert.deepEqual([run.status, run.startedIterations], ['ERROR', 0]);
    const [why, ...others] = await whyOf(id);
    assert.deepEqual(others, []);
    assert.match(
      String(why!.details),
      /^QUEUE_MISMATCH: queue "refused" is on the broker with other arguments/,
    );
    await bench.stop(runner);
  });

  it('ends ERROR with the reason, where this user of the broker may not make it', async () => {
    const reader = await rabbitmq.asReader(queueUrl);
    await using limited = await openDurableBench({
      ...{ databaseUrl, queueUrl: reader, ownQueueUrl: queueUrl, queues: [] },
    });
    const runner = await limited.start('runner');
    const { id } = await limited.createRun({
      template: TEMPLATE.replace(`queue: ${QUEUE}`, 'queue: forbidden'),
      patients: 3,
    });
    assert.equal((await limited.untilOver(id)).status, 'ERROR');
    const [why] = await whyOf(id);
    assert.match(
      String(why!.details),
      /^QUEUE_UNREACHABLE: queue "forbidden\.dlq" may not be made by this user/,
    );
    await limited.stop(runner);
  });

  it('accounts for what it had begun before', async () => {
    const { id } = await bench.createRun({ template: TEMPLATE, patients: 3 });
    await bench.rows(`update runs set status = 'RUNNING', fence = 1, started_iterations = 2 where id = $1`, [
      id,
    ]);
    await bench.store.writeLedger(batchOf({ handedOff: [{ runId: id, iteration: 2 }] }));
    const runner = await bench.start('runner');
    const run = await bench.untilOver(id);
    assert.deepEqual([run.status, run.startedIterations], ['ERROR', 1]);
    const { completed, failed, failures } = await bench.store.runTotals(id);
    assert.deepEqual([completed, failed, failures[0]!.code], [0, 1, 'QUEUE_MISMATCH']);
    await bench.stop(runner);
  });

  it('can be cancelled while its broker is away', async () => {
    const proxy = await startTcpProxy(rabbitmq.port);
    const through = Object.assign(new URL(queueUrl), { port: String(proxy.port) }).href;
    await using away = await openDurableBench({
      databaseUrl,
      queueUrl: through,
      ownQueueUrl: queueUrl,
      queues: [],
    });
    const runner = await away.start('runner');
    await proxy.close();
    const { id } = await away.createRun({ template: TEMPLATE, patients: 3 });
    await untilAnswer(
      () => away.store.claimRun('looks whether it is claimed', 1),
      (claim) => claim === null,
    );
    await away.store.requestCancel(id);
    const run = await away.untilOver(id);
    assert.deepEqual([run.status, run.startedIterations], ['CANCELLED', 0]);
    await away.stop(runner);
  });
});
