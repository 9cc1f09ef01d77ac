import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ACK_CODES, buildAck, hl7DateTime, isAckAsked, parseAck, readHeader } from './ack.ts';

const bytes = (text: string): Buffer => Buffer.from(text, 'utf8');
const ORDER = 'MSH|^~\\&|RIS|Ward|PACS|Radiology|20240102030405||ORM^O01|MSG00042|T|2.4\rPID|1||42\r';

describe('the header of a message', () => {
  it('gives the control id and the original mode when MSH-15 and MSH-16 are empty', () => {
    assert.deepEqual(readHeader(bytes(ORDER)), {
      controlId: 'MSG00042',
      enhanced: false,
      accept: 'NE',
      application: 'NE',
    });
  });

  it('gives the enhanced mode when either field is valued, and takes an unknown condition as always', () => {
    const header = (tail: string) => readHeader(bytes(`MSH|^~\\&|||||||ORM^O01|7|T|2.4|||${tail}\r`));
    assert.deepEqual(header('AL|NE'), { controlId: '7', enhanced: true, accept: 'AL', application: 'NE' });
    assert.deepEqual(header('|SU'), { controlId: '7', enhanced: true, accept: 'NE', application: 'SU' });
    assert.deepEqual(header('YES'), { controlId: '7', enhanced: true, accept: 'AL', application: 'NE' });
  });

  it('is read with the separator that MSH-1 names, behind a byte order mark, up to LF or CRLF', () => {
    assert.equal(readHeader(bytes('MSH$^~\\&$A$B$C$D$$$ORM$ID1\nPID'))?.controlId, 'ID1');
    assert.equal(readHeader(bytes('MSH|^~\\&|A|B|C|D|||ORM|ID2\r\nPID'))?.controlId, 'ID2');
    assert.equal(readHeader(bytes(`\ufeff${ORDER}`))?.controlId, 'MSG00042');
  });

  it('is null for bytes that are no message, and empty fields stay empty', () => {
    for (const text of ['', 'MSH', 'MSH|', 'HTTP/1.1 200 OK', 'PID|1'])
      assert.equal(readHeader(bytes(text)), null);
    assert.equal(readHeader(bytes('MSH|^~\\&|A'))?.controlId, '');
  });

  it('tells when a condition asks for an acknowledgement', () => {
    assert.deepEqual(
      (['AL', 'NE', 'ER', 'SU'] as const).map((c) => [isAckAsked(c, true), isAckAsked(c, false)]),
      [
        [true, true],
        [false, false],
        [false, true],
        [true, false],
      ],
    );
  });
});

describe('an acknowledgement', () => {
  it('is read whether its segments end with CR, LF or CRLF', () => {
    for (const end of ['\r', '\n', '\r\n']) {
      const ack = parseAck(bytes(`MSH|^~\\&|A|B|C|D|1||ACK|9|T|2.4${end}MSA|AE|MSG1|no such patient${end}`));
      assert.deepEqual(ack, { code: 'AE', controlId: 'MSG1', text: 'no such patient' });
    }
  });

  it('takes its code from MSA-1, whatever its text says', () => {
    const ack = parseAck(bytes('MSH|^~\\&|||||1||ACK|9|T|2.4\rMSA|AA|MSG1|rejected: AR\r'));
    assert.equal(ack?.code, 'AA');
  });

  it('gives the reason of its ERR segment beside that of MSA-3', () => {
    const nak = (err: string) => parseAck(bytes(`MSH|^~\\&|||||1||ACK|9|T|2.5\rMSA|AR|1\r${err}\r`))?.text;
    assert.equal(
      nak('ERR||PID^1^5|101^Required field missing^HL70357|E|||diagnosis|Name missing'),
      'Name missing',
    );
    assert.equal(
      nak('ERR||PID^1^5|101^Required field missing^HL70357|E'),
      '101^Required field missing^HL70357',
    );
    assert.equal(nak('ERR|PID^1^5^101'), 'PID^1^5^101');
    assert.equal(nak(''), '');
  });

  it('is null without MSH, without MSA, or with a code outside of table 0008', () => {
    for (const text of [
      'MSA|AA|1\r',
      'MSH|^~\\&|A\r',
      'MSH|^~\\&|A\rMSA|OK|1\r',
      'MSH|^~\\&|A\rMSA||1\r',
      'MSH|^~\\&|A\rMSAX|AA|1\r',
      'MSH|^~\\&|A\rMSA|AAA|1\r',
    ]) {
      assert.equal(parseAck(bytes(text)), null, text);
    }
  });

  it('never makes its reader throw, whatever the bytes', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 80 }),
        fc.constantFrom('', 'MSH|^~\\&|', 'MSH|^~\\&|\rMSA|'),
        (b, head) => {
          const message = Buffer.concat([bytes(head), b]);
          parseAck(message);
          readHeader(message);
          buildAck(message, 'AR');
        },
      ),
    );
  });

  it('swaps sender and receiver, echoes id, version and processing id, and has an id of its own', () => {
    assert.equal(
      buildAck(bytes(ORDER), 'AA', { dateTime: '20240102030406' }).toString('latin1'),
      'MSH|^~\\&|PACS|Radiology|RIS|Ward|20240102030406||ACK^O01|AMSG00042|T|2.4\rMSA|AA|MSG00042\r',
    );
  });

  it('echoes the character set and keeps the bytes of names in it', () => {
    const order = Buffer.from(
      'MSH|^~\\&|RIS|Klinik M\xfcnchen|P|R|||ADT^A04^ADT_A01|1|T|2.5||||||8859/1\rPID\r',
      'latin1',
    );
    const ack = buildAck(order, 'AA', { dateTime: '' }).toString('latin1');
    assert.equal(ack, 'MSH|^~\\&|P|R|RIS|Klinik M\xfcnchen|||ACK^A04^ACK|A1|T|2.5||||||8859/1\rMSA|AA|1\r');
  });

  it('escapes its text with the separators of the message', () => {
    const ack = buildAck(bytes('MSH$*~!&$A$B$C$D$$$ORM$7$T$2.4\r'), 'AE', { text: 'a$b*c!d\re|f\u00e9' });
    assert.match(ack.toString(), /^MSH\$\*~!&\$C\$D\$A\$B\$.*\rMSA\$AE\$7\$a!F!b!S!c!E!d e\|f\?\r$/s);
  });

  it('of bytes that are no message still is one', () => {
    assert.deepEqual(parseAck(buildAck(bytes('garbage'), 'AR', { text: 'not HL7' })), {
      code: 'AR',
      controlId: '',
      text: 'not HL7',
    });
  });

  it('reads back as it was built, for every code', () => {
    for (const code of ACK_CODES) {
      assert.deepEqual(parseAck(buildAck(bytes(ORDER), code, { text: 'why' })), {
        code,
        controlId: 'MSG00042',
        text: 'why',
      });
    }
  });
});

it('HL7 time is UTC to the second with its offset', () => {
  assert.equal(hl7DateTime(Date.UTC(2024, 0, 2, 3, 4, 5, 678)), '20240102030405+0000');
});
