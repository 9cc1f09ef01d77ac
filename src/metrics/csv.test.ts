import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type CsvValue, csvLines, writeCsv } from './csv.ts';

async function written<Column extends string>(
  columns: Column[],
  row: Record<Column, CsvValue>,
): Promise<string> {
  let text = '';
  for await (const line of csvLines(columns, [row])) text += line;
  return text;
}

describe('CSV', () => {
  it('quotes as RFC 4180 says and leaves null blank', async () => {
    const row = { a: 'x,y', b: 'say "hi"', c: null, d: 'two\nlines', e: true };
    const text = await written(['a', 'b', 'c', 'd', 'e'], row);
    assert.equal(text, 'a,b,c,d,e\r\n"x,y","say ""hi""",,"two\nlines",true\r\n');
  });

  it('takes the edge off text that a spreadsheet would run', async () => {
    const cases: [CsvValue, string][] = [
      ['=1+1', "'=1+1"],
      ['+1', "'+1"],
      ['-1', "'-1"],
      ['@SUM(A1)', "'@SUM(A1)"],
      ['\tx', "'\tx"],
      ['\r=1', '"\'\r=1"'],
      ['=HYPERLINK("x","y")', '"\'=HYPERLINK(""x"",""y"")"'],
      ['a=1', 'a=1'],
      ['', ''],
    ];
    for (const [value, expected] of cases)
      assert.equal(await written(['a'], { a: value }), `a\r\n${expected}\r\n`);
  });

  it('keeps numbers numbers, negative ones too', async () => {
    assert.equal(await written(['a'], { a: -1.5 }), 'a\r\n-1.5\r\n');
    assert.equal(await written(['a'], { a: 0 }), 'a\r\n0\r\n');
  });

  it('asks for a row when it writes one, and fails as the rows do', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'yeeter-csv-'));
    try {
      const path = join(folder, 'rows.csv');
      await writeCsv(path, ['n'], [{ n: 1 }, { n: 2 }]);
      assert.equal(await readFile(path, 'utf8'), 'n\r\n1\r\n2\r\n');
      const broken = (async function* () {
        yield { n: 1 };
        throw new Error('the store is gone');
      })();
      await assert.rejects(writeCsv(path, ['n'], broken), /the store is gone/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
