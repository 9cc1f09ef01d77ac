import type { ScalingTarget } from '../autoscaler/port.ts';
import { delay } from '../lib/lifecycle.ts';
import type { OwnProcess } from './child-process.ts';

export interface ProcessesTargetOptions {
  /** Starts one of them. */
  start: () => OwnProcess;
  log: (line: string) => void;
  /** Before one that ended by itself is started again, milliseconds; doubles up to a minute. @default 500 */
  restartMs?: number;
}

const LONGEST_RESTART_MS = 60_000;
/** One that ran for so long is well. */
const WELL_MS = 60_000;

interface Place {
  process: OwnProcess;
  /** Its process has ended, and another is to come. */
  waiting: boolean;
  leaving: boolean;
}

/** Workers as processes of this machine. One that ends by itself is started again, after a while that grows. */
export function createProcessesTarget(options: ProcessesTargetOptions): ScalingTarget {
  const { restartMs = 500, log } = options;
  const places: Place[] = [];
  const closing = new AbortController();
  const leaving = new Set<Promise<void>>();

  const fill = (): Place => {
    const place: Place = { process: options.start(), waiting: false, leaving: false };
    void keep(place);
    return place;
  };

  const keep = async (place: Place): Promise<void> => {
    let waitMs = restartMs;
    for (;;) {
      const startedMs = performance.now();
      const how = await place.process.ended;
      if (place.leaving || closing.signal.aborted) return;
      if (performance.now() - startedMs > WELL_MS) waitMs = restartMs;
      place.waiting = true;
      log(`a worker ended by itself (${how}); another is started in ${waitMs} ms`);
      if (!(await delay(waitMs, closing.signal)) || place.leaving) return;
      waitMs = Math.min(waitMs * 2, LONGEST_RESTART_MS);
      place.process = options.start();
      place.waiting = false;
    }
  };

  /** Those that wait have nothing to finish; else the youngest goes first. */
  const nextToLeave = (): Place => {
    const waiting = places.findLastIndex((place) => place.waiting);
    return places.splice(waiting < 0 ? places.length - 1 : waiting, 1)[0]!;
  };

  const leave = (place: Place): void => {
    place.leaving = true;
    const gone = place.process.stop().finally(() => leaving.delete(gone));
    leaving.add(gone);
  };

  const close = async (): Promise<void> => {
    closing.abort();
    for (const place of places.splice(0)) leave(place);
    await Promise.all(leaving);
  };
  return {
    name: 'processes',
    // Those that wait to be started again, too: else the policy would take them for missing.
    replicas: async () => places.length,
    scale: async (replicas) => {
      while (places.length < replicas) places.push(fill());
      while (places.length > replicas) leave(nextToLeave());
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
