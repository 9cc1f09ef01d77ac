import { after, before, describe, it } from 'node:test';
import { type DurableBench, openDurableBench } from '../support/durable.ts';
import {
  KILL_QUEUES,
  killRunners,
  killWorkers,
  nameOf,
  RUNNER_END_POINTS,
  RUNNER_POINTS,
  WORKER_POINTS,
} from '../support/kill-scenarios.ts';
import { type Postgres, startPostgres } from '../support/postgres.ts';
import { without } from '../support/programs.ts';
import { type Rabbitmq, startRabbitmq } from '../support/rabbitmq.ts';

/** The soak forces each 20 times. */
const TIMES = 2;

describe('nothing is lost, and all is settled once', {
  skip: without('rabbitmq-server', 'postgresql'),
}, () => {
  let postgres: Postgres;
  let rabbitmq: Rabbitmq;
  let bench: DurableBench;
  before(async () => {
    [postgres, rabbitmq] = await Promise.all([startPostgres(), startRabbitmq()]);
    bench = await openDurableBench({
      databaseUrl: await postgres.createDatabase(),
      queueUrl: await rabbitmq.createVhost(),
      queues: KILL_QUEUES,
      leaseMs: 600,
    });
  });
  after(async () => {
    await bench.close();
    await rabbitmq.close();
    await postgres.close();
  });

  for (const points of Map.groupBy(WORKER_POINTS, ({ method }) => method).values()) {
    it(`when workers are killed ${points.map(nameOf).join(', ')}`, async () => {
      await killWorkers(bench, Array.from({ length: TIMES }, () => points).flat(), 40);
    });
  }

  it('when runners are killed at each point of a run, one after the other', async () => {
    for (let time = 0; time < TIMES; time++) await killRunners(bench, RUNNER_POINTS, RUNNER_END_POINTS, 100);
  });
});
