import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importFaults, MAY_IMPORT } from './check-imports.ts';

const lines = (file: string, text: string): number[] => importFaults(file, text).map((fault) => fault.line);

test('an import that the table allows is no fault', () => {
  assert.deepEqual(lines('src/hl7/ack.ts', "import { failure } from '../lib/errors.ts';"), []);
  assert.deepEqual(lines('src/runner/pace.ts', "import type { QueuePort } from '../queue/port.ts';"), []);
  assert.deepEqual(lines('src/cli/main.ts', "import { x } from '../storage/pglite/x.ts';"), []);
  assert.deepEqual(lines('src/dicom/iods/ct.ts', "import { uid } from '../uids.ts';"), []);
});

test('hl7 and dicom know neither domain nor each other, not even by type', () => {
  for (const text of [
    "import type { Order } from '../domain/order.ts';",
    "import { encode } from '../dicom/dataset.ts';",
    "export * from '../dicom/dataset.ts';",
    "const x = await import('../dicom/dataset.ts');",
    "import '../dicom/dataset.ts';",
  ]) {
    assert.deepEqual(lines('src/hl7/message.ts', `\n${text}`), [2], text);
    assert.deepEqual(lines('src/hl7/message.test.ts', `\n${text}`), [2], text);
  }
  assert.deepEqual(lines('src/dicom/scu.ts', "import { parse } from '../hl7/message.ts';"), [1]);
});

test('an import over several lines is found, with the line on which it begins', () => {
  const text =
    "import {\n  a,\n  type B,\n} from '../lib/ids.ts';\nimport {\n  c,\n} from '../queue/port.ts';\n";
  assert.deepEqual(importFaults('src/steps/wait.ts', text), [
    {
      file: 'src/steps/wait.ts',
      line: 5,
      message: 'steps may not import queue/port; it may import domain, hl7, dicom, metrics, lib',
    },
  ]);
});

test('queue and storage know the types of metrics alone', () => {
  assert.deepEqual(lines('src/storage/port.ts', "import type { Series } from '../metrics/series.ts';"), []);
  assert.deepEqual(lines('src/storage/port.ts', "import { type Series } from '../metrics/series.ts';"), []);
  assert.deepEqual(
    lines('src/storage/port.ts', "import { a, type Series } from '../metrics/series.ts';"),
    [1],
  );
});

test('the runner knows the ports of queue and storage and not their adapters', () => {
  assert.deepEqual(lines('src/runner/x.ts', "import { open } from '../storage/pglite/open.ts';"), [1]);
  assert.deepEqual(lines('src/runner/x.ts', "import { consume } from '../worker/consume.ts';"), [1]);
});

test('a test may compose rooms, and a source may import neither a test nor what lies outside src', () => {
  assert.deepEqual(lines('src/worker/consume.test.ts', "import { q } from '../queue/memory/queue.ts';"), []);
  assert.deepEqual(lines('src/worker/x.test.ts', "import { q } from '../../test/support/services.ts';"), []);
  assert.deepEqual(lines('src/worker/x.ts', "import { q } from '../../test/support/services.ts';"), [1]);
  assert.deepEqual(lines('src/worker/x.ts', "import { q } from './y.test.ts';"), [1]);
});

test('a room without a line in the table is a fault, and no line names a room that nobody may import', () => {
  assert.deepEqual(lines('src/misc/x.ts', "import { a } from '../lib/ids.ts';"), [1]);
  for (const allowed of Object.values(MAY_IMPORT)) {
    assert.ok(allowed === 'everything' || !allowed.some((entry) => /^(cli|roles)/.test(entry)));
  }
});
