import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import { YeeterError } from './errors.ts';
import { answerCalls, callOver } from './thread-calls.ts';

interface Methods extends Record<string, (...parameters: never[]) => Promise<unknown>> {
  add(a: number, b: number): Promise<number>;
  refuse(): Promise<void>;
  wait(): Promise<void>;
}

function connected() {
  const { port1, port2 } = new MessageChannel();
  answerCalls(port1, {
    add: async (a: number, b: number) => a + b,
    refuse: async () => {
      throw new YeeterError('QUEUE_UNREACHABLE', 'no broker', { retryable: false });
    },
    wait: () => new Promise(() => {}),
  });
  return { methods: callOver<Methods>(port2, ['add', 'refuse', 'wait']), close: () => port1.close() };
}

describe('calls between threads', () => {
  it('bring results and errors back, each to its call', async () => {
    const { methods, close } = connected();
    const sums = await Promise.all(Array.from({ length: 50 }, (_, n) => methods.add(n, 1)));
    assert.deepEqual(
      sums,
      Array.from({ length: 50 }, (_, n) => n + 1),
    );
    await assert.rejects(methods.refuse(), (error) => {
      assert.ok(error instanceof YeeterError);
      assert.deepEqual(
        [error.code, error.message, error.retryable],
        ['QUEUE_UNREACHABLE', 'no broker', false],
      );
      return true;
    });
    close();
  });

  it('fail when the other end goes, those under way and those after', async () => {
    const { methods, close } = connected();
    const underWay = methods.wait();
    close();
    await assert.rejects(underWay, { code: 'INTERNAL' });
    await assert.rejects(methods.add(1, 2), { code: 'INTERNAL' });
  });
});
