import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { z } from 'zod';
import type { ApiClient, ApiRequest } from './http.ts';
import { createRunFeed } from './run-feed.ts';

/** A run whose events become visible as a test says, answered as the contract has it. */
function fakeRun() {
  const ids: number[] = [];
  const asked: ApiRequest[] = [];
  const client = {
    json: async (schema: z.ZodType, request: ApiRequest) => {
      asked.push(request);
      const { events_limit: limit, events_offset: offset } = request.query as Record<string, number>;
      const newest = ids.toSorted((one, other) => other - one).slice(offset, offset! + limit!);
      return schema.parse({
        id: 7,
        patient_count: 1,
        status: 'RUNNING',
        events: newest.reverse().map((id) => ({ id, status: 'INFO' })),
      });
    },
  } as unknown as ApiClient;
  const feed = (tail: number, pageSize = 3) => {
    const created = createRunFeed({ client, runId: 7, tail, pageSize });
    return {
      read: async () => (await created.read()).events.map(({ id }) => id),
      readAll: async () => (await created.readAll()).events.map(({ id }) => id),
    };
  };
  return { ids, asked, feed };
}

describe('the feed of a run', () => {
  it('tells each event once, in the order of their ids, however many came at once', async () => {
    const { ids, feed } = fakeRun();
    const { read } = feed(Number.POSITIVE_INFINITY);
    assert.deepEqual(await read(), []);
    ids.push(1, 2);
    assert.deepEqual(await read(), [1, 2]);
    ids.push(3, 4, 5, 6, 7, 8, 9, 10);
    assert.deepEqual(await read(), [3, 4, 5, 6, 7, 8, 9, 10]);
    assert.deepEqual(await read(), []);
  });

  it('finds rows that became visible late, at the latest at the end', async () => {
    const { ids, feed } = fakeRun();
    const { read, readAll } = feed(Number.POSITIVE_INFINITY);
    ids.push(1, 2, 5, 6, 7, 8, 9);
    assert.deepEqual(await read(), [1, 2, 5, 6, 7, 8, 9]);
    ids.push(3, 10);
    assert.deepEqual(await read(), [10]);
    ids.push(4);
    assert.deepEqual(await readAll(), [3, 4]);
    assert.deepEqual(await readAll(), []);
  });

  it('begins with as many events as it is told to and never goes back before them', async () => {
    for (const [tail, expected] of [
      [0, []],
      [2, [8, 9]],
      [9, [1, 2, 3, 4, 5, 6, 7, 8, 9]],
      [20, [1, 2, 3, 4, 5, 6, 7, 8, 9]],
    ] as const) {
      const { ids, feed } = fakeRun();
      ids.push(1, 2, 3, 4, 5, 6, 7, 8, 9);
      const { read, readAll } = feed(tail);
      assert.deepEqual(await read(), expected);
      ids.push(10);
      assert.deepEqual(await read(), [10]);
      assert.deepEqual(await readAll(), []);
    }
  });

  it('asks for one page when nothing is new', async () => {
    const { ids, asked, feed } = fakeRun();
    ids.push(...Array.from({ length: 100 }, (_, index) => index + 1));
    const { read } = feed(Number.POSITIVE_INFINITY);
    await read();
    asked.length = 0;
    await read();
    assert.equal(asked.length, 1);
  });
});
