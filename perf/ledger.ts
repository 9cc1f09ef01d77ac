/**
 * The embedded ledger: job rows and terminal rows through the whole path (row objects on the engine's thread, encoded,
 * handed to the storage thread, written in one transaction a batch) against the bare insert of ready-made arrays in
 * the database's own thread, side by side.
 *
 *   node perf/ledger.ts [--pairs 20000] [--batch 1000] [--repetitions 5] [--data DIR] [--json]
 *
 * A pair is what one patient of a template with an async step leaves: an attempt with its settlement and a terminal
 * row. Both sides write to tables of the same schema in databases that start empty, and take turns within each
 * repetition; a ratio is that of one turn. A further line says what other ways of handing over would cost the
 * engine's thread.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../src/lib/clock.ts';
import { encodeLedger } from '../src/storage/ledger-tables.ts';
import { migrate } from '../src/storage/migrate.ts';
import { openSqlStore } from '../src/storage/open-sql-store.ts';
import { openPgliteStore } from '../src/storage/pglite/open-pglite-store.ts';
import { openPglite } from '../src/storage/pglite/pglite-executor.ts';
import type { LedgerBatch, StoragePort } from '../src/storage/port.ts';
import { attemptRow, batchOf, iterationRow, newRun } from '../test/conformance/ledger-rows.ts';
import { spread } from './support/spread.ts';

interface Load {
  pairs: number;
  batch: number;
}

interface Outcome {
  pairsPerSecond: number;
  /** CPU of the calling thread. */
  callerUsPerPair: number;
}

const BARE = {
  attempts:
    'insert into job_attempts (run_id, job_id, attempt, queue, job_type, outcome, error_code, error, duration_us, ' +
    'queue_wait_us, steps_executed, remaining_steps, patient_iteration, repeat_iteration, worker_id, ' +
    'possibly_repeated, created_at_ms) select * from unnest($1::int8[], $2::uuid[], $3::int4[], $4::text[], ' +
    '$5::text[], $6::text[], $7::text[], $8::text[], $9::int8[], $10::int8[], $11::int4[], $12::int4[], ' +
    '$13::int4[], $14::int4[], $15::text[], $16::bool[], $17::int8[])',
  jobs:
    'insert into jobs (run_id, job_id, outcome, attempt) ' +
    'select * from unnest($1::int8[], $2::uuid[], $3::text[], $4::int4[])',
  iterations:
    'insert into iterations select run_id, iteration, outcome, failed_step, error_code, error, ended_at_ms, ' +
    'response_us, sut_us, own_us, patient_id, accession_number, null, d1, d2, d3, d4, d5, d6, d7, d8, d9, d10, ' +
    'd11, d12, g0, g1, g2, g3, repeated from unnest($1::int8[], $2::int4[], $3::text[], $4::int4[], $5::text[], ' +
    '$6::text[], $7::int8[], $8::int8[], $9::int8[], $10::int8[], $11::text[], $12::text[], $13::text[], ' +
    '$14::int8[], $15::int8[], $16::int8[], $17::int8[], $18::int8[], $19::int8[], $20::int8[], $21::int8[], ' +
    '$22::float8[], $23::float8[], $24::float8[], $25::int8[], $26::int8[], $27::int8[], $28::int8[], ' +
    '$29::int8[], $30::bool[]) as b (run_id, iteration, outcome, failed_step, error_code, error, ended_at_ms, ' +
    'response_us, sut_us, own_us, patient_id, accession_number, uids, d1, d2, d3, d4, d5, d6, d7, d8, d9, d10, ' +
    'd11, d12, g0, g1, g2, g3, repeated)',
};

function batches(runId: number, { pairs, batch }: Load): LedgerBatch[] {
  return Array.from({ length: Math.ceil(pairs / batch) }, (_, b) => {
    const numbers = Array.from({ length: batch }, (_, i) => b * batch + i + 1);
    return batchOf({
      attempts: numbers.map((n) =>
        attemptRow(runId, { jobId: randomUUID(), patientIteration: n, durationUs: n }),
      ),
      iterations: numbers.map((n) =>
        iterationRow(runId, n, { responseUs: n, digestLanes: [`${n}7`, `-${n}5`, `${n}3`, `${n}1`] }),
      ),
    });
  });
}

async function measured(pairs: number, work: () => Promise<void>): Promise<Outcome> {
  const cpu = process.threadCpuUsage();
  const startUs = systemClock.monotonicUs();
  await work();
  const seconds = (systemClock.monotonicUs() - startUs) / 1e6;
  const used = process.threadCpuUsage(cpu);
  return { pairsPerSecond: pairs / seconds, callerUsPerPair: (used.user + used.system) / pairs };
}

/** Two batches under way, so that the storage thread always has one; as the ledger's writer has it. */
async function writeAll(store: StoragePort, all: readonly LedgerBatch[]): Promise<void> {
  let before: Promise<unknown> = Promise.resolve();
  for (const batch of all) {
    const written = store.writeLedger(batch);
    await before;
    before = written;
  }
  await before;
}

interface Subject {
  turn(load: Load): Promise<Outcome>;
  close(): Promise<void>;
}

async function product(dataDir: string): Promise<Subject> {
  const store = await openPgliteStore({ dataDir });
  return {
    turn: async (load) => {
      const all = batches((await store.createRun(newRun())).id, load);
      return measured(load.pairs, () => writeAll(store, all));
    },
    close: () => store.close(),
  };
}

async function bare(dataDir: string): Promise<Subject> {
  await mkdir(dataDir);
  const database = await openPglite(join(dataDir, 'pgdata'), dataDir);
  await migrate(database, dataDir);
  const store = await openSqlStore(database, systemClock, dataDir);
  return {
    turn: async (load) => {
      const encoded = batches((await store.createRun(newRun())).id, load).map((batch) => encodeLedger(batch));
      return measured(load.pairs, async () => {
        for (const { attempts, iterations } of encoded)
          await database.transaction(async (tx) => {
            const [runIds, jobIds, attempt, , , outcomes] = attempts!.columns;
            await tx.query(BARE.attempts, attempts!.columns);
            await tx.query(BARE.jobs, [runIds!, jobIds!, outcomes!, attempt!]);
            await tx.query(BARE.iterations, iterations!.columns);
          });
      });
    },
    close: () => store.close(),
  };
}

/** Microseconds a pair on one thread: encoding and copying columns, copying row objects, JSON. */
function handOvers(batch: LedgerBatch): Record<string, number> {
  const pairs = batch.attempts.length;
  const cost = (work: () => unknown): number => {
    const rounds = 30;
    for (let i = 0; i < rounds; i++) work();
    const startUs = systemClock.monotonicUs();
    for (let i = 0; i < rounds; i++) work();
    return (systemClock.monotonicUs() - startUs) / rounds / pairs;
  };
  const encoded = encodeLedger(batch);
  return {
    'encode columns': cost(() => encodeLedger(batch)),
    'copy columns, both ends': cost(() => structuredClone(encoded)),
    'copy row objects, both ends': cost(() => structuredClone(batch)),
    'JSON text': cost(() => JSON.stringify(batch)),
  };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      pairs: { type: 'string', default: '20000' },
      batch: { type: 'string', default: '1000' },
      repetitions: { type: 'string', default: '5' },
      data: { type: 'string', default: tmpdir() },
      json: { type: 'boolean', default: false },
    },
  });
  const load = { pairs: Number(values.pairs), batch: Number(values.batch) };
  const folder = await mkdtemp(join(values.data, 'yeeter-perf-ledger-'));
  try {
    const subjects = {
      product: await product(join(folder, 'product')),
      bare: await bare(join(folder, 'bare')),
    };
    const warmUp = { ...load, pairs: 2 * load.batch };
    for (const subject of Object.values(subjects)) await subject.turn(warmUp);
    const turns: Record<keyof typeof subjects, Outcome>[] = [];
    for (let i = 0; i < Number(values.repetitions); i++) {
      // The order changes, so that neither is always the one that follows the other's checkpoint.
      const turn: Partial<Record<keyof typeof subjects, Outcome>> = {};
      for (const name of i % 2 === 0 ? (['product', 'bare'] as const) : (['bare', 'product'] as const))
        turn[name] = await subjects[name].turn(load);
      turns.push(turn as Record<keyof typeof subjects, Outcome>);
    }
    for (const subject of Object.values(subjects)) await subject.close();
    const handOver = handOvers(batches(1, { pairs: load.batch, batch: load.batch })[0]!);
    if (values.json) {
      process.stdout.write(`${JSON.stringify({ load, turns, handOver })}\n`);
      return;
    }
    const line = (name: string, text: string): void =>
      void process.stdout.write(`${name.padEnd(44)}${text}\n`);
    const ratios = turns.map((turn) => turn.product.pairsPerSecond / turn.bare.pairsPerSecond);
    line(
      'pairs/s, whole path',
      spread(
        turns.map((turn) => turn.product.pairsPerSecond),
        0,
      ),
    );
    line(
      'pairs/s, bare insert in the same thread',
      spread(
        turns.map((turn) => turn.bare.pairsPerSecond),
        0,
      ),
    );
    line('ratio', spread(ratios, 2));
    line(
      'storage thread, us a pair',
      spread(
        turns.map((turn) => 1e6 / turn.product.pairsPerSecond),
        1,
      ),
    );
    line(
      'engine thread, CPU us a pair',
      spread(
        turns.map((turn) => turn.product.callerUsPerPair),
        1,
      ),
    );
    for (const [name, us] of Object.entries(handOver)) line(`  ${name}, us a pair`, us.toFixed(1));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

await main();
