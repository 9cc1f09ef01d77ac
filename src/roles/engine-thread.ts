import { parentPort, threadId, workerData } from 'node:worker_threads';
import { loadConfig } from '../config/config.ts';
import { systemClock } from '../lib/clock.ts';
import { toYeeterError } from '../lib/errors.ts';
import { createStoreClient } from '../storage/pglite/store-client.ts';
import { createEngine } from './engine.ts';
import type { EngineCommand, EngineInput, EngineMemory, EngineMessage } from './engine-protocol.ts';
import { openMetricLines } from './metric-lines.ts';

/** The measuring thread: the wires and the engine, and nothing else. */
const PROGRESS_INTERVAL_MS = 250;

const port = parentPort!;
const input = workerData as EngineInput;
const post = (message: EngineMessage): void => port.postMessage(message);

const store = createStoreClient(input.storagePort);
// Unique for each life, or the windows of two lives in one second would be taken for one.
const processId = `${process.pid}-${threadId}-${Date.now().toString(36)}`;
const metricLog = openMetricLines(loadConfig(), processId, systemClock);
const engine = await createEngine(input, store, processId, {
  onDrawn: (drawn, underWay) => post({ type: 'drawing', drawn, underWay }),
  metricLog,
});
const memory = (): EngineMemory => {
  const { heapUsed, external } = process.memoryUsage();
  return { heapUsedBytes: heapUsed, externalBytes: external };
};
const progressTimer = setInterval(
  () => post({ type: 'progress', progress: engine.progress(), memory: memory() }),
  PROGRESS_INTERVAL_MS,
);

/** The last word; with `--expose-gc` its memory is what is really held. */
const end = (fault: { code: string; message: string } | null): void => {
  globalThis.gc?.();
  post({ type: 'ended', progress: engine.progress(), memory: memory(), fault });
};

port.on('message', (command: EngineCommand) => {
  if (command.type === 'stop') engine.stop();
});

try {
  const fault = await engine.run();
  end(fault && { code: fault.code, message: fault.message });
} catch (thrown) {
  const { code, message } = toYeeterError(thrown);
  end({ code, message });
} finally {
  clearInterval(progressTimer);
  await engine.close();
  await metricLog?.close();
  port.close();
  input.storagePort.close();
}
