import type { AutoscalerConfig, AutoscalerStatus, Scaling } from '../../src/autoscaler/port.ts';
import type { Clock } from '../../src/lib/clock.ts';
import { YeeterError } from '../../src/lib/errors.ts';

/** A scaler without workers that does what it is told. */
export function stubScaling(clock: Clock): Scaling {
  let config: AutoscalerConfig = {
    enabled: false,
    minReplicas: 1,
    maxReplicas: 3,
    scaleUpThreshold: 10,
    scaleUpStep: 1,
    scaleDownThreshold: 3,
    scaleDownStep: 1,
    scaleDownCooldownSeconds: 180,
    pollIntervalSeconds: 15,
    managementPort: 15672,
    queueName: 'yeeter.simulation.orders',
    scaleToZero: false,
  };
  let status: AutoscalerStatus = {
    currentReplicas: 1,
    targetReplicas: 1,
    queueDepth: 0,
    lastQueueCheckAtMs: null,
    lastScaleAtMs: null,
    lastScaleAction: null,
    lastError: null,
    kubernetesConnected: false,
    manualOverrideActive: false,
    manualOverrideReplicas: null,
    manualOverrideAtMs: null,
  };
  return {
    config: async () => config,
    status: async () => status,
    update: async (patch) => {
      const { minReplicas, maxReplicas } = { ...config, ...patch };
      if (minReplicas > maxReplicas)
        throw new YeeterError(
          'CONFIG_INVALID',
          `max_replicas ${maxReplicas} is less than min_replicas ${minReplicas}`,
        );
      config = { ...config, ...patch };
      return { config, status };
    },
    scale: async ({ replicas, reason, ttlSeconds, dryRun, actor }) => {
      if (replicas > config.maxReplicas)
        throw new YeeterError(
          'CONFIG_INVALID',
          `replicas must be at most ${config.maxReplicas}, not ${replicas}`,
        );
      const atMs = clock.nowMs();
      const decision = {
        id: 1,
        atMs,
        action: dryRun ? 'dry_run' : 'manual',
        actor,
        reason,
        queueDepth: 0,
        currentReplicas: status.currentReplicas,
        targetReplicas: replicas,
        applied: !dryRun,
        error: null,
        expiresAtMs: ttlSeconds === null ? null : atMs + ttlSeconds * 1000,
      };
      if (!dryRun)
        status = {
          ...status,
          targetReplicas: replicas,
          lastScaleAction: 'manual',
          manualOverrideActive: true,
          manualOverrideReplicas: replicas,
          manualOverrideAtMs: atMs,
        };
      return { config, status, decision };
    },
    clearOverride: async () => {
      status = {
        ...status,
        manualOverrideActive: false,
        manualOverrideReplicas: null,
        manualOverrideAtMs: null,
      };
      return { config, status };
    },
  };
}
