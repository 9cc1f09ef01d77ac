import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { checkTemplate } from './check.ts';

const EXAMPLES = fileURLToPath(new URL('../../examples/templates/', import.meta.url));

describe('checkTemplate', () => {
  for (const name of readdirSync(EXAMPLES))
    it(`finds no fault in the example ${name}`, () => {
      const outcome = checkTemplate(path.join(EXAMPLES, name));
      assert.ok(outcome.ok, outcome.text);
      assert.match(outcome.text, /no faults/);
    });

  it('lists all faults with their lines, those of the HL7 compiler too', async () => {
    const dir = await mkdtemp(path.join(tmpdir(), 'yeeter-check-'));
    try {
      const file = path.join(dir, 'bad.yaml');
      const content = 'MSH|^~\\&|A|B|||20260105||ADT^A04|1|T|2.5.1\n      PID|||{$Faker.Patient.Mnr}';
      await writeFile(
        file,
        `name: bad\ngenerators:\n  a:\n    content: |\n      ${content}\nsteps:\n  - { step_type: WAITT }\n`,
      );
      const outcome = checkTemplate(file);
      assert.equal(outcome.ok, false);
      assert.deepEqual(
        outcome.faults.map((fault) => fault.line),
        [6, 8],
      );
      assert.match(outcome.text, /bad\.yaml:6:7 generators\.a\.content: .*Mnr/);
      assert.match(outcome.text, /bad\.yaml: 2 faults$/);
    } finally {
      await rm(dir, { recursive: true });
    }
  });
});
