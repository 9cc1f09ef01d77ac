import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { yeeter } from '../support/cli.ts';

// An address for documentation (RFC 5737): nothing may ever be sent there.
const ADDRESS = '192.0.2.1:104';
const TARGET = `PACS@${ADDRESS}`;

describe('a receiver off this machine', () => {
  let cwd: string;
  before(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'yeeter-e2e-'));
    await writeFile(join(cwd, 'one.hl7'), 'MSH|^~\\&|A|B|C|D|20260105||ORM^O01|ONE|T|2.5.1\rPID|1||123\r');
  });
  after(() => rm(cwd, { recursive: true, force: true }));

  it('is refused while it is not registered, whatever is confirmed', async () => {
    for (const args of [
      ['bench', 'orders-only', '-n', '1', '--mllp', ADDRESS, '--confirm', '192.0.2.1'],
      ['send-hl7', 'one.hl7', '--to', ADDRESS, '--confirm', '192.0.2.1'],
    ]) {
      const { code, stdout, stderr } = await yeeter(args, cwd);
      assert.deepEqual([code, stdout], [2, ''], stderr);
      assert.match(stderr, /TARGET_REFUSED: .*192\.0\.2\.1:104.*targets add/s);
    }
  });

  it('is registered, listed, refused while its name is not confirmed, and forgotten', async () => {
    const added = await yeeter(
      ['targets', 'add', TARGET, '--owner', 'J. Smith', '--expires', '2999-12-31'],
      cwd,
    );
    assert.deepEqual([added.code, added.stdout], [0, `registered ${TARGET} until 2999-12-31\n`]);
    const listed = await yeeter(['targets', 'list'], cwd);
    assert.match(listed.stdout, /^PACS@192\.0\.2\.1:104 +J\. Smith +2999-12-31 +4 +any +any$/m);
    const unconfirmed = await yeeter(['bench', '-n', '1', '--dicom', TARGET, '--confirm', 'OTHER'], cwd);
    assert.equal(unconfirmed.code, 2);
    assert.match(unconfirmed.stderr, /TARGET_REFUSED: .*--confirm PACS.*owned by J\. Smith/);
    const removed = await yeeter(['targets', 'remove', TARGET], cwd);
    assert.deepEqual([removed.code, removed.stdout], [0, `removed ${TARGET}\n`]);
    const again = await yeeter(['targets', 'remove', TARGET], cwd);
    assert.equal(again.code, 2);
    assert.match(again.stderr, /USAGE: .*is not registered/);
  });
});
