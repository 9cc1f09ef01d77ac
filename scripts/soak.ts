/**
 * What takes longer than the tests may: prints its results and writes them to docs/soak.md.
 *
 *   npm run soak [-- --patients 10000]
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type SoakResult, soakKilledWorkers } from '../test/soak/killed-workers.ts';
import { without } from '../test/support/programs.ts';

const RESULTS = fileURLToPath(new URL('../docs/soak.md', import.meta.url));

const { values } = parseArgs({ options: { patients: { type: 'string', default: '10000' } } });

function page(result: SoakResult): string {
  const rows = Object.entries(result).map(([name, value]) => `| ${words(name)} | ${value} |`);
  return [
    '# Soak',
    '',
    `The last results of \`npm run soak\`, ${new Date().toISOString().slice(0, 10)}, ${cpus().length} cores, Node ${process.version}.`,
    '',
    '## Killed workers, killed broker',
    '',
    'Order, images and storage over three queues on RabbitMQ and PostgreSQL, two workers, one of them killed (SIGKILL)',
    'every two seconds and started again, the broker killed and started once. It passes when every patient completed,',
    'every job is settled once, and the receivers have had at least what was to be sent; what they had beyond that are',
    'the effects that were repeated.',
    '',
    '| | |',
    '|---|---|',
    ...rows,
    '',
  ].join('\n');
}

function words(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

const missing = without('rabbitmq-server', 'postgresql');
if (missing) {
  console.error(missing);
  process.exit(1);
}
const cwd = await mkdtemp(join(tmpdir(), 'yeeter-soak-'));
try {
  const result = await soakKilledWorkers(Number(values.patients), cwd);
  console.table(result);
  await writeFile(RESULTS, page(result));
} finally {
  await rm(cwd, { recursive: true, force: true });
}
