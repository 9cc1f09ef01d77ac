import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { OwnProcess } from './child-process.ts';
import { createProcessesTarget } from './processes-target.ts';

/** Processes that live until they are stopped or `die`. */
function fakeProcesses() {
  const started: { process: OwnProcess; die: (how: string) => void; stopped: boolean }[] = [];
  const start = (): OwnProcess => {
    const end = Promise.withResolvers<string>();
    let running = true;
    const entry = {
      stopped: false,
      die: (how: string): void => {
        running = false;
        end.resolve(how);
      },
      process: {
        ended: end.promise,
        get isRunning() {
          return running;
        },
        stop: async () => {
          entry.stopped = true;
          entry.die('code 0');
        },
      },
    };
    started.push(entry);
    return entry.process;
  };
  return { started, start };
}

describe('workers as processes', () => {
  it('are started and stopped as many as are wanted, the youngest first', async () => {
    const { started, start } = fakeProcesses();
    await using target = createProcessesTarget({ start, log: () => {} });
    await target.scale(3);
    assert.equal(await target.replicas(), 3);
    await target.scale(1);
    assert.equal(await target.replicas(), 1);
    assert.deepEqual(
      started.map(({ stopped }) => stopped),
      [false, true, true],
    );
  });

  it('are started again when they end by themselves, and that is said', async () => {
    const { started, start } = fakeProcesses();
    const said: string[] = [];
    await using target = createProcessesTarget({ start, log: (line) => said.push(line), restartMs: 1 });
    await target.scale(1);
    started[0]!.die('signal SIGKILL');
    while (started.length < 2) await new Promise(setImmediate);
    assert.equal(await target.replicas(), 1);
    assert.match(said[0]!, /ended by itself \(signal SIGKILL\)/);
  });

  it('keep their places while they wait to be started again, and those that wait go first', async () => {
    const { started, start } = fakeProcesses();
    const said: string[] = [];
    await using target = createProcessesTarget({ start, log: (line) => said.push(line), restartMs: 60_000 });
    await target.scale(3);
    started[0]!.die('signal SIGKILL');
    while (said.length === 0) await new Promise(setImmediate);
    assert.equal(await target.replicas(), 3);
    await target.scale(3);
    assert.equal(started.length, 3);
    await target.scale(2);
    assert.equal(await target.replicas(), 2);
    assert.deepEqual(
      started.slice(1).map(({ stopped }) => stopped),
      [false, false],
    );
    await target.scale(1);
    assert.deepEqual(
      started.slice(1).map(({ stopped }) => stopped),
      [false, true],
    );
  });

  it('all end when it is closed, and none comes back', async () => {
    const { started, start } = fakeProcesses();
    const target = createProcessesTarget({ start, log: () => {}, restartMs: 1 });
    await target.scale(2);
    await target.close();
    assert.ok(started.every(({ stopped }) => stopped));
    await new Promise((resolve) => setTimeout(resolve, 10));
    assert.equal(started.length, 2);
  });
});
