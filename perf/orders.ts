/**
 * Orders end to end: generate, send, acknowledge, every ledger row and event, by the real `bench` command with its
 * sink in a process of its own.
 *
 *   node perf/orders.ts [--patients 50000] [--concurrency 8,16,64] [--repetitions 5] [--json]
 *
 * The rate is patients over the wall clock of the run, from its start to its last row in the ledger. The earlier
 * Python server was measured at 9.3 to 12.5 orders a second on such a machine.
 */
import { parseArgs } from 'node:util';
import { openBenchFolder } from './support/run-bench.ts';
import { spread } from './support/spread.ts';

const EARLIER_SERVER_PER_SECOND = 12.5;

const { values } = parseArgs({
  options: {
    patients: { type: 'string', default: '50000' },
    concurrency: { type: 'string', default: '8,16,64' },
    repetitions: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
  },
});

await using folder = await openBenchFolder();
const widths = values.concurrency.split(',');
const rates = new Map(widths.map((width) => [width, [] as number[]]));
const p99s = new Map(widths.map((width) => [width, [] as number[]]));
await folder.run(['orders-only', '--patients', '2000']);
for (let repetition = 0; repetition < Number(values.repetitions); repetition++) {
  for (const width of widths) {
    const run = await folder.run(['orders-only', '--patients', values.patients, '--concurrency', width]);
    if (run.totals.completed !== run.patient_count) throw new Error(`a run ended ${run.status}`);
    rates.get(width)!.push(run.patient_count / run.duration_seconds);
    p99s.get(width)!.push(run.series.find(({ series }) => series === 'order_ack')!.p99_us / 1000);
  }
}
const rows = widths.map((width) => ({
  concurrency: width,
  'orders/s': spread(rates.get(width)!, 0),
  'times the earlier server': spread(
    rates.get(width)!.map((rate) => rate / EARLIER_SERVER_PER_SECOND),
    0,
  ),
  'ACK p99 ms': spread(p99s.get(width)!, 1),
}));
if (values.json) console.log(JSON.stringify(rows, null, 2));
else console.table(rows);
