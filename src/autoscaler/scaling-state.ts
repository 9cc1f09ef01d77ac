import type { ServerStore } from '../storage/server-port.ts';

export interface Override {
  replicas: number;
  atMs: number;
  /** Null: until it is cleared. */
  expiresAtMs: number | null;
}

/** What outlives a process, and what other processes show. */
export interface ScalingState {
  targetReplicas: number | null;
  /** Null when the last look did not tell. */
  queueDepth: number | null;
  /** Of the last look that told a depth. */
  lastQueueCheckAtMs: number | null;
  lastScaleAtMs: number | null;
  lastScaleAction: string | null;
  lastError: string | null;
  override: Override | null;
}

export const STATE_SETTING = 'autoscaler_state';
const NOTHING_YET: ScalingState = {
  targetReplicas: null,
  queueDepth: null,
  lastQueueCheckAtMs: null,
  lastScaleAtMs: null,
  lastScaleAction: null,
  lastError: null,
  override: null,
};

export function createScalingState(store: Pick<ServerStore, 'getSetting' | 'mergeSetting'>) {
  return {
    read: async (): Promise<ScalingState> => ({
      ...NOTHING_YET,
      ...((await store.getSetting(STATE_SETTING)) as Partial<ScalingState> | null),
    }),
    /** Field by field: what others change at the same time stays. */
    change: (change: Partial<ScalingState>): Promise<void> => store.mergeSetting(STATE_SETTING, change),
  };
}

/** The override that holds now. */
export function overrideOf({ override }: ScalingState, nowMs: number): Override | null {
  return override && (override.expiresAtMs === null || override.expiresAtMs > nowMs) ? override : null;
}
