import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock } from '../lib/clock.ts';
import { delay } from '../lib/lifecycle.ts';
import type { ScalingDecision, StoredDecision } from '../storage/server-port.ts';
import { DEFAULT_AUTOSCALER_CONFIG } from './config.ts';
import type { ScalingTarget } from './port.ts';
import { createScaling, type ScalingOptions } from './scaling.ts';

/** Settings and decisions as a store keeps them, and workers that are as many as they were told. */
function bench(options: Partial<ScalingOptions> = {}, settings = new Map<string, unknown>()) {
  const decisions: StoredDecision[] = [];
  const scaled: number[] = [];
  let replicas = 1;
  let fault: Error | null = null;
  let depth: number | null = 0;
  let nowMs = 1_790_000_000_000;
  const close = async (): Promise<void> => {};
  const target: ScalingTarget = {
    name: 'fake',
    replicas: async () => replicas,
    scale: async (wanted) => {
      if (fault) throw fault;
      replicas = wanted;
      scaled.push(wanted);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
  const scaling = createScaling({
    store: {
      getSetting: async (key) => settings.get(key) ?? null,
      putSetting: async (key, value) => void settings.set(key, structuredClone(value)),
      addDecision: async (decision: ScalingDecision) => {
        const stored = { ...decision, id: decisions.length + 1 };
        decisions.push(stored);
        return stored;
      },
    },
    target,
    defaultQueue: 'orders',
    depthOf: async () => depth,
    clock: { ...systemClock, nowMs: () => nowMs },
    log: () => {},
    ...options,
  });
  return {
    scaling,
    settings,
    decisions,
    scaled,
    setFault: (error: Error | null) => (fault = error),
    setDepth: (jobs: number | null) => (depth = jobs),
    pass: (ms: number) => (nowMs += ms),
  };
}

const ask = { reason: 'a look', ttlSeconds: null, dryRun: false, actor: 'anna' };
const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await delay(10);
};

describe('scaling by hand', () => {
  it('asks the target, shows it, and puts it on record', async () => {
    const { scaling, decisions, scaled } = bench();
    await using _ = scaling;
    const { status, decision } = await scaling.scale({ ...ask, replicas: 3 });
    assert.deepEqual(scaled, [3]);
    assert.deepEqual(
      [status.currentReplicas, status.targetReplicas, status.lastScaleAction, status.manualOverrideActive],
      [3, 3, 'manual', true],
    );
    assert.deepEqual(decision, decisions[0]);
    const { action, actor, reason, applied, currentReplicas, targetReplicas } = decision;
    assert.deepEqual(
      [action, actor, reason, applied, currentReplicas, targetReplicas],
      ['manual', 'anna', 'a look', true, 1, 3],
    );
  });

  it('changes nothing beyond the bounds, nor in a dry run', async () => {
    const { scaling, decisions, scaled } = bench();
    await using _ = scaling;
    for (const replicas of [0, 4]) {
      await assert.rejects(scaling.scale({ ...ask, replicas }), { code: 'CONFIG_INVALID' });
    }
    const { decision, status } = await scaling.scale({ ...ask, replicas: 2, dryRun: true });
    assert.deepEqual([decision.id, decision.applied, decision.targetReplicas], [null, false, 2]);
    assert.deepEqual([status.manualOverrideActive, scaled, decisions], [false, [], []]);
  });

  it('says so and puts it on record when the target does not answer, without secrets', async () => {
    const { scaling, decisions, setFault } = bench();
    await using _ = scaling;
    setFault(new Error('no answer of http://admin:hunter2@cluster'));
    await assert.rejects(scaling.scale({ ...ask, replicas: 2 }), (error: Error & { code: string }) => {
      assert.equal(error.code, 'SCALING_UNAVAILABLE');
      assert.doesNotMatch(error.message, /hunter2/);
      return true;
    });
    assert.equal(decisions[0]!.applied, false);
    assert.doesNotMatch(decisions[0]!.error!, /hunter2/);
    const { lastError, manualOverrideActive } = await scaling.status();
    assert.match(lastError!, /no answer/);
    assert.equal(manualOverrideActive, false);
  });

  it('is refused with the reason where there is nothing to scale', async () => {
    const { scaling } = bench({ target: 'workers are started elsewhere' });
    await using _ = scaling;
    await assert.rejects(scaling.scale({ ...ask, replicas: 2 }), {
      code: 'SCALING_UNAVAILABLE',
      message: 'workers are started elsewhere',
    });
    assert.equal((await scaling.status()).currentReplicas, null);
  });

  it('lasts until it expires or is cleared, and is seen by another process', async () => {
    const { scaling, settings, pass } = bench();
    await using _ = scaling;
    await scaling.scale({ ...ask, replicas: 2, ttlSeconds: 60 });
    const other = bench({}, settings).scaling;
    await using __ = other;
    assert.equal((await other.status()).manualOverrideReplicas, 2);
    pass(60_000);
    assert.equal((await scaling.status()).manualOverrideActive, false);
    await scaling.scale({ ...ask, replicas: 3 });
    const { status } = await scaling.clearOverride('anna');
    assert.deepEqual([status.manualOverrideActive, status.manualOverrideReplicas], [false, null]);
  });
});

describe('scaling by policy', () => {
  it('follows the depth of the queue once it is enabled, each change on record', async () => {
    const { scaling, decisions, scaled, setDepth, pass } = bench();
    await using _ = scaling;
    setDepth(50);
    const { config } = await scaling.update({ enabled: true, pollIntervalSeconds: 1 });
    assert.deepEqual(config, {
      ...DEFAULT_AUTOSCALER_CONFIG,
      ...{ enabled: true, pollIntervalSeconds: 5, queueName: 'orders' },
    });
    await until(() => scaled.length === 1);
    pass(5000);
    await until(() => scaled.length === 2);
    setDepth(0);
    pass(200_000);
    await until(() => scaled.length === 3);
    assert.deepEqual(scaled, [2, 3, 2]);
    const changes = decisions.filter(({ action }) => action !== 'none');
    assert.deepEqual(
      changes.map(({ action, actor, queueDepth }) => [action, actor, queueDepth]),
      [
        ['scale_up', 'autoscaler', 50],
        ['scale_up', 'autoscaler', 50],
        ['scale_down', 'autoscaler', 0],
      ],
    );
    const { lastScaleAction, queueDepth } = await scaling.status();
    assert.deepEqual([lastScaleAction, queueDepth], ['scale_down', 0]);
  });

  it('leaves alone what a person asked for', async () => {
    const { scaling, scaled, setDepth, pass } = bench();
    await using _ = scaling;
    await scaling.scale({ ...ask, replicas: 1, ttlSeconds: 60 });
    setDepth(500);
    await scaling.update({ enabled: true });
    await until(() => scaled.length === 1);
    let seenAtMs: number | null = null;
    while (seenAtMs === null) {
      seenAtMs = (await scaling.status()).lastQueueCheckAtMs;
      await delay(10);
    }
    assert.deepEqual(scaled, [1]);
    pass(60_000);
    await until(() => scaled.length === 2);
    assert.deepEqual(scaled, [1, 2]);
  });
});
