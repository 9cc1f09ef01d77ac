import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { MODALITIES } from '../../src/domain/modality.ts';
import { PARAMETER_SCHEMAS, retrySchema, stepSchema } from '../../src/domain/step-schema.ts';
import { createFakerCalls } from '../../src/steps/cues/faker-calls.ts';
import { createNamedCues } from '../../src/steps/cues/named-cues.ts';

const TEXT = readFileSync(new URL('../../docs/templates.md', import.meta.url), 'utf8');

const wordsIn = (text: string): string[] => [...text.matchAll(/`([\w.]+)`/g)].map(([, word]) => word!);

describe('docs/templates.md', () => {
  it('names every cue and no other', () => {
    const { text, times } = createNamedCues('OBR.3');
    const rows = TEXT.slice(TEXT.indexOf('## Generators'))
      .split('\n')
      .filter((line) => line.startsWith('| `'));
    const documented = rows.flatMap((row) => wordsIn(row.split(' | ')[0]!));
    assert.deepEqual(documented.toSorted(), [...text.keys(), ...times.keys()].toSorted());
    const calls = wordsIn(TEXT.slice(TEXT.lastIndexOf('calls are:')));
    assert.deepEqual(calls, createFakerCalls().names);
  });

  it('names every field of a step', () => {
    const about = TEXT.slice(0, TEXT.indexOf('## What the images are of'));
    for (const field of [...Object.keys(stepSchema.shape), ...Object.keys(retrySchema.shape)])
      assert.match(about, new RegExp(`\\b${field}\\b`));
  });

  it('names every step with its parameters', () => {
    const older = new Set(Object.keys(PARAMETER_SCHEMAS.WAIT.shape));
    older.delete('duration_seconds');
    for (const [step, { shape }] of Object.entries(PARAMETER_SCHEMAS)) {
      const row = TEXT.split('\n').find((line) => line.startsWith(`| \`${step}\` |`));
      const own = Object.keys(shape).filter(
        (name) => !older.has(name) && !/queue|async|attempts|retry/.test(name),
      );
      for (const name of own) assert.ok(row?.includes(`\`${name}\``), `${step} has ${name}`);
    }
  });

  it('names the modalities whose images are made', () => {
    for (const modality of MODALITIES) assert.match(TEXT, new RegExp(`made are [^)]*\\b${modality}\\b`));
  });
});
