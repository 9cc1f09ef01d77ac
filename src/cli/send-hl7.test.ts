import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { YeeterError } from '../lib/errors.ts';
import { parseFaultPlan } from '../sink/fault-plan.ts';
import { createMllpSink, MLLP_FAULTS } from '../sink/mllp-sink.ts';
import { sendHl7File, splitMessages } from './send-hl7.ts';

const lines = (id: string, end: string): string =>
  [`MSH|^~\\&|A|B|C|D|1||ORM^O01|${id}`, 'PID|1', ''].join(end);

describe('a file of HL7 messages', () => {
  it('is cut at each MSH, with CR behind every segment whatever ended its lines', () => {
    const wanted = ['1', '2'].map((id) => lines(id, '\r'));
    for (const end of ['\r', '\n', '\r\n']) {
      const split = splitMessages(Buffer.from(lines('1', end) + end + lines('2', end).trimEnd()));
      assert.deepEqual(split.map(String), wanted);
    }
  });

  it('may hold MLLP frames, a byte order mark and batch segments, which are left out', () => {
    const framed = `\u000b${lines('1', '\r')}\u001c\r\u000b${lines('2', '\r')}\u001c\r`;
    assert.deepEqual(splitMessages(Buffer.from(framed)).length, 2);
    const batch = `\ufeffFHS|^~\\&\rBHS|^~\\&\r${lines('1', '\r')}BTS|1\rFTS|1\r`;
    assert.deepEqual(splitMessages(Buffer.from(batch)).map(String), [lines('1', '\r')]);
  });

  it('keeps the bytes of every character set', () => {
    const latin = Buffer.concat([Buffer.from('MSH|^~\\&|'), Buffer.from([0xfc, 0xe9]), Buffer.from('\r')]);
    assert.deepEqual(splitMessages(latin), [latin]);
  });
});

describe('sending a file', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'yeeter-send-'));
  });
  after(() => rm(folder, { recursive: true }));

  it('gives the result of each message in order and goes on behind a failed one', async () => {
    const file = join(folder, 'three.hl7');
    await writeFile(file, ['1', '2', '3'].map((id) => lines(id, '\n')).join(''));
    const keepDir = join(folder, 'kept');
    await using sink = await createMllpSink({ keepDir, faultPlan: parseFaultPlan('AR/2', MLLP_FAULTS) });
    const sent = await sendHl7File({ file, host: '127.0.0.1', port: sink.port });
    assert.deepEqual(
      sent.map(({ number, controlId, result }) => [number, controlId, result.code]),
      [
        [1, '1', 'AA'],
        [2, '2', 'MLLP_NAK_REJECT'],
        [3, '3', 'AA'],
      ],
    );
    assert.equal(await readFile(join(keepDir, '3.hl7'), 'utf8'), lines('3', '\r'));
  });

  it('is refused when the file cannot be read or holds no message', async () => {
    const empty = join(folder, 'empty.hl7');
    await writeFile(empty, 'PID|1\r');
    for (const [file, code] of [
      [join(folder, 'absent.hl7'), 'USAGE'],
      [empty, 'HL7_PARSE'],
    ] as const) {
      await assert.rejects(
        sendHl7File({ file, host: '127.0.0.1', port: 1 }),
        (error) => error instanceof YeeterError && error.code === code && error.message.includes(file),
      );
    }
  });
});
