/** What decides the number of workers; fields of the wire contract in camel case. */
export interface AutoscalerConfig {
  enabled: boolean;
  minReplicas: number;
  maxReplicas: number;
  scaleUpThreshold: number;
  scaleUpStep: number;
  scaleDownThreshold: number;
  scaleDownStep: number;
  scaleDownCooldownSeconds: number;
  pollIntervalSeconds: number;
  managementPort: number;
  queueName: string;
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
  /** Null for a dry run, which is not kept. */
  id: number | null;
  atMs: number;
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

/** The door of the autoscaler. */
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
