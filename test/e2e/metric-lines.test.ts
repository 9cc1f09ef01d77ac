import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { yeeter } from '../support/cli.ts';
import { startPostgres, startRabbitmq, without } from '../support/services.ts';

const TEMPLATE = `
name: lines
generators:
  order:
    content: |
      MSH|^~\\&|YEETER|T|RIS|T|{$Faker.Context.MessageTimestamp}||ORM^O01|{$Faker.Context.MessageControlId}|T|2.5.1
      PID|||{$Faker.Patient.MRN}||{$Faker.Person.LastName}^{$Faker.Person.FirstName}
      OBR||{$Faker.Order.PlacerOrderNumber}|{$Faker.Order.AccessionNumber}|CT1^CT head
steps:
  - {step_type: GENERATE_HL7, parameters: {generator_template_id: order}}
  - {step_type: SEND_MLLP}
  - step_type: GENERATE_DICOM
    execution: async
    parameters: {count: 2, modality: CT, generate_pixels: false}
  - {step_type: SEND_DICOM}
`;

const EXPECTED = {
  dicom_association: 3,
  dicom_c_store: 6,
  mllp_send: 3,
  patient_finished: 3,
  queue_publish: 3,
  step_executed: 12,
  worker_job_processed: 3,
};

/** Lines of JSON by their metric. */
function metricLines(stdout: string): Partial<Record<string, Record<string, unknown>[]>> {
  const lines = stdout.split('\n').filter((line) => line.startsWith('{'));
  return Object.groupBy(
    lines.map((line) => JSON.parse(line) as Record<string, unknown>),
    ({ metric }) => String(metric),
  );
}

async function linesOfBench(...flags: string[]): Promise<ReturnType<typeof metricLines>> {
  const cwd = await mkdtemp(join(tmpdir(), 'yeeter-lines-'));
  try {
    await writeFile(join(cwd, 'lines.yaml'), TEMPLATE);
    const args = ['bench', 'lines.yaml', '--patients', '3', '--out', 'out', ...flags];
    const { code, stdout, stderr } = await yeeter(args, cwd, { YEETER_METRIC_LOG: 'json' });
    assert.equal(code, 0, stderr);
    return metricLines(stdout);
  } finally {
    await rm(cwd, { recursive: true, force: true });
  }
}

function holdsEverything(lines: ReturnType<typeof metricLines>): void {
  for (const [metric, count] of Object.entries(EXPECTED)) assert.equal(lines[metric]?.length, count, metric);
  for (const { size_bytes, duration_ms, run_id } of lines.dicom_c_store!)
    assert.ok(Number(size_bytes) > 100 && Number(duration_ms) > 0 && Number(run_id) > 0);
  const published = new Set(lines.queue_publish!.map(({ job_id }) => job_id));
  assert.deepEqual(new Set(lines.worker_job_processed!.map(({ job_id }) => job_id)), published);
}

describe('YEETER_METRIC_LOG=json', () => {
  it('writes what a bench measures in one process', async () => {
    holdsEverything(await linesOfBench('--data', 'data'));
  });

  it('writes what its runner and workers measure', {
    skip: without('rabbitmq-server', 'postgresql'),
  }, async () => {
    await using postgres = await startPostgres();
    await using rabbitmq = await startRabbitmq();
    const urls = [
      ...['--database-url', await postgres.createDatabase()],
      ...['--queue-url', await rabbitmq.createVhost()],
    ];
    holdsEverything(await linesOfBench(...urls, '--workers', '1'));
  });
});
