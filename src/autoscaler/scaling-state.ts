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
  queueDepth: number | null;
  lastQueueCheckAtMs: number | null;
  lastScaleAtMs: number | null;
  lastScaleAction: string | null;
  lastError: string | null;
  override: Override | null;
}

const SETTING = 'autoscaler_state';
const NOTHING_YET: ScalingState = {
  targetReplicas: null,
  queueDepth: null,
  lastQueueCheckAtMs: null,
  lastScaleAtMs: null,
  lastScaleAction: null,
  lastError: null,
  override: null,
};

export function createScalingState(store: Pick<ServerStore, 'getSetting' | 'putSetting'>) {
  const read = async (): Promise<ScalingState> => ({
    ...NOTHING_YET,
    ...((await store.getSetting(SETTING)) as Partial<ScalingState> | null),
  });
  return {
    read,
    change: async (change: Partial<ScalingState>): Promise<void> =>
      store.putSetting(SETTING, { ...(await read()), ...change }),
  };
}

/** The override that holds now. */
export function overrideOf({ override }: ScalingState, nowMs: number): Override | null {
  return override && (override.expiresAtMs === null || override.expiresAtMs > nowMs) ? override : null;
}
