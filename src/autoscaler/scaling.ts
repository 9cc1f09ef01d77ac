import type { Clock } from '../lib/clock.ts';
import { toYeeterError, YeeterError } from '../lib/errors.ts';
import { type Closeable, delay } from '../lib/lifecycle.ts';
import { redact } from '../lib/redact.ts';
import type { ServerStore } from '../storage/server-port.ts';
import { type AutoscalerConfig, DEFAULT_AUTOSCALER_CONFIG, mergeConfig } from './config.ts';
import { decideReplicas } from './policy.ts';
import type { AutoscalerStatus, ScaleDecision, ScaleRequest, Scaling, ScalingTarget } from './port.ts';
import { createScalingState, overrideOf } from './scaling-state.ts';

export interface ScalingOptions {
  store: Pick<ServerStore, 'getSetting' | 'putSetting' | 'addDecision'>;
  /** A text says why there is none here. */
  target: ScalingTarget | string;
  /** The queue that the scaler looks at where nobody has set another. */
  defaultQueue: string;
  /** Jobs, ready and unacknowledged, of a queue; null when it is not known. */
  depthOf(queue: string): Promise<number | null>;
  clock: Clock;
  log: (line: string) => void;
}

const ACTOR = 'autoscaler';
/** Evaluations that change nothing are put on record so often. */
const QUIET_RECORD_MS = 300_000;
/** How soon a change of the configuration is seen. */
const TICK_MS = 1000;

/**
 * Workers by hand and by policy. Every decision that is applied, refused or overridden is on record; what a person
 * asks for outranks the policy until it expires or is cleared.
 */
export function createScaling(options: ScalingOptions): Scaling & Closeable {
  const { store, clock } = options;
  const state = createScalingState(store);
  const closing = new AbortController();
  let lastEvaluationMs = Number.NEGATIVE_INFINITY;
  let lastQuietMs = Number.NEGATIVE_INFINITY;
  /** One change after the other. */
  let busy: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = busy.then(work, work);
    busy = done.catch(() => {});
    return done;
  };

  const readConfig = async (): Promise<AutoscalerConfig> => {
    const stored = (await store.getSetting('autoscaler_config')) as Partial<AutoscalerConfig> | null;
    return mergeConfig({ ...DEFAULT_AUTOSCALER_CONFIG, queueName: options.defaultQueue }, stored ?? {});
  };

  const targetOrRefuse = (): ScalingTarget => {
    const { target } = options;
    if (typeof target === 'string') throw new YeeterError('SCALING_UNAVAILABLE', target);
    return target;
  };

  const unavailable = (error: unknown): YeeterError => {
    const message = redact(toYeeterError(error).message);
    return new YeeterError('SCALING_UNAVAILABLE', `the workers cannot be scaled: ${message}`, {
      cause: error,
    });
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

  /** Asks the target, and puts on record what came of it. @throws {YeeterError} SCALING_UNAVAILABLE */
  const apply = async (decision: Omit<ScaleDecision, 'id' | 'applied' | 'error'>): Promise<ScaleDecision> => {
    const target = targetOrRefuse();
    try {
      await target.scale(decision.targetReplicas);
    } catch (thrown) {
      const error = unavailable(thrown);
      await store.addDecision({ ...decision, applied: false, error: error.message });
      await state.change({ lastError: error.message });
      throw error;
    }
    await state.change({
      targetReplicas: decision.targetReplicas,
      lastScaleAtMs: decision.atMs,
      lastScaleAction: decision.action,
      lastError: null,
    });
    return await store.addDecision({ ...decision, applied: true, error: null });
  };

  const scale = async (request: ScaleRequest): Promise<ScaleDecision> => {
    const config = await readConfig();
    const { replicas, ttlSeconds } = request;
    const least = config.scaleToZero ? 0 : 1;
    if (replicas < least || replicas > config.maxReplicas) {
      const bounds = `between ${least} and max_replicas, ${config.maxReplicas}`;
      throw new YeeterError('CONFIG_INVALID', `replicas must be ${bounds}, not ${replicas}`);
    }
    const target = targetOrRefuse();
    const current = await target.replicas().catch((error) => {
      throw unavailable(error);
    });
    const atMs = clock.nowMs();
    const decision = {
      atMs,
      action: 'manual',
      actor: request.actor,
      reason: request.reason,
      queueDepth: await options.depthOf(config.queueName).catch(() => null),
      currentReplicas: current,
      targetReplicas: replicas,
      expiresAtMs: ttlSeconds === null ? null : atMs + ttlSeconds * 1000,
    };
    if (request.dryRun) return { ...decision, id: null, applied: false, error: null };
    const applied = await apply(decision);
    await state.change({ override: { replicas, atMs, expiresAtMs: decision.expiresAtMs } });
    return applied;
  };

  const evaluate = async (config: AutoscalerConfig, target: ScalingTarget): Promise<void> => {
    const nowMs = clock.nowMs();
    const kept = await state.read();
    const depth = await options.depthOf(config.queueName).catch(() => null);
    const current = await target.replicas().catch((error) => {
      throw unavailable(error);
    });
    await state.change({ queueDepth: depth, lastQueueCheckAtMs: nowMs });
    if (overrideOf(kept, nowMs)) return;
    const {
      action,
      target: wanted,
      reason,
    } = decideReplicas({
      ...{ config, depth, current, nowMs, lastScaleAtMs: kept.lastScaleAtMs },
    });
    const decision = {
      ...{ atMs: nowMs, action, actor: ACTOR, reason, queueDepth: depth },
      ...{ currentReplicas: current, targetReplicas: wanted, expiresAtMs: null },
    };
    if (action !== 'none') {
      await apply(decision);
      options.log(`${action}: ${current} to ${wanted} workers, ${reason}`);
    } else if (nowMs - lastQuietMs >= QUIET_RECORD_MS) {
      lastQuietMs = nowMs;
      await store.addDecision({ ...decision, applied: false, error: null });
    }
  };

  const loop = async (target: ScalingTarget): Promise<void> => {
    while (await delay(TICK_MS, closing.signal)) {
      try {
        const config = await readConfig();
        if (!config.enabled) continue;
        if (clock.nowMs() - lastEvaluationMs < config.pollIntervalSeconds * 1000) continue;
        lastEvaluationMs = clock.nowMs();
        await inTurn(() => evaluate(config, target));
      } catch (error) {
        const message = redact(toYeeterError(error).message);
        options.log(`autoscaler: ${message}`);
        await state.change({ lastError: message }).catch(() => {});
      }
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
    update: (patch) =>
      inTurn(async () => {
        await store.putSetting('autoscaler_config', mergeConfig(await readConfig(), patch));
        lastEvaluationMs = Number.NEGATIVE_INFINITY;
        return await view();
      }),
    scale: (request) =>
      inTurn(async () => {
        const decision = await scale(request);
        return { ...(await view()), decision };
      }),
    clearOverride: () =>
      inTurn(async () => {
        await state.change({ override: null });
        return await view();
      }),
    close,
    [Symbol.asyncDispose]: close,
  };
}
