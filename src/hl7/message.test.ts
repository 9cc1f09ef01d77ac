import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decodeMessage, encodeMessage } from './charset.ts';
import {
  getRaw,
  getValue,
  messageType,
  parseMessage,
  readControl,
  serialiseMessage,
  setValue,
} from './message.ts';

const SAMPLES = join(import.meta.dirname, '../../../shared/samples/hl7');

const ORDER = [
  'MSH|^~\\&|RIS|HOSPITAL|PACS|HOSPITAL|20260105||ORM^O01^ORM_O01|C1|T|2.5.1',
  'PID|1||123^^^AUTH&1.2.3&ISO^MR~456^^^^SS||DOE&VAN^JANE',
  'OBR|1|P1|F1^RIS|24627-2^CT Chest \\T\\ Abdomen^LN',
  'OBX|1',
  'OBX|2|TX|note',
].join('\r');

describe('a message', () => {
  const message = parseMessage(ORDER);
  const values: [string, string | null][] = [
    ['MSH-1', '|'],
    ['MSH-2', '^~\\&'],
    ['MSH-3', 'RIS'],
    ['MSH-9', 'ORM'],
    ['MSH-9.2', 'O01'],
    ['PID-3', '123'],
    ['PID-3[2]', '456'],
    ['PID-3[2].5', 'SS'],
    ['PID-3[3]', null],
    ['PID-3.4', 'AUTH'],
    ['PID-3.4.2', '1.2.3'],
    ['PID-5.1.2', 'VAN'],
    ['PID-2', null],
    ['PID-30', null],
    ['OBR.3', 'F1'],
    ['OBR-4.2', 'CT Chest & Abdomen'],
    ['OBX[2]-3', 'note'],
    ['OBX[3]-1', null],
    ['ZDS-1', null],
  ];
  for (const [path, value] of values) {
    it(`has ${JSON.stringify(value)} at ${path}`, () => {
      assert.equal(getValue(message, path), value);
    });
  }

  it('gives the text at a path as it stands', () => {
    assert.equal(getRaw(message, 'OBR-4'), '24627-2^CT Chest \\T\\ Abdomen^LN');
    assert.equal(getRaw(message, 'PID-3.4'), 'AUTH&1.2.3&ISO');
    assert.equal(getRaw(message, 'MSH-2'), '^~\\&');
  });

  it('has a type and a control id', () => {
    assert.equal(messageType(message), 'ORM^O01');
    assert.equal(messageType(parseMessage('MSH|^~\\&|||||||ACK')), 'ACK');
    assert.equal(messageType(parseMessage('MSH|^~\\&|')), null);
    assert.equal(readControl(ORDER), 'C1');
    assert.equal(readControl(`\ufeff${ORDER}`), 'C1');
    assert.equal(readControl('MSH|^~\\&|||||||ACK\rMSA|AA|a|b|c|d|e|f|g'), null);
    assert.equal(readControl('MSH|^~\\&|||||||ACK|\rMSA|AA'), null);
    assert.equal(readControl('PID|1'), null);
  });

  it('uses the delimiters that it declares', () => {
    const odd = parseMessage('MSH#*!?%#A#B\rPID###1*2!3%4*5');
    assert.equal(getValue(odd, 'PID-3[2].1.2'), '4');
    setValue(odd, 'PID-5', 'x#y*z');
    assert.equal(serialiseMessage(odd), 'MSH#*!?%#A#B\rPID###1*2!3%4*5##x?F?y?S?z');
  });

  it('remembers byte order mark and line ends', () => {
    const text = '\ufeffMSH|^~\\&|A\r\nPID|1\n\rPV1|1\n';
    const mixed = parseMessage(text);
    assert.equal(getValue(mixed, 'PV1-1'), '1');
    assert.equal(serialiseMessage(mixed), text);
  });

  it('gains what a path needs', () => {
    const small = parseMessage('MSH|^~\\&|A\r');
    setValue(small, 'ZDS-1', '1.2.3');
    setValue(small, 'PID-3[2].4.2', 'a&b');
    setValue(small, 'MSH-10', 'C2');
    assert.equal(serialiseMessage(small), 'MSH|^~\\&|A|||||||C2\rZDS|1.2.3\rPID|||~^^^&a\\T\\b\r');
  });

  it('refuses to change what holds it together', () => {
    const small = parseMessage('MSH|^~|A');
    assert.throws(() => setValue(small, 'MSH-2', 'x'), { code: 'HL7_PATH' });
    assert.throws(() => setValue(small, 'PID-3.1.2', 'x'), { code: 'HL7_PATH', message: /PID-3.1.2/ });
    assert.throws(() => setValue(small, 'OBX[2]-1', 'x'), { code: 'HL7_PATH', message: /OBX/ });
  });

  for (const bad of ['', '\r\n', 'PID|1', 'MSH', 'MSH|', 'MSH|^^|', 'MSHA^~\\&A', 'MSH|abcdefg|']) {
    it(`cannot be ${JSON.stringify(bad)}`, () => {
      assert.throws(() => parseMessage(bad), { code: 'HL7_PARSE' });
    });
  }

  it('is the same text after parsing and serialising, whatever it holds', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: fc.constantFrom(...'A|^~\\&\r\n1é') })), (parts) => {
        const text = `MSH|^~\\&|${parts.join('\r')}`;
        assert.equal(serialiseMessage(parseMessage(text)), text);
      }),
    );
  });

  it('has at a path what was set there, and its other values as before', () => {
    const number = fc.integer({ min: 1, max: 4 });
    const place = fc.record({
      segment: fc.constantFrom('MSH', 'PID', 'OBR', 'ZDS'),
      segmentRepetition: fc.constant(1),
      field: fc.integer({ min: 3, max: 12 }),
      repetition: number,
      component: number,
      subcomponent: number,
    });
    fc.assert(
      fc.property(place, fc.string({ minLength: 1 }), (path, value) => {
        const changed = parseMessage(ORDER);
        setValue(changed, path, value);
        assert.equal(getValue(changed, path), value);
        const again = parseMessage(serialiseMessage(changed));
        assert.equal(getValue(again, path), value);
        assert.equal(getValue(again, 'OBX[2]-3'), 'note');
      }),
    );
  });
});

describe('the sample messages', { skip: existsSync(SAMPLES) ? false : `no ${SAMPLES}` }, () => {
  const files = existsSync(SAMPLES) ? readdirSync(SAMPLES).filter((file) => file.endsWith('.hl7')) : [];
  for (const file of files) {
    it(`keep their bytes through parsing and serialising: ${file}`, () => {
      const bytes = readFileSync(join(SAMPLES, file));
      const message = parseMessage(decodeMessage(bytes));
      assert.match(messageType(message) ?? '', /^[A-Z]{3}\^[A-Z][0-9]{2}$/);
      assert.deepEqual(encodeMessage(serialiseMessage(message)), bytes);
    });
  }
});
