import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { delay } from '../../src/lib/lifecycle.ts';
import { connectLive, createLocalLive } from '../../src/live/local-live.ts';
import type { LiveFact, LivePort } from '../../src/live/port.ts';
import { createPostgresLive } from '../../src/live/postgres-live.ts';
import { type Postgres, startPrivatePostgres } from '../support/postgres.ts';
import { startPostgres, without } from '../support/services.ts';

/** Two ends of the same facts; they may be one. */
interface Pair extends AsyncDisposable {
  near: LivePort;
  far: LivePort;
}

interface Subject {
  name: string;
  skip: string | false;
  open(): Promise<Pair>;
}

let postgres: Postgres;
const withoutPostgres = without('postgresql');

const pairOf = (near: LivePort, far: LivePort, more: readonly LivePort[] = []): Pair => ({
  near,
  far,
  [Symbol.asyncDispose]: async () => {
    for (const live of [near, far, ...more]) await live.close();
  },
});

const SUBJECTS: readonly Subject[] = [
  {
    name: 'one process',
    skip: false,
    open: async () => {
      const live = createLocalLive();
      return pairOf(live, live);
    },
  },
  {
    name: 'a thread and its process',
    skip: false,
    open: async () => {
      const hub = createLocalLive();
      return pairOf(connectLive(hub.connectPort()), hub);
    },
  },
  {
    name: 'a process and its thread',
    skip: false,
    open: async () => {
      const hub = createLocalLive();
      return pairOf(hub, connectLive(hub.connectPort()));
    },
  },
  {
    name: 'two threads',
    skip: false,
    open: async () => {
      const hub = createLocalLive();
      return pairOf(connectLive(hub.connectPort()), connectLive(hub.connectPort()), [hub]);
    },
  },
  {
    name: 'PostgreSQL',
    skip: withoutPostgres,
    open: async () => {
      const databaseUrl = await postgres.createDatabase();
      return pairOf(createPostgresLive({ databaseUrl }), createPostgresLive({ databaseUrl }));
    },
  },
];

/** Everything that is heard, and a way to wait for it. */
function hear(live: LivePort) {
  const facts: LiveFact[] = [];
  const stop = live.subscribe((fact) => facts.push(fact));
  const until = async (wanted: (fact: LiveFact) => boolean): Promise<void> => {
    for (let tries = 0; !facts.some(wanted); tries++) {
      assert.ok(tries < 3000, `not heard; heard ${JSON.stringify(facts.slice(-5))}`);
      await delay(10);
    }
  };
  return { facts, stop, until };
}

/** Facts before both ends are connected may be lost, so the first is told until it is heard. */
async function connected(from: LivePort, to: LivePort): Promise<void> {
  const { facts, stop } = hear(to);
  for (let tries = 0; facts.length === 0; tries++) {
    assert.ok(tries < 500, 'the two ends do not hear of each other');
    from.publish({ kind: 'run_created', runId: 999 });
    await delay(20);
  }
  stop();
}

const runs = (facts: readonly LiveFact[], runId: number) =>
  facts.filter((fact) => fact.kind === 'run' && fact.runId === runId);

before(async () => {
  if (!withoutPostgres) postgres = await startPostgres();
});
after(() => postgres?.close());

for (const subject of SUBJECTS) {
  describe(`live facts: ${subject.name}`, { skip: subject.skip }, () => {
    it('tells each kind of fact as it is, to this end and to the other', async () => {
      await using pair = await subject.open();
      await connected(pair.near, pair.far);
      await connected(pair.near, pair.near);
      const facts: LiveFact[] = [
        { kind: 'run_created', runId: 7 },
        { kind: 'listener', status: 'running', port: 2575, message: null },
        { kind: 'listener', status: 'error', port: null, message: 'the port is taken: "2575" — é' },
        { kind: 'listener_message', id: 3 },
        {
          kind: 'run',
          runId: 7,
          queued: [{ jobId: 'a', queue: 'q', patientIteration: 1, repeatIteration: 0 }],
        },
      ];
      const ears = [hear(pair.far), hear(pair.near)];
      for (const fact of facts) pair.near.publish(fact);
      for (const { facts: heard, until } of ears) {
        await until(({ kind }) => kind === 'run');
        assert.deepEqual(
          heard.filter((fact) => fact.kind !== 'run_created' || fact.runId === 7),
          facts,
        );
      }
    });

    it('tells far fewer facts of one run than there are, and the last one in any case', async () => {
      await using pair = await subject.open();
      await connected(pair.near, pair.far);
      const { facts, until } = hear(pair.far);
      const queued = (n: number) => [
        { jobId: `job-${n}`, queue: 'q', patientIteration: n, repeatIteration: 0 },
      ];
      const startedMs = performance.now();
      for (let n = 1; n <= 2000; n++) pair.near.publish({ kind: 'run', runId: 1, queued: queued(n) });
      pair.near.publish({ kind: 'run', runId: 2 });
      await until(
        (fact) => fact.kind === 'run' && (fact.queued?.some(({ jobId }) => jobId === 'job-2000') ?? false),
      );
      await until((fact) => fact.kind === 'run' && fact.runId === 2);
      const tenths = Math.ceil((performance.now() - startedMs) / 100);
      assert.ok(runs(facts, 1).length <= tenths + 1, `${runs(facts, 1).length} facts in ${tenths} tenths`);
    });

    it('tells what waits when it is closed', async () => {
      await using pair = await subject.open();
      if (pair.near === pair.far) return;
      await connected(pair.near, pair.far);
      const { until } = hear(pair.far);
      for (let n = 0; n < 3; n++) {
        const queued = [{ jobId: String(n), queue: 'q', patientIteration: n, repeatIteration: 0 }];
        pair.near.publish({ kind: 'run', runId: 5, queued });
      }
      await pair.near.close();
      pair.near.publish({ kind: 'run_created', runId: 5 });
      if (subject.name !== 'a process and its thread')
        await until((fact) => fact.kind === 'run' && fact.queued?.at(-1)?.jobId === '2');
    });

    it('tells nothing to who has ended its subscription', async () => {
      await using pair = await subject.open();
      await connected(pair.near, pair.far);
      const gone = hear(pair.far);
      gone.stop();
      gone.stop();
      const { until } = hear(pair.far);
      pair.near.publish({ kind: 'run_created', runId: 8 });
      await until((fact) => fact.kind === 'run_created' && fact.runId === 8);
      assert.deepEqual(gone.facts, []);
    });
  });
}

describe('live facts: PostgreSQL that goes away', { skip: withoutPostgres }, () => {
  it('connects again by itself and tells what was published meanwhile', async () => {
    await using server = await startPrivatePostgres();
    const lines: string[] = [];
    const options = { databaseUrl: await server.createDatabase(), log: (line: string) => lines.push(line) };
    await using near = createPostgresLive(options);
    await using far = createPostgresLive(options);
    await connected(near, far);
    await server.crash();
    const { until } = hear(far);
    near.publish({ kind: 'run', runId: 1 });
    near.publish({ kind: 'run_created', runId: 2 });
    await server.start();
    await connected(near, far);
    near.publish({ kind: 'run', runId: 3 });
    await until((fact) => fact.kind === 'run' && fact.runId === 3);
    const lost = lines.findIndex((line) => /^the connection to the database was lost/.test(line));
    assert.ok(lost >= 0);
    assert.ok(lines.slice(lost).includes('connected to the database again'), lines.join('\n'));
  });

  it('tells what was published by a process that ends at once', async () => {
    const databaseUrl = await postgres.createDatabase();
    await using far = createPostgresLive({ databaseUrl });
    await using other = createPostgresLive({ databaseUrl });
    await connected(other, far);
    const { until } = hear(far);
    const near = createPostgresLive({ databaseUrl });
    near.publish({ kind: 'run_created', runId: 77 });
    await near.close();
    await until((fact) => fact.kind === 'run_created' && fact.runId === 77);
  });

  it('may be closed while there is no database, and says once that there is none', async () => {
    const lines: string[] = [];
    const live = createPostgresLive({
      databaseUrl: 'postgres://app:secret@127.0.0.1:1/none',
      log: (line) => lines.push(line),
    });
    live.publish({ kind: 'run', runId: 1 });
    for (let tries = 0; lines.length === 0 && tries < 1000; tries++) await delay(10);
    await delay(300);
    await live.close();
    await live.close();
    assert.equal(lines.length, 1);
    assert.doesNotMatch(lines[0]!, /secret/);
  });
});
