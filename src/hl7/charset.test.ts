import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeMessage, encodeMessage } from './charset.ts';

const withCharset = (name: string, text: string): string =>
  `MSH|^~\\&|A|B|C|D|20260105||ADT^A04|1|T|2.5.1||||||${name}\rPID|1||1||${text}\r`;

describe('MSH-18', () => {
  const cases: [name: string, text: string, byte: number][] = [
    ['8859/1', 'Müller', 0xfc],
    ['8859/2', 'Wałęsa', 0xb3],
    ['8859/5', 'Иван', 0xb8],
    ['8859/7', 'Γιώργος', 0xc3],
    ['8859/9', 'Işık', 0xfe],
    ['8859/15', 'Œuvre €', 0xa4],
    ['UNICODE UTF-8', 'Müller 山田', 0xe5],
    ['UNICODE UTF-8~ISO IR87', 'Ångström', 0xc3],
  ];
  for (const [name, text, byte] of cases) {
    it(`${name} carries ${text}`, () => {
      const message = withCharset(name, text);
      const bytes = encodeMessage(message);
      assert.ok(bytes.includes(byte));
      assert.equal(decodeMessage(bytes), message);
    });
  }

  it('means ASCII when it is empty', () => {
    assert.deepEqual(encodeMessage(withCharset('', 'Doe')), Buffer.from(withCharset('', 'Doe'), 'ascii'));
    assert.throws(() => encodeMessage(withCharset('', 'Müller')), {
      code: 'HL7_CHARSET',
      message: /"ü".*ASCII/,
    });
    assert.throws(() => decodeMessage(Buffer.from(withCharset('ASCII', 'Müller'))), { code: 'HL7_CHARSET' });
  });

  it('gives way to a byte order mark', () => {
    const bytes = Buffer.from(`\ufeff${withCharset('', 'Müller')}`);
    assert.deepEqual(encodeMessage(decodeMessage(bytes)), bytes);
  });

  it('must name a set that we know', () => {
    assert.throws(() => encodeMessage(withCharset('BIG-5', 'x')), {
      code: 'HL7_CHARSET',
      message: /BIG-5.*8859\/1/,
    });
  });

  it('must be true to the bytes', () => {
    const latin = encodeMessage(withCharset('8859/1', 'Müller'));
    const claimsUtf8 = Buffer.from(latin.toString('latin1').replace('8859/1', 'UNICODE UTF-8'), 'latin1');
    assert.throws(() => decodeMessage(claimsUtf8), { code: 'HL7_CHARSET', message: /UNICODE UTF-8/ });
    assert.throws(() => encodeMessage(withCharset('8859/1', '山田')), { code: 'HL7_CHARSET', message: /山/ });
  });
});
