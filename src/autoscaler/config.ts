import { DEFAULT_QUEUE } from '../domain/template.ts';

/** What decides the number of workers; the wire contract, section 5, in camel case. */
export interface AutoscalerConfig {
  /** @default false */
  enabled: boolean;
  /** @default 1; 0 only with `scaleToZero` */
  minReplicas: number;
  /** @default 3 */
  maxReplicas: number;
  /** Jobs, ready and unacknowledged, from which on more workers are wanted. @default 10 */
  scaleUpThreshold: number;
  /** Workers. @default 1 */
  scaleUpStep: number;
  /** Jobs up to which fewer workers will do. @default 3 */
  scaleDownThreshold: number;
  /** Workers. @default 1 */
  scaleDownStep: number;
  /** From any change to the next one downwards. @default 180 */
  scaleDownCooldownSeconds: number;
  /** At least 5. @default 15 */
  pollIntervalSeconds: number;
  /** Of RabbitMQ; kept for clients, which show it. @default 15672 */
  managementPort: number;
  /** The queue whose depth is looked at. @default yeeter.simulation.orders */
  queueName: string;
  /** @default false */
  scaleToZero: boolean;
}

export const DEFAULT_AUTOSCALER_CONFIG: AutoscalerConfig = {
  enabled: false,
  minReplicas: 1,
  maxReplicas: 3,
  scaleUpThreshold: 10,
  scaleUpStep: 1,
  scaleDownThreshold: 3,
  scaleDownStep: 1,
  scaleDownCooldownSeconds: 180,
  pollIntervalSeconds: 15,
  managementPort: 15_672,
  queueName: DEFAULT_QUEUE,
  scaleToZero: false,
};

const SHORTEST_POLL_SECONDS = 5;

/** `current` with `patch`, brought within the bounds that hold between the fields. */
export function mergeConfig(
  current: AutoscalerConfig,
  patch: Readonly<Partial<AutoscalerConfig>>,
): AutoscalerConfig {
  const merged = { ...current, ...patch };
  const minReplicas = Math.max(merged.scaleToZero ? 0 : 1, merged.minReplicas);
  return {
    ...merged,
    minReplicas,
    maxReplicas: Math.max(minReplicas, merged.maxReplicas),
    pollIntervalSeconds: Math.max(SHORTEST_POLL_SECONDS, merged.pollIntervalSeconds),
  };
}

/** What `patch` sets, brought within the bounds, and what it moves of the rest. */
export function changesOf(
  current: AutoscalerConfig,
  patch: Readonly<Partial<AutoscalerConfig>>,
): Partial<AutoscalerConfig> {
  const merged = mergeConfig(current, patch);
  const isChanged = (name: string): boolean =>
    name in patch || merged[name as keyof AutoscalerConfig] !== current[name as keyof AutoscalerConfig];
  return Object.fromEntries(Object.entries(merged).filter(([name]) => isChanged(name)));
}
