import type { Scaling, ScalingTarget } from '../autoscaler/port.ts';
import { createScaling } from '../autoscaler/scaling.ts';
import type { Clock } from '../lib/clock.ts';
import type { Closeable } from '../lib/lifecycle.ts';
import type { QueueAdmin } from '../queue/admin-port.ts';
import type { ServerStore } from '../storage/server-port.ts';

export interface OpenScalingOptions {
  store: ServerStore;
  queues: Pick<QueueAdmin, 'list'>;
  defaultQueue: string;
  /** A text says why there is none here. */
  target: ScalingTarget | string;
  clock: Clock;
  log: (line: string) => void;
}

/** The scaler over the queues of this deployment. */
export function openScaling({ queues, ...options }: OpenScalingOptions): Scaling & Closeable {
  return createScaling({
    ...options,
    depthOf: async (name) => {
      const status = (await queues.list()).find(({ queue }) => queue === name);
      return status ? status.ready + status.unacknowledged : null;
    },
  });
}
