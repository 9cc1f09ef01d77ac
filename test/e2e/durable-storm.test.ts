import { after, before, describe, it } from 'node:test';
import { type DurableBench, openDurableBench } from '../support/durable.ts';
import { KILL_QUEUES } from '../support/kill-scenarios.ts';
import { type PrivatePostgres, startPrivatePostgres } from '../support/postgres.ts';
import { without } from '../support/programs.ts';
import { type PrivateRabbitmq, startPrivateRabbitmq } from '../support/rabbitmq.ts';
import { carryShortRuns } from '../support/short-runs.ts';
import { carryThroughStorm, KILL_RUNNER, KILL_SERVER, KILL_WORKER, restarts } from '../support/storm.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';

/** The soak takes many more of each. */
const PATIENTS = 600;
const SHORT_RUNS = 16;

describe('runs whose processes, broker and ledger are struck in the middle', {
  skip: without('rabbitmq-server', 'postgresql'),
}, () => {
  let postgres: PrivatePostgres;
  let rabbitmq: PrivateRabbitmq;
  let proxy: TcpProxy;
  let bench: DurableBench;
  const opened = new AsyncDisposableStack();
  before(async () => {
    postgres = opened.use(await startPrivatePostgres());
    rabbitmq = opened.use(await startPrivateRabbitmq({ management: false }));
    proxy = opened.use(await startTcpProxy(rabbitmq.port));
    bench = opened.use(
      await openDurableBench({
        databaseUrl: await postgres.createDatabase(),
        queueUrl: Object.assign(new URL(rabbitmq.url), { port: String(proxy.port) }).href,
        ownQueueUrl: rabbitmq.url,
        queues: KILL_QUEUES,
      }),
    );
  });
  after(() => opened.disposeAsync());

  it('end in the right state with the right totals when they are short, one after the other', async () => {
    await carryShortRuns(bench, SHORT_RUNS);
  });

  it('lose no job, settle each once and count what was repeated', async () => {
    const { ledger, brokerStopped, brokerKilled, cut } = restarts(postgres, rabbitmq, proxy);
    const blows = [
      KILL_WORKER,
      KILL_RUNNER,
      cut,
      KILL_SERVER,
      ledger,
      KILL_WORKER,
      brokerKilled,
      KILL_RUNNER,
      brokerStopped,
    ];
    await carryThroughStorm(bench, PATIENTS, blows);
  });
});
