/**
 * From the start of a process to its first word: `yeeter --version`, and a worker over RabbitMQ and PostgreSQL that is
 * ready for jobs. The first start of a clone finds nothing compiled; the later ones find what it has left. Beside them,
 * in turns, a Node that has nothing to do.
 *
 *   node perf/start.ts [--repetitions 7] [--json]
 *
 * Wall clock of an otherwise idle machine; broker and database are private. Each first start has a new folder for what
 * is compiled; the clone's own is left alone.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { migratePostgres } from '../src/storage/postgres/migrate-postgres.ts';
import { startProgram } from '../test/support/cli.ts';
import { startPrivatePostgres } from '../test/support/postgres.ts';
import { startPrivateRabbitmq } from '../test/support/rabbitmq.ts';
import { spread } from './support/spread.ts';

const YEETER = fileURLToPath(new URL('../bin/yeeter.js', import.meta.url));

const { values } = parseArgs({
  options: {
    repetitions: { type: 'string', default: '7' },
    json: { type: 'boolean', default: false },
  },
});

await using postgres = await startPrivatePostgres();
await using rabbitmq = await startPrivateRabbitmq({ management: false });
const databaseUrl = await postgres.createDatabase();
await migratePostgres(databaseUrl);
const worker = ['worker', '--queues', 'perf', '--database-url', databaseUrl, '--queue-url', rabbitmq.url];

/** Milliseconds until it has said `word`; it is ended in order, so that it leaves what it has compiled. */
async function untilSaid(args: readonly string[], word: RegExp, compiled: string): Promise<number> {
  const startedMs = performance.now();
  const program = startProgram(process.execPath, args, tmpdir(), 60_000, { NODE_COMPILE_CACHE: compiled });
  await program.said(word);
  const tookMs = performance.now() - startedMs;
  program.process.kill('SIGTERM');
  await program.ended;
  return tookMs;
}

const times: Record<string, number[]> = {};
for (let repetition = 0; repetition < Number(values.repetitions); repetition++) {
  const compiled = await mkdtemp(join(tmpdir(), 'yeeter-perf-'));
  const take = async (name: string, args: readonly string[], word: RegExp): Promise<void> => {
    times[name] ??= [];
    times[name].push(await untilSaid(args, word, compiled));
  };
  await take('Node alone', ['-e', 'console.log("here")'], /here/);
  await take('worker, first', [YEETER, ...worker], /worker ready/);
  await take('worker, later', [YEETER, ...worker], /worker ready/);
  await take('yeeter --version, later', [YEETER, '--version'], /\d/);
  await rm(compiled, { recursive: true, force: true });
}
const node = times['Node alone']!;
const rows = Object.entries(times).map(([what, taken]) => ({
  what,
  ms: spread(taken, 0),
  'times Node alone': spread(
    taken.map((ms, turn) => ms / node[turn]!),
    1,
  ),
}));
if (values.json) console.log(JSON.stringify(rows, null, 2));
else console.table(rows);
