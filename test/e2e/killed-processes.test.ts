import { after, before, describe, it } from 'node:test';
import { type DurableBench, openDurableBench } from '../support/durable.ts';
import { KILL_QUEUES, killAtPoints, RUNNER_POINTS, WORKER_POINTS } from '../support/kill-scenarios.ts';
import { type Postgres, startPostgres } from '../support/postgres.ts';
import { without } from '../support/programs.ts';
import { type Rabbitmq, startRabbitmq } from '../support/rabbitmq.ts';

/** The soak forces each 20 times. */
const TIMES = 1;
const PATIENTS = 24;

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

  for (const [name, points] of Object.entries(WORKER_POINTS)) {
    it(`when workers are killed before, during and after ${name}`, async () => {
      await killAtPoints(bench, { kind: 'worker', points, times: TIMES, patients: PATIENTS });
    });
  }

  for (const [name, points] of Object.entries(RUNNER_POINTS)) {
    it(`when runners are killed before, during and after ${name}`, async () => {
      await killAtPoints(bench, { kind: 'runner', points, times: TIMES, patients: PATIENTS });
    });
  }
});
