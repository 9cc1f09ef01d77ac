import { after, before, describe, it } from 'node:test';
import { without } from '../support/programs.ts';
import { carryShortRuns } from '../support/short-runs.ts';
import { carryThroughStorm, KILL_RUNNER, KILL_SERVER, KILL_WORKER, restarts } from '../support/storm.ts';
import { openStruckServers, type StruckServers } from '../support/struck-servers.ts';

/** The soak takes many more of each. */
const PATIENTS = 600;
const SHORT_RUNS = 16;

describe('runs whose processes, broker and ledger are struck in the middle', {
  skip: without('rabbitmq-server', 'postgresql'),
}, () => {
  let servers: StruckServers;
  before(async () => {
    servers = await openStruckServers();
  });
  after(() => servers?.[Symbol.asyncDispose]());

  it('end in the right state with the right totals when they are short, one after the other', async () => {
    await carryShortRuns(servers.bench, SHORT_RUNS);
  });

  it('lose no job, settle each once and count what was repeated', async () => {
    const { bench, postgres, rabbitmq, proxy } = servers;
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
