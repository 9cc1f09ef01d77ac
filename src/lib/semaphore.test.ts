import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createSemaphore } from './semaphore.ts';

describe('semaphore', () => {
  it('grants as many as its limit and serves the others in their order', async () => {
    const semaphore = createSemaphore(2);
    const order: number[] = [];
    const asked = [1, 2, 3, 4].map((n) => semaphore.acquire().then(() => order.push(n)));
    await Promise.all(asked.slice(0, 2));
    await new Promise(setImmediate);
    assert.deepEqual(order, [1, 2]);
    semaphore.release();
    await asked[2];
    semaphore.release();
    await asked[3];
    assert.deepEqual(order, [1, 2, 3, 4]);
  });

  it('lets a waiter go when its signal aborts, without losing a place', async () => {
    const semaphore = createSemaphore(1);
    await semaphore.acquire();
    const abort = new AbortController();
    const waiting = semaphore.acquire(abort.signal);
    const next = semaphore.acquire();
    abort.abort();
    assert.equal(await waiting, false);
    semaphore.release();
    assert.equal(await next, true);
    assert.equal(await semaphore.acquire(abort.signal), false);
  });

  it('serves waiters when its limit is raised', async () => {
    const semaphore = createSemaphore(1);
    await semaphore.acquire();
    const waiting = semaphore.acquire();
    semaphore.setLimit(2);
    assert.equal(await waiting, true);
  });
});
