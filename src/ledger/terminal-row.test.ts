import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TEST_IDENTITY } from '../../test/support/job.ts';
import { testTemplate } from '../../test/support/template.ts';
import type { OrderContext } from '../domain/order.ts';
import { startState } from '../steps/start-state.ts';
import { type IterationEnding, terminalRow } from './terminal-row.ts';

const run = { id: 1, template: { ...testTemplate([]), returningShare: 0.5 }, identity: TEST_IDENTITY };
const endingOf = (iteration: number, state: IterationEnding['state']): IterationEnding => ({
  run,
  iteration,
  outcome: 'completed',
  failedStep: null,
  failure: null,
  state,
  intendedStartUs: 1_000_000,
  nowUs: 2_500_000,
  possiblyRepeated: false,
});

describe('a terminal row', () => {
  it('is the same whether or not its patient and order were drawn', () => {
    for (let iteration = 1; iteration <= 20; iteration++) {
      const drawn = startState(run.template, run.identity, iteration);
      assert.deepEqual(terminalRow(endingOf(iteration, null)), terminalRow(endingOf(iteration, drawn)));
    }
  });

  it('names whom the message and the worklist told of', () => {
    const drawn = startState(run.template, run.identity, 1);
    const orderContext = { patientId: 'P1', accessionNumber: 'A1' } as OrderContext;
    const row = terminalRow(endingOf(1, { ...drawn, orderContext }));
    assert.deepEqual([row.patientId, row.accessionNumber], ['P1', 'A1']);
  });
});
