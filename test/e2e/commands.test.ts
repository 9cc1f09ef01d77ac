import assert from 'node:assert/strict';
import { fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createDicomSink } from '../../src/sink/dicom-sink.ts';
import { parseFaultPlan } from '../../src/sink/fault-plan.ts';
import { createMllpSink, MLLP_FAULTS } from '../../src/sink/mllp-sink.ts';
import { startYeeter, YEETER, yeeter, yeeterUnread } from '../support/cli.ts';
import { without } from '../support/programs.ts';

const COMMANDS = [
  'bench',
  'check',
  'targets',
  'login',
  'register',
  'api-key',
  'api-keys',
  'templates',
  'endpoints',
  'runs',
  'metrics',
  'workers',
  'scaling',
  'sink',
  'send-hl7',
  'echo',
  'study',
  'completion',
];

const ORDER = [
  'MSH|^~\\&|A|B|C|D|20260105||ORM^O01|ONE|T|2.5.1',
  'PID|1||123',
  'MSH|^~\\&|A|B|C|D|20260105||ORM^O01|TWO|T|2.5.1',
  'PID|1||124',
].join('\n');

const FAULTY = `name: faulty
generators:
  order:
    content: |
      MSH|^~\\&|A|B|||20260105||ORM^O01|1|T|2.5.1
      PID|||{$Faker.Patient.Mnr}
steps:
  - { step_type: GENERATE_HL7, parameters: { generator_template_id: order, colour: red } }
  - { step_type: SEND_FAX }
  - { step_type: SEND_DICOM, retry: { max_attempts: 0 } }
`;

describe('the command line', () => {
  let cwd: string;
  before(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'yeeter-e2e-'));
    await writeFile(join(cwd, 'two.hl7'), ORDER);
    await writeFile(join(cwd, 'faulty.yaml'), FAULTY);
  });
  after(() => rm(cwd, { recursive: true, force: true }));

  it('helps with examples, in general and for each command', async () => {
    const helps = await Promise.all(
      [['--help'], ...COMMANDS.map((name) => [name, '--help'])].map((args) => yeeter(args, cwd)),
    );
    for (const { code, stdout, stderr } of helps) {
      assert.deepEqual([code, stderr], [0, '']);
      assert.match(stdout, /^Usage: yeeter/);
      assert.match(stdout, /^Examples:\n {2}\$ yeeter/m);
    }
    for (const name of COMMANDS) assert.match(helps[0]!.stdout, new RegExp(`^ {2}${name} `, 'm'));
  });

  it('lets bash complete its commands, options and their values', async () => {
    const { code, stdout } = await yeeter(['completion', 'bash'], cwd);
    assert.equal(code, 0);
    const complete = (...words: string[]): string[] => {
      const script = `${stdout}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _yeeter; echo "\${COMPREPLY[@]}"`;
      const { stdout: offered } = spawnSync('bash', ['--norc', '-c', script, 'bash', 'yeeter', ...words], {
        encoding: 'utf8',
      });
      return offered.trim().split(' ');
    };
    for (const name of COMMANDS) assert.ok(complete('').includes(name), name);
    assert.deepEqual(complete('--api-url', 'http://h', 'runs', 'st'), ['start', 'stats']);
    assert.deepEqual(complete('bench', '--on-failure', ''), ['continue', 'fail_run']);
    assert.ok(complete('runs', 'start', '3', '--').includes('--capture-metrics'));
  });

  const MISUSES: readonly [string, string[], RegExp][] = [
    ['no command at all', [], /Usage: yeeter/],
    ['an unknown command', ['bunch'], /unknown command 'bunch'/],
    ['an unknown option', ['bench', '--patience', '3'], /unknown option '--patience'/],
    ['no patients', ['bench', '-n', '0'], /'0' is invalid.* whole number from 1/],
    ['a burst without a broker', ['bench', '--burst'], /--burst .*: add --queue-url and --database-url/],
    ['a wrong address', ['bench', '--mllp', 'localhost'], /--mllp: "localhost" is not HOST:PORT/],
    [
      'an AE title that is too long',
      ['bench', '--dicom', 'SEVENTEENLETTERSX@127.0.0.1:104'],
      /DICOM_AE_TITLE/,
    ],
    ['a root that is no UID', ['bench', '--uid-root', '1.2.x'], /CONFIG_INVALID: UID root "1\.2\.x"/],
    ['a missing template', ['bench', 'no-such.yaml'], /TEMPLATE_UNREADABLE: .*no-such\.yaml/],
    [
      'a sink that is told a fault it does not know',
      ['sink', '--mllp-faults', 'sneeze/2'],
      /no fault is called "sneeze"/,
    ],
    [
      'a queue without a name',
      ['worker', '--queues', 'a,,b'],
      /'a,,b' is invalid\. "" is not a queue's name/,
    ],
    ['a queue of dead letters', ['worker', '--queues', 'a, x.dlq'], /"x\.dlq" is not a queue's name/],
    [
      'several values that are none, all at once',
      ['bench', '--workers', 'x', '--patients', '0', '--mllp', 'here', '--queue-url', 'http://u:pw@h'],
      /'x' is invalid.*\n.*'0' is invalid.*\n.*--mllp: "here" is not.*\n.*--queue-url "http:\/\/u:\*\*\*@h" is not a URL/,
    ],
    [
      'several queues that are none, and too high a number',
      ['worker', '--queues', 'a.dlq,b,amq.b', '--prefetch', '70000'],
      /"a\.dlq" is not and "amq\.b" is not a queue's name.*\n.*--prefetch "70000" is not between 1 and 65535/,
    ],
    [
      'a target without a port, for no time',
      ['echo', 'PACS@here', '--timeout', '0'],
      /(?=.*the target: "here" is not HOST:PORT)(?=.*'0' is invalid)/s,
    ],
    [
      'a wrong value and an unknown option',
      ['runs', 'watch', 'seven', '--tail', '-1', '--bogus'],
      /'-1' is invalid.*\n.*unknown option '--bogus'/,
    ],
    [
      'a wrong value in front of the command and one behind it',
      ['--api-url', 'here', 'runs', 'watch', 'seven'],
      /--api-url "here" is not a URL.*\n.*'seven' is invalid/,
    ],
    ['a missing receiver', ['send-hl7', 'two.hl7'], /required option '--to/],
  ];
  for (const [what, args, said] of MISUSES) {
    it(`ends with 2 and says why at ${what}`, async () => {
      const end = await yeeter(args, cwd);
      assert.equal(end.code, 2);
      assert.match(end.stderr, said);
    });
  }

  for (const [command, missing] of [
    ['migrate', ['DATABASE_URL']],
    ['worker', ['DATABASE_URL', 'RABBITMQ_URL']],
    ['runner', ['DATABASE_URL', 'RABBITMQ_URL']],
    ['api', ['DATABASE_URL', 'RABBITMQ_URL', 'JWT_SECRET_KEY']],
  ] as const) {
    it(`names all settings that are missing at ${command}`, async () => {
      const { code, stderr } = await yeeter([command], cwd, { RABBITMQ_URL: '', DATABASE_URL: '' });
      assert.equal(code, 2);
      assert.match(stderr, /CONFIG_INVALID: the configuration has faults:/);
      assert.deepEqual(stderr.match(/\w+(?= is missing)/g), missing);
    });
  }

  for (const args of [
    ['check', 'faulty.yaml'],
    ['bench', 'faulty.yaml', '-n', '1'],
  ]) {
    it(`lists all faults of a template with their lines at ${args[0]}, and ends with 2`, async () => {
      const { code, stderr } = await yeeter(args, cwd);
      assert.equal(code, 2);
      assert.match(stderr, /faulty\.yaml:6:\d+ .*Mnr/);
      assert.match(stderr, /faulty\.yaml:8:\d+ .*colour/);
      assert.match(stderr, /faulty\.yaml:9:\d+ .*SEND_FAX/);
      assert.match(stderr, /faulty\.yaml:10:\d+ .*max_attempts/);
    });
  }

  it('finds no fault in a sound template at check', async () => {
    const { code, stdout } = await yeeter(['check', 'order-to-image'], cwd);
    assert.equal(code, 0);
    assert.match(
      stdout,
      /no faults.*GENERATE_HL7, SEND_MLLP, GENERATE_DICOM \(async\), SEND_DICOM; 1 job a patient/,
    );
  });

  for (const args of [
    ['completion', 'bash'],
    ['check', 'order-to-image'],
    ['targets', 'list', '--data', 'unread'],
  ]) {
    it(`ends like any program when nobody reads what ${args[0]} prints`, async () => {
      const { code, stderr } = await yeeterUnread(args, cwd);
      assert.equal(code, 141, stderr);
      assert.doesNotMatch(stderr, /EPIPE|yeeter:|^ +at /m);
    });
  }

  it('sends the messages of a file and says what came back', async () => {
    await using sink = await createMllpSink({ faultPlan: parseFaultPlan('AE/4', MLLP_FAULTS) });
    const args = ['send-hl7', 'two.hl7', '--to', `127.0.0.1:${sink.port}`];
    const good = await yeeter(args, cwd);
    assert.equal(good.code, 0, good.stderr);
    assert.match(
      good.stdout,
      /^message 1 \(ONE, \d+ bytes\): AA in [\d.]+ ms\nmessage 2 \(TWO, \d+ bytes\): AA in /,
    );
    const refused = await yeeter(args, cwd);
    assert.equal(refused.code, 1);
    assert.match(refused.stdout, /message 1 .*: AA in .*\nmessage 2 .*: MLLP_NAK_ERROR: /);
    assert.equal(sink.counts().received, 4);
  });

  it('echoes a DICOM system, and tells one that refuses from one that does not know us', async () => {
    await using sink = await createDicomSink({ aeTitle: 'KNOWN' });
    const good = await yeeter(['echo', `KNOWN@127.0.0.1:${sink.port}`], cwd);
    assert.equal(good.code, 0, good.stderr);
    assert.match(
      good.stdout,
      /^KNOWN@127\.0\.0\.1:\d+ connected in .* ms, associated in .* ms, echoed in .* ms\n$/,
    );
    assert.equal(sink.counts().echoes, 1);
    const unknown = await yeeter(['echo', `OTHER@127.0.0.1:${sink.port}`], cwd);
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /DICOM_ASSOCIATION_REJECTED: OTHER@.*called AE title not recognised/i);
    await sink.close();
    const refused = await yeeter(['echo', `KNOWN@127.0.0.1:${sink.port}`], cwd);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /CONNECT_REFUSED/);
  });

  it('writes a study that DCMTK reads', { skip: without('dcmtk') }, async () => {
    const end = await yeeter(
      ['study', '--modality', 'US', '--count', '2', '--report', '--out', 'study'],
      cwd,
    );
    assert.equal(end.code, 0, end.stderr);
    assert.match(end.stdout, /^US ".*" of ZZTEST.*, 3 instances in 2 series: .*\n$/);
    const names = await readdir(join(cwd, 'study'), { recursive: true, withFileTypes: true });
    const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    assert.equal(files.length, 3);
    const dump = spawnSync(
      '/usr/bin/dcmdump',
      ['+P', '0008,0018', '+P', '0020,000d', '+P', '0008,0060', ...files],
      {
        encoding: 'utf8',
      },
    );
    assert.equal(dump.status, 0, dump.stderr);
    assert.equal(dump.stderr, '');
    assert.equal(new Set(dump.stdout.match(/\(0008,0018\).*?\[(.*?)\]/g)).size, 3);
    assert.equal(new Set(dump.stdout.match(/\(0020,000d\).*?\[(.*?)\]/g)).size, 1);
    assert.equal(dump.stdout.match(/\(0008,0060\) CS \[US\]/g)?.length, 2);
  });

  it('receives until Ctrl-C and then says how much', async () => {
    const sink = startYeeter(['sink', '--mllp-port', '0', '--dicom-port', '0', '--keep', 'kept'], cwd);
    await sink.said(/MLLP on 127\.0\.0\.1:\d+, DICOM storage on 127\.0\.0\.1:\d+/);
    const [, mllpPort, dicomPort] = /MLLP on 127\.0\.0\.1:(\d+), DICOM storage on 127\.0\.0\.1:(\d+)/.exec(
      sink.stdout(),
    )!;
    assert.equal((await yeeter(['send-hl7', 'two.hl7', '--to', `127.0.0.1:${mllpPort}`], cwd)).code, 0);
    assert.equal((await yeeter(['echo', `ANY@127.0.0.1:${dicomPort}`], cwd)).code, 0);
    sink.process.kill('SIGINT');
    const { code, stdout } = await sink.ended;
    assert.equal(code, 0);
    assert.match(stdout, /received 2 messages \(\d+ B\), 1 associations, 0 instances \(0 B\)\n$/);
    assert.deepEqual((await readdir(join(cwd, 'kept', 'hl7'))).toSorted(), ['ONE.hl7', 'TWO.hl7']);
  });

  it('ends by itself, its counts told, when who started it stops it as soon as it is ready', async () => {
    const [node, main] = YEETER;
    const sink = fork(main, ['sink', '--mllp-port', '0', '--dicom-port', '0', '--quiet'], { execPath: node });
    const told: string[] = [];
    sink.on('message', ({ type }: { type: string }) => {
      told.push(type);
      if (type === 'ready') sink.kill('SIGTERM');
    });
    const killTimer = setTimeout(() => sink.kill('SIGKILL'), 60_000);
    const [code, signal] = await once(sink, 'exit');
    clearTimeout(killTimer);
    assert.deepEqual([code, signal, told], [0, null, ['ready', 'counts']]);
  });

  it('names the port that a sink cannot have', async () => {
    await using holder = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => holder.once('listening', resolve));
    const { port } = holder.address() as { port: number };
    for (const option of ['--mllp-port', '--dicom-port']) {
      const other = option === '--mllp-port' ? '--dicom-port' : '--mllp-port';
      const { code, stderr } = await yeeter(['sink', option, String(port), other, '0'], cwd);
      assert.equal(code, 1);
      assert.match(stderr, new RegExp(`PORT_IN_USE: .*127\\.0\\.0\\.1:${port}`));
    }
  });
});
