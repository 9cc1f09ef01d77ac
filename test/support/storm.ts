import assert from 'node:assert/strict';
import { delay } from '../../src/lib/lifecycle.ts';
import type { RunTotals } from '../../src/metrics/totals.ts';
import { askServer } from './asked-server.ts';
import type { CliRun } from './cli.ts';
import { startCountingReceiver } from './counting-receiver.ts';
import { assertAccounts, type DurableBench } from './durable.ts';
import { EVERY_SETTLEMENT } from './kill-scenarios.ts';
import type { KillableOptions } from './killable-process.ts';
import type { PrivatePostgres } from './postgres.ts';
import type { PrivateRabbitmq } from './rabbitmq.ts';
import type { TcpProxy } from './tcp-proxy.ts';

/** Two runners, two workers and a server; whoever is killed is followed by another. */
export interface Fleet {
  /** Kills one, at whatever it is doing, and starts another. */
  kill(kind: KillableOptions['kind'] | 'server'): Promise<void>;
}

export interface Blow {
  name: string;
  strike(fleet: Fleet): Promise<void>;
}

export const KILL_WORKER: Blow = { name: 'a worker is killed', strike: (fleet) => fleet.kill('worker') };
export const KILL_RUNNER: Blow = { name: 'a runner is killed', strike: (fleet) => fleet.kill('runner') };
export const KILL_SERVER: Blow = { name: 'the server is killed', strike: (fleet) => fleet.kill('server') };

const POLL_MS = 20;

/**
 * A run of so many patients, struck again and again while it goes on: a blow falls whenever another share of the
 * patients has ended. Asserts that nothing is lost, that each is settled once, and that repeats are counted.
 */
export async function carryThroughStorm(
  bench: DurableBench,
  patients: number,
  blows: readonly Blow[],
): Promise<{ totals: RunTotals; messages: number; distinct: number }> {
  await using receiver = await startCountingReceiver({ refuseEvery: 20, refuseFirstOfEvery: 7 });
  const fleet: Record<KillableOptions['kind'], CliRun[]> = { runner: [], worker: [] };
  const launch = async (kind: KillableOptions['kind']): Promise<void> => {
    fleet[kind].push(await bench.start(kind));
  };
  await Promise.all([launch('runner'), launch('runner'), launch('worker'), launch('worker')]);
  await using server = await askServer(bench);
  const kill: Fleet['kill'] = async (kind) => {
    if (kind === 'server') return server.kill();
    const victim = fleet[kind].shift()!;
    victim.process.kill('SIGKILL');
    const { signal, stderr } = await victim.ended;
    assert.equal(signal, 'SIGKILL', `a ${kind} had ended by itself: ${stderr}`);
    await launch(kind);
  };
  const { id } = await bench.createRun({ template: EVERY_SETTLEMENT, patients, mllpPort: receiver.port });
  for (const [number, { strike }] of blows.entries()) {
    const share = Math.floor((patients * (number + 0.5)) / blows.length);
    await untilEnded(bench, id, share);
    await strike({ kill });
  }
  const run = await bench.untilOver(id);
  await bench.untilSettled(id);
  await bench.stop(...fleet.runner, ...fleet.worker);
  assert.equal(run.status, 'COMPLETED');
  assert.equal(run.startedIterations, patients);
  const totals = await assertAccounts(bench, run, receiver);
  assert.equal(totals.failed, receiver.refused, 'exactly the patients failed whose messages are refused');
  const told = await server.figuresOf(id);
  assert.deepEqual(
    [told.status, told.completed_patients, told.failed_patients, told.queued_job_count],
    ['COMPLETED', totals.completed, totals.failed, totals.jobs],
    'the server tells what is in the ledger',
  );
  assert.ok(server.answers > blows.length, `${server.answers} answers while it went on`);
  let messages = 0;
  for (const times of receiver.times.values()) messages += times;
  return { totals, messages, distinct: receiver.times.size };
}

async function untilEnded(bench: DurableBench, runId: number, patients: number): Promise<void> {
  for (;;) {
    const [ended] = await bench.rows('select count(*)::int as n from iterations where run_id = $1', [runId]);
    if (Number(ended!.n) >= patients) return;
    await delay(POLL_MS);
  }
}

/** Blows to what all processes share. */
export function restarts(postgres: PrivatePostgres, rabbitmq: PrivateRabbitmq, proxy: TcpProxy) {
  const restartBroker = async (signal: NodeJS.Signals): Promise<void> => {
    await rabbitmq.stop(signal);
    await rabbitmq.start();
  };
  return {
    cut: { name: 'all connections to the broker are cut', strike: async () => proxy.cut() },
    brokerStopped: { name: 'the broker is stopped and started', strike: () => restartBroker('SIGTERM') },
    brokerKilled: { name: 'the broker is killed and started', strike: () => restartBroker('SIGKILL') },
    ledger: {
      name: 'the ledger is ended at once and started',
      strike: async () => {
        await postgres.crash();
        await postgres.start();
      },
    },
  } satisfies Record<string, Blow>;
}
