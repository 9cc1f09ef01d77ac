import type { TestEvent } from 'node:test/reporters';

/** One line of JSON for each test that ended, which `run-tests.ts` adds up. */
export interface Outcome {
  name: string;
  result: 'passed' | 'failed' | 'skipped';
  /** Why it was skipped; empty when the test does not say. */
  reason: string;
}

export default async function* outcomes(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const { type, data } of events) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const skipped = data.skip !== undefined && data.skip !== false;
    // A suite stands for its tests, which are reported themselves, unless it was skipped as a whole.
    if (data.details.type === 'suite' && !skipped) continue;
    const result = skipped ? 'skipped' : type === 'test:pass' ? 'passed' : 'failed';
    const reason = typeof data.skip === 'string' ? data.skip : '';
    yield `${JSON.stringify({ name: data.name, result, reason } satisfies Outcome)}\n`;
  }
}
