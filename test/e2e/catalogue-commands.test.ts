import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createMllpSink, type MllpSink } from '../../src/sink/mllp-sink.ts';
import { type CliEnd, type CliRun, startYeeter, untilServing, yeeter } from '../support/cli.ts';

/** The server runs through all tests of this file. */
const HANG_MS = 600_000;

describe('templates and endpoints of a server, by command', () => {
  let cwd: string;
  let server: CliRun;
  let mllp: MllpSink;
  let env: Record<string, string>;

  const run = (...args: string[]): Promise<CliEnd> => yeeter(args, cwd, env);
  const ok = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await run(...args);
    assert.equal(code, 0, stderr);
    return stdout;
  };
  const json = async <T>(...args: string[]): Promise<T> =>
    JSON.parse(await ok(...args, '--format', 'json')) as T;

  before(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'yeeter-catalogue-'));
    mllp = await createMllpSink({});
    server = startYeeter(['serve', '--port', '0', '--data', 'data'], cwd, HANG_MS);
    const url = await untilServing(server);
    env = { YEETER_API_URL: url, YEETER_CONFIG_PATH: join(cwd, 'config.json'), YEETER_API_KEY: '' };
    await ok('register', '-u', 'anna', '--email', 'anna@example.org', '--password', 'correct horse');
  });
  after(async () => {
    server.process.kill('SIGTERM');
    await server.ended;
    await mllp.close();
    await rm(cwd, { recursive: true, force: true });
  });

  const writeTemplate = (file: string, name: string, more = ''): Promise<void> =>
    writeFile(
      join(cwd, file),
      `name: ${name}
generators:
  order:
    content: |
      MSH|^~\\&|YEETER|T|RIS|T|20260105||ORM^O01|{$Faker.Context.MessageControlId}|T|2.5.1
      PID|||{$Faker.Patient.MRN}
      OBR||{$Faker.Order.PlacerOrderNumber}|{$Faker.Order.AccessionNumber}|CT1^CT head
endpoints:
  ris: { endpoint_type: MLLP, hostname: 127.0.0.1, port: ${mllp.port} }
steps:
  - { step_type: GENERATE_HL7, label: Order, parameters: { generator_template_id: order } }
  - { step_type: SEND_MLLP, parameters: { endpoint_id: ris } }
${more}`,
    );

  interface Shown {
    id: number;
    steps: { step_type: string; parameters: Record<string, unknown> }[];
  }
  const show = (name: string): Promise<Shown> => json('templates', 'show', name);

  it('make a template from a file, with what it sends and where, and run it', async () => {
    await writeTemplate('mine.yaml', 'mine');
    const created = await ok('templates', 'create', 'mine.yaml');
    assert.match(created, /^template \d+ is created: mine \(GENERATE_HL7, SEND_MLLP\)\n$/);
    const endpoints = await ok('endpoints', 'list');
    assert.match(endpoints, new RegExp(`\\nris +\\d+ +MLLP +127\\.0\\.0\\.1 +${mllp.port} +- +-\\n`));
    const started = await ok('runs', 'start', 'mine', '-n', '3', '--watch');
    assert.match(started, /COMPLETED after .*3 patients, 0 failure events/);
    assert.equal(mllp.counts().received, 3);
    const { steps } = await show('mine');
    assert.equal(steps[0]!.parameters.label, 'Order');
    for (const parameters of steps.map((step) => step.parameters)) {
      const [number] = [parameters.generator_template_id ?? parameters.endpoint_id];
      assert.equal(typeof number, 'number');
    }
  });

  it('use generators and endpoints again that are the same', async () => {
    await writeTemplate('mine.yaml', 'mine');
    await writeTemplate('twin.yaml', 'twin');
    await ok('templates', 'create', 'twin.yaml');
    const [mine, twin] = [await show('mine'), await show('twin')];
    assert.deepEqual(
      twin.steps.map(({ parameters }) => parameters),
      mine.steps.map(({ parameters }) => parameters),
    );
  });

  it('make a built-in template again, which the built-in receivers take', async () => {
    const body = await json<Shown>('templates', 'create', 'order-to-image');
    const example = await ok('runs', 'start', String(body.id), '-n', '2', '--watch');
    assert.match(example, /COMPLETED after .*2 patients, 0 failure events/);
    const several = await run('templates', 'show', 'order-to-image');
    assert.match(several.stderr, /several templates are called "order-to-image": say \d+ or \d+/);
  });

  it('change a template by a file and delete it', async () => {
    await writeTemplate('mine.yaml', 'third', '  - { step_type: WAIT }\n');
    const { id } = await json<Shown>('templates', 'create', 'mine.yaml');
    await writeTemplate('mine.yaml', 'third');
    const updated = await ok('templates', 'update', 'third', 'mine.yaml');
    assert.equal(updated, `template ${id} is updated: third (GENERATE_HL7, SEND_MLLP)\n`);
    assert.equal((await show('third')).steps.length, 2);
    assert.equal(await ok('templates', 'delete', 'third'), `template ${id} is deleted\n`);
    const used = await run('templates', 'delete', 'mine');
    assert.equal(used.code, 1);
    assert.match(used.stderr, /run \d+ was made from template \d+/);
  });

  it('tell the faults of a file as bench does, and change nothing then', async () => {
    const before = await ok('templates', 'list');
    await writeTemplate(
      'wrong.yaml',
      'wrong',
      '  - { step_type: SEND_FAX }\n  - { step_type: WAIT, colour: red }\n',
    );
    const { code, stderr } = await run('templates', 'create', 'wrong.yaml');
    assert.equal(code, 2);
    assert.match(stderr, /TEMPLATE_INVALID: .*2 faults/);
    assert.match(stderr, /wrong\.yaml:13:\d+ step 3, step_type: .*SEND_FAX/);
    assert.match(stderr, /wrong\.yaml:14:\d+ step 4, colour: unknown field/);
    assert.equal(await ok('templates', 'list'), before);
  });

  it('never take an endpoint of the file for another one of the server', async () => {
    await writeTemplate('mine.yaml', 'moved');
    await ok('endpoints', 'delete', 'ris');
    await ok('endpoints', 'create', 'ris', '127.0.0.1:1');
    const { code, stderr } = await run('templates', 'create', 'mine.yaml');
    assert.equal(code, 2);
    assert.match(
      stderr,
      /endpoint "ris" is MLLP 127\.0\.0\.1:\d+ in the file and MLLP 127\.0\.0\.1:1 on the server/,
    );
  });

  it('make endpoints by their addresses, which steps name, and delete them', async () => {
    const made = await ok('endpoints', 'create', 'pacs', 'PACS@127.0.0.1:104', '--calling', 'CT_SIM');
    assert.match(made, /^endpoint \d+ is created: pacs, DICOM_SCP\n$/);
    const csv = await ok('endpoints', 'list', '--format', 'csv');
    assert.match(csv, /\npacs,\d+,DICOM_SCP,127\.0\.0\.1,104,PACS,CT_SIM\r?\n/);
    const steps =
      'steps: [{ step_type: GENERATE_DICOM }, { step_type: SEND_DICOM, parameters: { endpoint_id: pacs } }]';
    await writeFile(join(cwd, 'store.yaml'), `name: store\n${steps}\n`);
    await ok('templates', 'create', 'store.yaml');
    const { id } = (await json<{ id: number; name: string }[]>('endpoints', 'list')).find(
      ({ name }) => name === 'pacs',
    )!;
    assert.equal((await show('store')).steps[1]!.parameters.endpoint_id, id);
    assert.equal(await ok('endpoints', 'delete', 'PACS'), `endpoint ${id} is deleted\n`);
    const nobody = await run('endpoints', 'delete', 'pacs');
    assert.equal(nobody.code, 2);
    assert.match(nobody.stderr, /no endpoint "pacs": there are dicom, mllp, ris/);
  });

  it('say so when somebody may not', async () => {
    const own = { ...env, YEETER_CONFIG_PATH: join(cwd, 'eve.json') };
    const account = ['-u', 'eve', '--email', 'eve@example.org', '--password', 'correct horse'];
    assert.equal((await yeeter(['register', ...account], cwd, own)).code, 0);
    const { code, stderr } = await yeeter(['endpoints', 'create', 'x', '127.0.0.1:1'], cwd, own);
    assert.equal(code, 1);
    assert.match(stderr, /Admins only\.\n {2}\(POST \/api\/endpoints: 403/);
  });
});
