import type { AutoscalerConfig, AutoscalerStatus, ScaleDecision, Scaling } from '../../autoscaler/port.ts';
import type { Clock } from '../../lib/clock.ts';
import { type CsvRow, csvLines } from '../../metrics/csv.ts';
import type { ServerStore, StoredDecision } from '../../storage/server-port.ts';
import type { Audit } from '../audit.ts';
import { DECISION_CSV_COLUMNS } from '../contract/scaling.ts';
import type { Handlers } from '../http/handlers.ts';
import { pages } from '../pages.ts';
import { at, maybeAt } from '../time.ts';
import { workerToWire } from './worker-wire.ts';

export interface ScalingRoutesDeps {
  store: Pick<ServerStore, 'listWorkers' | 'listDecisions'>;
  scaling: Scaling;
  audit: Audit;
  clock: Clock;
}

/** A worker that has been silent for so long is gone. */
const WORKER_GONE_MS = 15_000;
const DECISION_PAGE = 1000;

function configToWire(config: AutoscalerConfig) {
  return {
    enabled: config.enabled,
    min_replicas: config.minReplicas,
    max_replicas: config.maxReplicas,
    scale_up_threshold: config.scaleUpThreshold,
    scale_up_step: config.scaleUpStep,
    scale_down_threshold: config.scaleDownThreshold,
    scale_down_step: config.scaleDownStep,
    scale_down_cooldown_seconds: config.scaleDownCooldownSeconds,
    poll_interval_seconds: config.pollIntervalSeconds,
    management_port: config.managementPort,
    queue_name: config.queueName,
    scale_to_zero: config.scaleToZero,
  };
}

function statusToWire(status: AutoscalerStatus) {
  return {
    current_replicas: status.currentReplicas,
    target_replicas: status.targetReplicas,
    queue_depth: status.queueDepth,
    last_queue_check_at: maybeAt(status.lastQueueCheckAtMs),
    last_scale_at: maybeAt(status.lastScaleAtMs),
    last_scale_action: status.lastScaleAction,
    last_error: status.lastError,
    kubernetes_connected: status.kubernetesConnected,
    manual_override_active: status.manualOverrideActive,
    manual_override_replicas: status.manualOverrideReplicas,
    manual_override_at: maybeAt(status.manualOverrideAtMs),
  };
}

function toWire({ config, status }: { config: AutoscalerConfig; status: AutoscalerStatus }) {
  return { config: configToWire(config), status: statusToWire(status) };
}

function decisionToWire(decision: ScaleDecision | StoredDecision) {
  return {
    id: decision.id,
    at: at(decision.atMs),
    action: decision.action,
    actor: decision.actor,
    reason: decision.reason,
    queue_depth: decision.queueDepth,
    current_replicas: decision.currentReplicas,
    target_replicas: decision.targetReplicas,
    applied: decision.applied,
    error: decision.error,
    expires_at: maybeAt(decision.expiresAtMs),
  };
}

/** Camel case of what was given of the configuration. */
function patchOf(body: Readonly<Record<string, unknown>>): Partial<AutoscalerConfig> {
  return Object.fromEntries(
    Object.entries(body)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => [key.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()), value]),
  );
}

type Names =
  | 'getAutoscaler'
  | 'updateAutoscaler'
  | 'scaleAutoscaler'
  | 'clearOverride'
  | 'scaleWorkers'
  | 'listWorkers'
  | 'listDecisions';

export function createScalingRoutes(deps: ScalingRoutesDeps): Pick<Handlers, Names> {
  const { store, scaling, audit, clock } = deps;

  return {
    getAutoscaler: async () => {
      const [config, status] = await Promise.all([scaling.config(), scaling.status()]);
      return { status: 200, body: toWire({ config, status }) };
    },

    updateAutoscaler: async (call) => {
      const patch = patchOf(call.body);
      const changed = await scaling.update(patch);
      await audit.record(call, 'autoscaler.update', 'autoscaler', { ...call.body });
      return { status: 200, body: toWire(changed) };
    },

    scaleAutoscaler: async (call) => {
      const { replicas } = call.body;
      const request = { replicas, reason: null, ttlSeconds: null, dryRun: false, actor: call.user.username };
      const scaled = await scaling.scale(request);
      await audit.record(call, 'workers.scale', 'workers', { replicas });
      return { status: 200, body: toWire(scaled) };
    },

    clearOverride: async (call) => {
      const cleared = await scaling.clearOverride(call.user.username);
      await audit.record(call, 'workers.clear_override', 'workers');
      return { status: 200, body: toWire(cleared) };
    },

    scaleWorkers: async (call) => {
      const { replicas, reason, ttl_seconds: ttlSeconds, dry_run: dryRun } = call.body;
      const scaled = await scaling.scale({
        replicas,
        reason: reason ?? null,
        ttlSeconds: ttlSeconds ?? null,
        dryRun: dryRun ?? false,
        actor: call.user.username,
      });
      if (dryRun !== true)
        await audit.record(call, 'workers.scale', 'workers', { replicas, reason, ttlSeconds });
      return { status: 200, body: { ...toWire(scaled), decision: decisionToWire(scaled.decision) } };
    },

    listWorkers: async () => {
      const nowMs = clock.nowMs();
      const workers = await store.listWorkers({ seenSinceMs: nowMs - WORKER_GONE_MS });
      const alive = workers.filter(({ state }) => state !== 'stopped');
      return { status: 200, body: alive.map((worker) => workerToWire(worker, nowMs)) };
    },

    listDecisions: async ({ query: { from, to, limit, format } }) => {
      const filter = {
        ...(from === undefined ? {} : { fromMs: from }),
        ...(to === undefined ? {} : { toMs: to }),
      };
      if (format === 'csv')
        return { status: 200, csv: csvLines(DECISION_CSV_COLUMNS, csvRows(filter, limit)) };
      const decisions = await store.listDecisions({ ...filter, limit: limit ?? 100 });
      return { status: 200, body: decisions.map(decisionToWire) };
    },
  };

  async function* csvRows(
    filter: { fromMs?: number; toMs?: number },
    limit: number | undefined,
  ): AsyncGenerator<CsvRow<(typeof DECISION_CSV_COLUMNS)[number]>> {
    const decisions = pages({
      pageSize: DECISION_PAGE,
      limit: limit ?? null,
      read: (page) => store.listDecisions({ ...filter, ...page }),
      idOf: ({ id }) => id,
    });
    for await (const decision of decisions) yield decisionToWire(decision);
  }
}
