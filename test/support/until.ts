import { delay } from '../../src/lib/lifecycle.ts';

/** Waits for a condition; a slow machine has a minute. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what = 'the condition',
): Promise<void> {
  const deadlineMs = performance.now() + 60_000;
  while (!(await condition())) {
    if (performance.now() > deadlineMs) throw new Error(`${what} did not come true in a minute`);
    await delay(10);
  }
}

const PAUSE_MS = 50;

/** Asks until the answer is as it should be; a slow machine has two minutes. */
export async function untilAnswer<T>(ask: () => Promise<T>, holds: (answer: T) => boolean): Promise<T> {
  const deadlineMs = performance.now() + 120_000;
  for (;;) {
    const answer = await ask();
    if (holds(answer)) return answer;
    if (performance.now() > deadlineMs) throw new Error(`the answer stayed ${JSON.stringify(answer)}`);
    await delay(PAUSE_MS);
  }
}
