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
