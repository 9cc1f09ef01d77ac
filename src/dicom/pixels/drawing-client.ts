import { Worker } from 'node:worker_threads';
import { YeeterError } from '../../lib/errors.ts';
import type { Closeable } from '../../lib/lifecycle.ts';
import { workerEntry } from '../../lib/worker-entry.ts';
import type { SeriesInput, StudyInput } from '../study.ts';
import type { DrawnPixels } from './drawn-picture.ts';

export interface DrawRequest {
  id: number;
  study: StudyInput;
  series: SeriesInput;
}

export interface DrawResponse {
  id: number;
  drawn: DrawnPixels;
}

/** Draws pictures on another thread, which is started with the first. */
export interface DrawingClient extends Closeable {
  /** @throws {YeeterError} INTERNAL when the thread has ended */
  draw(study: StudyInput, series: SeriesInput): Promise<DrawnPixels>;
}

export function createDrawingClient(): DrawingClient {
  const waiting = new Map<number, PromiseWithResolvers<DrawnPixels>>();
  let worker: Worker | null = null;
  let nextId = 1;

  const start = (): Worker => {
    const started = new Worker(workerEntry(import.meta.url, './drawing-thread'));
    started.on('message', ({ id, drawn }: DrawResponse) => {
      waiting.get(id)?.resolve(drawn);
      waiting.delete(id);
    });
    const end = (cause: unknown): void => {
      const error = new YeeterError('INTERNAL', 'the thread that draws pictures has ended', { cause });
      for (const { reject } of waiting.values()) reject(error);
      waiting.clear();
    };
    started.on('error', end);
    started.on('exit', end);
    return started;
  };

  const close = async (): Promise<void> => {
    await worker?.terminate();
    worker = null;
  };

  return {
    draw: (study, series) => {
      worker ??= start();
      const drawing = Promise.withResolvers<DrawnPixels>();
      const request: DrawRequest = { id: nextId++, study, series };
      waiting.set(request.id, drawing);
      worker.postMessage(request);
      return drawing.promise;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
