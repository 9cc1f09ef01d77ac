import type { Clock } from '../lib/clock.ts';
import type { ServerStore } from '../storage/server-port.ts';
import type { createChangeWorkers } from './change-workers.ts';
import { messageOf, unavailable } from './change-workers.ts';
import type { AutoscalerConfig } from './config.ts';
import { decideReplicas, holdOverride } from './policy.ts';
import type { ScaleDecision, ScalingTarget } from './port.ts';
import type { createScalingState, Override, ScalingState } from './scaling-state.ts';

export interface EvaluationOptions {
  store: Pick<ServerStore, 'addDecision'>;
  state: ReturnType<typeof createScalingState>;
  changeWorkers: ReturnType<typeof createChangeWorkers>;
  /** Jobs, ready and unacknowledged, of a queue; null when there is no such queue. */
  depthOf(queue: string): Promise<number | null>;
  clock: Clock;
  log: (line: string) => void;
}

export interface Situation {
  config: AutoscalerConfig;
  kept: ScalingState;
  /** The one that holds now. */
  override: Override | null;
}

const ACTOR = 'autoscaler';
/** Evaluations that change nothing, and say the same, are put on record so often. */
const QUIET_RECORD_US = 300_000_000;

/** One look at queue and workers, and what follows from it. */
export function createEvaluation(options: EvaluationOptions) {
  const { state, clock } = options;
  let lastQuietUs = Number.NEGATIVE_INFINITY;
  let lastQuietError: string | null = null;

  const look = async (queue: string): Promise<{ depth: number | null; fault: string | null }> => {
    try {
      const depth = await options.depthOf(queue);
      if (depth !== null) return { depth, fault: null };
      const hint = 'set queue_name to one that GET /api/admin/queues lists';
      return { depth: null, fault: `no run and no worker uses a queue "${queue}": ${hint}` };
    } catch (thrown) {
      return { depth: null, fault: `the depth of the queue "${queue}" is not known: ${messageOf(thrown)}` };
    }
  };

  const recordQuietly = async (decision: Omit<ScaleDecision, 'id'>): Promise<void> => {
    const nowUs = clock.monotonicUs();
    if (decision.error === lastQuietError && nowUs - lastQuietUs < QUIET_RECORD_US) return;
    await options.store.addDecision(decision);
    lastQuietUs = nowUs;
    lastQuietError = decision.error;
  };

  /**
   * @returns what was wrong and did not end it; null when nothing was
   * @throws {YeeterError} SCALING_UNAVAILABLE, which is on record, or what the store throws
   */
  return async (target: ScalingTarget, { config, kept, override }: Situation): Promise<string | null> => {
    const atMs = clock.nowMs();
    const { depth, fault } = config.enabled ? await look(config.queueName) : { depth: null, fault: null };
    const seen = {
      ...(config.enabled ? { queueDepth: depth } : {}),
      ...(depth === null ? {} : { lastQueueCheckAtMs: atMs }),
    };
    const expiresAtMs = override?.expiresAtMs ?? null;
    const common = { atMs, actor: ACTOR, queueDepth: depth, expiresAtMs };
    let current: number;
    try {
      current = await target.replicas();
    } catch (thrown) {
      const error = unavailable(thrown);
      await state.change({ ...seen, lastError: error.message });
      await recordQuietly({
        ...{ ...common, action: 'none', reason: 'the workers cannot be counted', currentReplicas: null },
        targetReplicas: override?.replicas ?? kept.targetReplicas ?? config.minReplicas,
        ...{ applied: false, error: error.message },
      });
      throw error;
    }
    await state.change({ ...seen, lastError: fault });
    const decided = override
      ? holdOverride(override.replicas, current)
      : decideReplicas({ config, depth, current, nowMs: atMs, lastScaleAtMs: kept.lastScaleAtMs });
    const { action, target: targetReplicas, reason } = decided;
    const decision = { ...common, action, reason, currentReplicas: current, targetReplicas };
    if (action === 'none') await recordQuietly({ ...decision, applied: false, error: fault });
    else {
      await options.changeWorkers(target, decision, {});
      options.log(`${action}: ${current} to ${targetReplicas} workers, ${reason}`);
    }
    return fault;
  };
}
