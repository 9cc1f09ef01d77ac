import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { OwnProcess } from './child-process.ts';
import { keepProcess } from './kept-process.ts';

/** Processes that end as the test says, one after the other. */
function endings(...how: readonly string[]) {
  const started: OwnProcess[] = [];
  const logged: string[] = [];
  const start = (): OwnProcess => {
    const end = how[started.length];
    const stopped = Promise.withResolvers<string>();
    const process: OwnProcess = {
      ended: end === undefined ? stopped.promise : Promise.resolve(end),
      isRunning: end === undefined,
      stop: async () => stopped.resolve('code 0'),
    };
    started.push(process);
    return process;
  };
  const log = (line: string): void => void logged.push(line);
  return { started, logged, options: { name: 'worker', start, log, restartMs: 0 } };
}

it('a process that was killed is started again, however often', async () => {
  const kills = Array(5).fill('signal SIGKILL');
  const { started, logged, options } = endings(...kills);
  const kept = keepProcess(options);
  while (started.length <= kills.length) await new Promise(setImmediate);
  await kept.close();
  assert.equal(started.length, 6);
  assert.deepEqual(logged, Array(5).fill('the worker ended early (signal SIGKILL): another is started'));
});

it('a process that ends by itself as soon as it is started is given up', async () => {
  const { started, options } = endings('code 1', 'code 2', 'code 2', 'code 3');
  await using kept = keepProcess(options);
  assert.equal(await kept.gaveUp, 'the worker ended early, 3 times in a row (code 2)');
  assert.equal(started.length, 3);
});
