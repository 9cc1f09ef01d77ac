import type { Clock } from '../lib/clock.ts';
import { YeeterError } from '../lib/errors.ts';
import { type Closeable, delay } from '../lib/lifecycle.ts';
import type { ServerStore } from '../storage/server-port.ts';
import { BEGUN, createChangeWorkers, messageOf, unavailable } from './change-workers.ts';
import { type AutoscalerConfig, changesOf, DEFAULT_AUTOSCALER_CONFIG, mergeConfig } from './config.ts';
import { createEvaluation } from './evaluation.ts';
import type { AutoscalerStatus, ScaleDecision, ScaleRequest, Scaling, ScalingTarget } from './port.ts';
import { createScalingState, overrideOf, STATE_SETTING } from './scaling-state.ts';

export interface ScalingOptions {
  store: Pick<ServerStore, 'getSetting' | 'mergeSetting' | 'addDecision' | 'settleDecision'>;
  /** A text says why there is none here. */
  target: ScalingTarget | string;
  /** The queue that the scaler looks at where nobody has set another. */
  defaultQueue: string;
  /** Jobs, ready and unacknowledged, of a queue; null when there is no such queue. */
  depthOf(queue: string): Promise<number | null>;
  clock: Clock;
  log: (line: string) => void;
}

const CONFIG_SETTING = 'autoscaler_config';
/** How soon a change of the configuration is seen. */
const TICK_MS = 1000;

/**
 * Workers by hand and by policy. Every decision is on record: applied, refused, tried out, or an override cleared. What
 * a person asks for outranks the policy until it expires or is cleared, also after a restart and without the policy.
 */
export function createScaling(options: ScalingOptions): Scaling & Closeable {
  const { store, clock, log, depthOf } = options;
  const state = createScalingState(store);
  const changeWorkers = createChangeWorkers({ store, log });
  const evaluate = createEvaluation({ store, state, changeWorkers, depthOf, clock, log });
  const closing = new AbortController();
  let lastEvaluationUs = Number.NEGATIVE_INFINITY;
  let lastFault: string | null = null;
  /** One change after the other. */
  let busy: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = busy.then(work, work);
    busy = done.catch(() => {});
    return done;
  };

  const readConfig = async (): Promise<AutoscalerConfig> => {
    const stored = (await store.getSetting(CONFIG_SETTING)) as Partial<AutoscalerConfig> | null;
    return mergeConfig({ ...DEFAULT_AUTOSCALER_CONFIG, queueName: options.defaultQueue }, stored ?? {});
  };

  const currentReplicas = async (): Promise<number | null> => {
    if (typeof options.target === 'string') return null;
    return await options.target.replicas().catch(() => null);
  };

  const status = async (): Promise<AutoscalerStatus> => {
    const kept = await state.read();
    const override = overrideOf(kept, clock.nowMs());
    return {
      currentReplicas: await currentReplicas(),
      targetReplicas: kept.targetReplicas,
      queueDepth: kept.queueDepth,
      lastQueueCheckAtMs: kept.lastQueueCheckAtMs,
      lastScaleAtMs: kept.lastScaleAtMs,
      lastScaleAction: kept.lastScaleAction,
      lastError: kept.lastError,
      kubernetesConnected: false,
      manualOverrideActive: override !== null,
      manualOverrideReplicas: override?.replicas ?? null,
      manualOverrideAtMs: override?.atMs ?? null,
    };
  };
  const view = async () => ({ config: await readConfig(), status: await status() });

  const update = async (patch: Partial<AutoscalerConfig>) => {
    await store.mergeSetting(CONFIG_SETTING, changesOf(await readConfig(), patch));
    lastEvaluationUs = Number.NEGATIVE_INFINITY;
    return await view();
  };

  /** The refusal is what is answered, also where it cannot be put on record. */
  const recordRefusal = (decision: Omit<ScaleDecision, 'id' | 'applied'>): Promise<unknown> =>
    store
      .addDecision({ ...decision, applied: false })
      .catch((fault) => log(`autoscaler: a refusal is not on record: ${messageOf(fault)}`));

  const scale = async (request: ScaleRequest): Promise<ScaleDecision> => {
    const config = await readConfig();
    const { replicas, ttlSeconds, dryRun } = request;
    const { target } = options;
    const least = config.scaleToZero ? 0 : 1;
    if (replicas < least || replicas > config.maxReplicas) {
      const bounds = `between ${least} and max_replicas, ${config.maxReplicas}`;
      throw new YeeterError('CONFIG_INVALID', `replicas must be ${bounds}, not ${replicas}`);
    }
    const atMs = clock.nowMs();
    const expiresAtMs = ttlSeconds === null ? null : atMs + ttlSeconds * 1000;
    const asked = {
      ...{ atMs, action: dryRun ? 'dry_run' : 'manual', actor: request.actor, reason: request.reason },
      // For the record alone: a person's wish does not depend on it.
      queueDepth: await depthOf(config.queueName).catch(() => null),
      ...{ targetReplicas: replicas, expiresAtMs },
    };
    if (typeof target === 'string') {
      await recordRefusal({ ...asked, currentReplicas: null, error: target });
      throw new YeeterError('SCALING_UNAVAILABLE', target);
    }
    let current: number;
    try {
      current = await target.replicas();
    } catch (thrown) {
      const error = unavailable(thrown);
      await recordRefusal({ ...asked, currentReplicas: null, error: error.message });
      await noteFault(error.message);
      throw error;
    }
    const decision = { ...asked, currentReplicas: current };
    if (dryRun) return await store.addDecision({ ...decision, applied: false, error: null });
    try {
      const override = { replicas, atMs, expiresAtMs };
      return await changeWorkers(target, decision, { override, lastError: null });
    } catch (thrown) {
      await noteFault(messageOf(thrown));
      throw thrown;
    }
  };

  const clearOverride = async (actor: string) => {
    const atMs = clock.nowMs();
    const kept = await state.read();
    const override = overrideOf(kept, atMs);
    const current = await currentReplicas();
    const { id } = await store.addDecision({
      ...{ atMs, action: 'clear_override', actor, queueDepth: kept.queueDepth, currentReplicas: current },
      reason: override ? `clears the override of ${override.replicas} workers` : 'there is no override',
      targetReplicas: current ?? kept.targetReplicas ?? override?.replicas ?? 0,
      ...{ applied: false, error: BEGUN, expiresAtMs: null },
    });
    const outcome = { applied: override !== null, error: null };
    await store.settleDecision(id, outcome, { key: STATE_SETTING, patch: { override: null } });
    return await view();
  };

  const noteFault = async (fault: string): Promise<void> => {
    await state
      .change({ lastError: fault })
      .catch((thrown) => log(`autoscaler: its last error cannot be kept: ${messageOf(thrown)}`));
  };

  /** Looks when it is time to. Nothing is to be done where nobody asked for anything. */
  const tick = async (target: ScalingTarget): Promise<void> => {
    const config = await readConfig();
    const kept = await state.read();
    const override = overrideOf(kept, clock.nowMs());
    if (!config.enabled && !override) return;
    const nowUs = clock.monotonicUs();
    if (nowUs - lastEvaluationUs < config.pollIntervalSeconds * 1e6) return;
    lastEvaluationUs = nowUs;
    sayOnce(await evaluate(target, { config, kept, override }));
  };

  /** What lasts is said once, not at every look. */
  const sayOnce = (fault: string | null): void => {
    if (fault !== null && fault !== lastFault) log(`autoscaler: ${fault}`);
    lastFault = fault;
  };

  const loop = async (target: ScalingTarget): Promise<void> => {
    while (await delay(TICK_MS, closing.signal)) {
      await inTurn(async () => {
        try {
          await tick(target);
        } catch (thrown) {
          const fault = messageOf(thrown);
          // It is said in any case, and the database may be what failed.
          await state.change({ lastError: fault }).catch(() => {});
          sayOnce(fault);
        }
      });
    }
  };
  const looping = typeof options.target === 'string' ? Promise.resolve() : loop(options.target);

  const close = async (): Promise<void> => {
    closing.abort();
    await looping;
    await busy;
  };
  return {
    config: readConfig,
    status,
    update: (patch) => inTurn(() => update(patch)),
    scale: (request) =>
      inTurn(async () => {
        const decision = await scale(request);
        return { ...(await view()), decision };
      }),
    clearOverride: (actor) => inTurn(() => clearOverride(actor)),
    close,
    [Symbol.asyncDispose]: close,
  };
}
