/**
 * What a worker's batch costs a shared ledger, by its size: jobs are settled, each with its attempt's row and its
 * patient's terminal row, by one writer, one batch after the other. How long a batch takes, and the processor time of
 * the writer and of the database's process.
 *
 *   node perf/ledger-batch.ts [--sizes 1,8,20,60,130] [--batches 500] [--repetitions 3] [--beside DIR] [--json]
 *
 * `--beside` is a checkout of another version, with its packages, which takes turns with ours; one that knows hand-offs,
 * since it is given the same batches. A private server without fsync, a database for each version. Needs /proc.
 */
import { randomUUID } from 'node:crypto';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { jobIdOf } from '../src/domain/job-id.ts';
import type { LedgerBatch } from '../src/storage/port.ts';
import { attemptRow, batchOf, iterationRow } from '../test/conformance/ledger-rows.ts';
import { startPrivatePostgres } from '../test/support/postgres.ts';
import { processCpuUs } from './support/process-cpu.ts';
import { spread } from './support/spread.ts';

const OURS = join(import.meta.dirname, '..');
const RUN_ID = 1;

/** Microseconds a batch, one entry a repetition. */
interface Costs {
  tookUs: number[];
  writerUs: number[];
  databaseUs: number[];
}

/** A version of the product, with a database of its own. */
interface Version extends AsyncDisposable {
  name: string;
  pid: number;
  write(batch: LedgerBatch): Promise<unknown>;
  bySize: Map<number, Costs>;
  /** Patients so far. */
  patients: number;
}

async function openVersion(name: string, folder: string, databaseUrl: string): Promise<Version> {
  const load = <Module>(path: string): Promise<Module> => import(join(folder, 'src/storage', path));
  const { migratePostgres } = await load<typeof import('../src/storage/postgres/migrate-postgres.ts')>(
    'postgres/migrate-postgres.ts',
  );
  const { openPg } =
    await load<typeof import('../src/storage/postgres/pg-executor.ts')>('postgres/pg-executor.ts');
  const { encodeLedger } = await load<typeof import('../src/storage/ledger-tables.ts')>('ledger-tables.ts');
  const { writeLedger } = await load<typeof import('../src/storage/write-ledger.ts')>('write-ledger.ts');
  await migratePostgres(databaseUrl);
  const executor = openPg(databaseUrl, { poolSize: 1, retryForMs: 0 });
  const [[pid]] = (await executor.query('select pg_backend_pid()')) as [[number]];
  const line = { id: randomUUID(), slot: 0, batches: 0 };
  return {
    ...{ name, pid, bySize: new Map(), patients: 0 },
    write: (batch) => writeLedger(executor, encodeLedger(batch, false), line),
    [Symbol.asyncDispose]: () => executor.close(),
  };
}

async function measure(version: Version, size: number, batches: number): Promise<void> {
  const settling: LedgerBatch[] = [];
  for (let n = 0; n < batches; n++) {
    const patients = Array.from({ length: size }, () => ++version.patients);
    const jobIds = patients.map((iteration) =>
      jobIdOf({ deploymentId: 'measured', runId: RUN_ID, iteration, segment: 1 }),
    );
    settling.push(
      batchOf({
        attempts: patients.map((patientIteration, at) =>
          attemptRow(RUN_ID, { jobId: jobIds[at]!, patientIteration }),
        ),
        iterations: patients.map((iteration) => iterationRow(RUN_ID, iteration)),
      }),
    );
  }
  const databaseBefore = await processCpuUs(version.pid);
  const writerBefore = process.cpuUsage();
  const startedMs = performance.now();
  for (const batch of settling) await version.write(batch);
  const tookMs = performance.now() - startedMs;
  const { user, system } = process.cpuUsage(writerBefore);
  const databaseUs = (await processCpuUs(version.pid)) - databaseBefore;
  const costs = version.bySize.get(size) ?? { tookUs: [], writerUs: [], databaseUs: [] };
  version.bySize.set(size, costs);
  costs.tookUs.push((tookMs * 1000) / batches);
  costs.writerUs.push((user + system) / batches);
  costs.databaseUs.push(databaseUs / batches);
}

const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '1,8,20,60,130' },
    batches: { type: 'string', default: '500' },
    repetitions: { type: 'string', default: '3' },
    beside: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const sizes = values.sizes.split(',').map(Number);
await using postgres = await startPrivatePostgres([]);
await using versions = new AsyncDisposableStack();
const all = [versions.use(await openVersion('ours', OURS, await postgres.createDatabase()))];
if (values.beside !== undefined) {
  const folder = resolve(values.beside);
  all.push(versions.use(await openVersion('beside', folder, await postgres.createDatabase())));
}
// Once without being counted, so that neither is compiled while it is measured.
for (const version of all) await measure(version, sizes[0]!, Number(values.batches));
for (const version of all) version.bySize.clear();
for (let repetition = 0; repetition < Number(values.repetitions); repetition++)
  for (const size of sizes) for (const version of all) await measure(version, size, Number(values.batches));
const rows = sizes.flatMap((size) =>
  all.map(({ name, bySize }) => {
    const { tookUs, writerUs, databaseUs } = bySize.get(size)!;
    return {
      jobs: size,
      version: name,
      'a batch takes, us': spread(tookUs, 0),
      'CPU of the writer, us': spread(writerUs, 0),
      'CPU of the database, us': spread(databaseUs, 0),
    };
  }),
);
if (values.json) console.log(JSON.stringify(rows));
else console.table(rows);
