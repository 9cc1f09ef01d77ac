import type { Closeable } from '../lib/lifecycle.ts';
import type { AutoscalerConfig } from './config.ts';

export type { AutoscalerConfig } from './config.ts';

/** Where workers run: in this process, as processes of this machine, on Kubernetes. */
export interface ScalingTarget extends Closeable {
  /** For people, for example `in-process`. */
  readonly name: string;
  /** Workers that run now, or are to be started again. @throws {YeeterError} SCALING_UNAVAILABLE with the reason */
  replicas(): Promise<number>;
  /** Asks for so many; those too many finish what they have begun. @throws {YeeterError} SCALING_UNAVAILABLE */
  scale(replicas: number): Promise<void>;
}

export interface AutoscalerStatus {
  currentReplicas: number | null;
  targetReplicas: number | null;
  queueDepth: number | null;
  lastQueueCheckAtMs: number | null;
  lastScaleAtMs: number | null;
  lastScaleAction: string | null;
  lastError: string | null;
  kubernetesConnected: boolean;
  manualOverrideActive: boolean;
  manualOverrideReplicas: number | null;
  manualOverrideAtMs: number | null;
}

export interface ScaleRequest {
  replicas: number;
  reason: string | null;
  /** Null: until the override is cleared. */
  ttlSeconds: number | null;
  dryRun: boolean;
  /** Who asks, a username. */
  actor: string;
}

export interface ScaleDecision {
  id: number;
  atMs: number;
  /** `manual`, `dry_run`, `clear_override`, `scale_up`, `scale_down`, `bounds`, `none`. */
  action: string;
  actor: string;
  reason: string | null;
  queueDepth: number | null;
  currentReplicas: number | null;
  targetReplicas: number;
  applied: boolean;
  error: string | null;
  expiresAtMs: number | null;
}

/** The door of the room: what is set, how it is, and what a person may ask for. */
export interface Scaling {
  config(): Promise<AutoscalerConfig>;
  status(): Promise<AutoscalerStatus>;
  /** Merges, clamps and keeps. @throws {YeeterError} CONFIG_INVALID, and nothing was changed */
  update(patch: Partial<AutoscalerConfig>): Promise<{ config: AutoscalerConfig; status: AutoscalerStatus }>;
  /** @throws {YeeterError} SCALING_UNAVAILABLE, and nothing was changed; CONFIG_INVALID beyond the bounds */
  scale(
    request: ScaleRequest,
  ): Promise<{ config: AutoscalerConfig; status: AutoscalerStatus; decision: ScaleDecision }>;
  clearOverride(actor: string): Promise<{ config: AutoscalerConfig; status: AutoscalerStatus }>;
}
