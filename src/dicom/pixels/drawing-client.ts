import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { YeeterError } from '../../lib/errors.ts';
import type { Closeable } from '../../lib/lifecycle.ts';
import { workerEntry } from '../../lib/worker-entry.ts';
import type { SeriesInput, StudyInput } from '../study.ts';
import type { DrawnPixels } from './drawn-picture.ts';

export interface DrawRequest {
  study: StudyInput;
  series: SeriesInput;
}

/** Draws pictures on other threads, which are started with the first. */
export interface DrawingClient extends Closeable {
  /** @throws {YeeterError} INTERNAL when a thread has ended */
  draw(study: StudyInput, series: SeriesInput): Promise<DrawnPixels>;
}

interface Drawing extends PromiseWithResolvers<DrawnPixels> {
  request: DrawRequest;
}

/** More would take memory bandwidth from each other, and from what is measured. */
const MAX_THREADS = 2;

export function createDrawingClient(): DrawingClient {
  const waiting: Drawing[] = [];
  const idle: Worker[] = [];
  const busy = new Map<Worker, Drawing>();
  let fault: YeeterError | null = null;

  const start = (): Worker => {
    const worker = new Worker(workerEntry(import.meta.url, './drawing-thread'));
    worker.on('message', (drawn: DrawnPixels) => {
      busy.get(worker)?.resolve(drawn);
      busy.delete(worker);
      idle.push(worker);
      assign();
    });
    const end = (cause: unknown): void => {
      fault ??= new YeeterError('INTERNAL', 'a thread that draws pictures has ended', { cause });
      for (const { reject } of [...busy.values(), ...waiting.splice(0)]) reject(fault);
      busy.clear();
    };
    worker.on('error', end);
    worker.on('exit', end);
    return worker;
  };

  const assign = (): void => {
    while (waiting.length > 0) {
      const spare = busy.size + idle.length < Math.min(MAX_THREADS, availableParallelism());
      const worker = idle.pop() ?? (spare ? start() : null);
      if (!worker) return;
      const drawing = waiting.shift()!;
      busy.set(worker, drawing);
      worker.postMessage(drawing.request);
    }
  };

  const close = async (): Promise<void> => {
    await Promise.all([...idle, ...busy.keys()].map((worker) => worker.terminate()));
  };

  return {
    draw: (study, series) => {
      if (fault) return Promise.reject(fault);
      const drawing: Drawing = { ...Promise.withResolvers<DrawnPixels>(), request: { study, series } };
      waiting.push(drawing);
      assign();
      return drawing.promise;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
