import type { AutoscalerConfig } from './config.ts';

export interface Evaluation {
  config: AutoscalerConfig;
  /** Jobs, ready and unacknowledged; null when it is not known. */
  depth: number | null;
  /** Workers that run now. */
  current: number;
  nowMs: number;
  /** Of any change; null when there was none. */
  lastScaleAtMs: number | null;
}

export interface PolicyDecision {
  action: 'manual' | 'scale_up' | 'scale_down' | 'bounds' | 'none';
  target: number;
  reason: string;
}

/**
 * How many workers there should be. Bounds come first, even where the depth is not known; between the two thresholds
 * nothing changes, so that a queue that hovers does not make workers come and go.
 */
export function decideReplicas({ config, depth, current, nowMs, lastScaleAtMs }: Evaluation): PolicyDecision {
  const { minReplicas: min, maxReplicas: max } = config;
  const stay = (reason: string): PolicyDecision => ({ action: 'none', target: current, reason });
  if (current < min) return { action: 'bounds', target: min, reason: `below the least, ${min}` };
  if (current > max) return { action: 'bounds', target: max, reason: `above the most, ${max}` };
  if (depth === null) return stay('the depth of the queue is not known');
  if (depth >= config.scaleUpThreshold) {
    if (current >= max) return stay(`${depth} jobs, and at the most, ${max}`);
    const target = Math.min(max, current + config.scaleUpStep);
    return { action: 'scale_up', target, reason: `${depth} jobs, ${config.scaleUpThreshold} or more` };
  }
  if (depth > config.scaleDownThreshold) return stay(`${depth} jobs, between the thresholds`);
  if (current <= min) return stay(`${depth} jobs, and at the least, ${min}`);
  const restMs =
    config.scaleDownCooldownSeconds * 1000 - (nowMs - (lastScaleAtMs ?? Number.NEGATIVE_INFINITY));
  if (restMs > 0) return stay(`${depth} jobs; ${Math.ceil(restMs / 1000)} s of the cooldown are left`);
  const target = Math.max(min, current - config.scaleDownStep);
  return { action: 'scale_down', target, reason: `${depth} jobs, ${config.scaleDownThreshold} or fewer` };
}

/** What a person asked for is brought back where it is not so, as after a restart. */
export function holdOverride(replicas: number, current: number): PolicyDecision {
  const action = current === replicas ? 'none' : 'manual';
  return { action, target: replicas, reason: `an override of ${replicas} workers holds` };
}
