import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock } from '../lib/clock.ts';
import { delay } from '../lib/lifecycle.ts';
import type { ScalingDecision, StoredDecision } from '../storage/server-port.ts';
import { DEFAULT_AUTOSCALER_CONFIG } from './config.ts';
import type { ScalingTarget } from './port.ts';
import { createScaling, type ScalingOptions } from './scaling.ts';

type Fault = Error | null;
type Fields = Record<string, unknown>;

/** Settings and decisions as a store keeps them, and workers that are as many as they were told. */
function bench(options: Partial<ScalingOptions> = {}, settings = new Map<string, unknown>()) {
  const decisions: StoredDecision[] = [];
  const scaled: number[] = [];
  const said: string[] = [];
  /** What does not answer. */
  const faults = {
    scale: null as Fault,
    replicas: null as Fault,
    depth: null as Fault,
    addDecision: null as Fault,
    settleDecision: null as Fault,
  };
  const orFail = (what: keyof typeof faults): void => {
    if (faults[what]) throw faults[what];
  };
  let replicas = 1;
  let depth: number | null = 0;
  let nowMs = 1_790_000_000_000;
  let monotonicMs = 0;
  const close = async (): Promise<void> => {};
  const target: ScalingTarget = {
    name: 'fake',
    replicas: async () => {
      orFail('replicas');
      return replicas;
    },
    scale: async (wanted) => {
      orFail('scale');
      replicas = wanted;
      scaled.push(wanted);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
  const mergeSetting = async (key: string, patch: object): Promise<void> =>
    void settings.set(key, structuredClone({ ...(settings.get(key) as Fields | undefined), ...patch }));
  const scaling = createScaling({
    store: {
      getSetting: async (key) => settings.get(key) ?? null,
      mergeSetting,
      addDecision: async (decision: ScalingDecision) => {
        orFail('addDecision');
        const stored = { ...decision, id: decisions.length + 1 };
        decisions.push(stored);
        return { ...stored };
      },
      settleDecision: async (id, outcome, { key, patch }) => {
        orFail('settleDecision');
        Object.assign(decisions.find((decision) => decision.id === id)!, outcome);
        await mergeSetting(key, patch);
      },
    },
    target,
    defaultQueue: 'orders',
    depthOf: async () => {
      orFail('depth');
      return depth;
    },
    clock: { ...systemClock, nowMs: () => nowMs, monotonicUs: () => monotonicMs * 1000 },
    log: (line) => said.push(line),
    ...options,
  });
  return {
    scaling,
    settings,
    decisions,
    scaled,
    said,
    faults,
    setDepth: (jobs: number | null) => (depth = jobs),
    setReplicas: (workers: number) => (replicas = workers),
    setWallClock: (ms: number) => (nowMs = ms),
    pass: (ms: number) => {
      nowMs += ms;
      monotonicMs += ms;
    },
    actions: () => decisions.map(({ action, applied }) => `${action}${applied ? '' : ' not applied'}`),
  };
}

const ask = { reason: 'a look', ttlSeconds: null, dryRun: false, actor: 'anna' };
const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await holds())) await delay(10);
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

  it('changes nothing beyond the bounds, nor in a dry run, which is on record', async () => {
    const { scaling, decisions, scaled, actions } = bench();
    await using _ = scaling;
    for (const replicas of [0, 4]) {
      await assert.rejects(scaling.scale({ ...ask, replicas }), { code: 'CONFIG_INVALID' });
    }
    assert.deepEqual(decisions, []);
    const { decision, status } = await scaling.scale({ ...ask, replicas: 2, dryRun: true });
    assert.deepEqual([decision.applied, decision.currentReplicas, decision.targetReplicas], [false, 1, 2]);
    assert.deepEqual([status.manualOverrideActive, status.lastScaleAction, scaled], [false, null, []]);
    assert.deepEqual([decisions, actions()], [[decision], ['dry_run not applied']]);
  });

  it('says so and puts it on record when the target does not answer, without secrets', async () => {
    const { scaling, decisions, faults } = bench();
    await using _ = scaling;
    faults.scale = new Error('no answer of http://admin:hunter2@cluster');
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

  it('is refused with the reason where there is nothing to scale, and that is on record', async () => {
    const { scaling, decisions, actions } = bench({ target: 'workers are started elsewhere' });
    await using _ = scaling;
    for (const dryRun of [false, true]) {
      await assert.rejects(scaling.scale({ ...ask, replicas: 2, dryRun }), {
        code: 'SCALING_UNAVAILABLE',
        message: 'workers are started elsewhere',
      });
    }
    // Another process may have workers, and the status is that of all.
    const { currentReplicas, lastError } = await scaling.status();
    assert.deepEqual([currentReplicas, lastError], [null, null]);
    assert.deepEqual(actions(), ['manual not applied', 'dry_run not applied']);
    assert.deepEqual(
      decisions.map(({ error, actor, targetReplicas }) => [error, actor, targetReplicas]),
      decisions.map(() => ['workers are started elsewhere', 'anna', 2]),
    );
  });

  it('is on record and in the status when the workers cannot be counted', async () => {
    const { scaling, decisions, faults, scaled } = bench();
    await using _ = scaling;
    faults.replicas = new Error('no answer of http://admin:hunter2@cluster');
    await assert.rejects(scaling.scale({ ...ask, replicas: 2 }), { code: 'SCALING_UNAVAILABLE' });
    const [{ applied, error, currentReplicas, targetReplicas }] = decisions as [StoredDecision];
    assert.deepEqual([applied, currentReplicas, targetReplicas, scaled], [false, null, 2, []]);
    assert.match(error!, /no answer/);
    assert.doesNotMatch(error!, /hunter2/);
    const { lastError, manualOverrideActive } = await scaling.status();
    assert.deepEqual([lastError, manualOverrideActive], [error, false]);
  });

  it('touches no worker when it cannot be put on record', async () => {
    const { scaling, faults, scaled } = bench();
    await using _ = scaling;
    faults.addDecision = new Error('disk full');
    await assert.rejects(scaling.scale({ ...ask, replicas: 3 }), /disk full/);
    const { currentReplicas, manualOverrideActive, lastScaleAction } = await scaling.status();
    assert.deepEqual([currentReplicas, manualOverrideActive, lastScaleAction, scaled], [1, false, null, []]);
  });

  it('is undone when what came of it cannot be put on record', async () => {
    const { scaling, faults, scaled, actions, decisions } = bench();
    await using _ = scaling;
    faults.settleDecision = new Error('disk full');
    await assert.rejects(scaling.scale({ ...ask, replicas: 3 }), /disk full/);
    assert.deepEqual(scaled, [3, 1]);
    const { currentReplicas, manualOverrideActive, lastScaleAction, lastError } = await scaling.status();
    assert.deepEqual([currentReplicas, manualOverrideActive, lastScaleAction], [1, false, null]);
    assert.match(lastError!, /disk full/);
    assert.deepEqual(actions(), ['manual not applied']);
    assert.match(decisions[0]!.error!, /never recorded/);
  });

  it('is undone when the target fails after a part of it', async () => {
    let replicas = 1;
    const close = async (): Promise<void> => {};
    const target: ScalingTarget = {
      name: 'fake',
      replicas: async () => replicas,
      scale: async (wanted) => {
        replicas = Math.min(wanted, 2);
        if (wanted > 2) throw new Error('no memory for the third');
      },
      close,
      [Symbol.asyncDispose]: close,
    };
    const { scaling, decisions } = bench({ target });
    await using _ = scaling;
    await assert.rejects(scaling.scale({ ...ask, replicas: 3 }), /no memory for the third/);
    assert.deepEqual([replicas, decisions[0]!.applied], [1, false]);
  });

  it('lasts until it expires or is cleared, and is seen by another process', async () => {
    const { scaling, settings, pass, actions, decisions } = bench();
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
    await scaling.clearOverride('otto');
    assert.deepEqual(actions(), ['manual', 'manual', 'clear_override', 'clear_override not applied']);
    const { actor, reason, targetReplicas } = decisions[2]!;
    assert.deepEqual([actor, reason, targetReplicas], ['anna', 'clears the override of 3 workers', 3]);
  });

  it('holds after a restart, with or without the policy, until it expires', async () => {
    for (const enabled of [false, true]) {
      const before = bench();
      await before.scaling.scale({ ...ask, replicas: 3, ttlSeconds: 60 });
      await before.scaling.update({ enabled });
      await before.scaling.close();
      const { scaling, scaled, decisions, pass, setDepth } = bench({}, before.settings);
      await using _ = scaling;
      await until(async () => (await scaling.status()).currentReplicas === 3);
      const [{ action, actor, applied, reason, expiresAtMs }] = decisions as [StoredDecision];
      assert.deepEqual(
        [action, actor, applied, reason],
        ['manual', 'autoscaler', true, 'an override of 3 workers holds'],
      );
      assert.equal(expiresAtMs, 1_790_000_060_000);
      if (!enabled) continue;
      setDepth(0);
      pass(600_000);
      await until(() => scaled.length === 2);
      assert.deepEqual(scaled, [3, 2]);
    }
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
    await until(async () => (await scaling.status()).lastQueueCheckAtMs !== null);
    assert.deepEqual(scaled, [1]);
    pass(60_000);
    await until(() => scaled.length === 2);
    assert.deepEqual(scaled, [1, 2]);
  });

  it('puts on record that the workers cannot be counted, and forgets the error once they can', async () => {
    const { scaling, decisions, faults, scaled, said, pass, setDepth } = bench();
    await using _ = scaling;
    setDepth(50);
    faults.replicas = new Error('no answer');
    await scaling.update({ enabled: true });
    await until(async () => (await scaling.status()).lastError !== null);
    assert.match((await scaling.status()).lastError!, /no answer/);
    for (let polls = 0; polls < 2; polls++) {
      pass(15_000);
      const seenMs = (await scaling.status()).lastQueueCheckAtMs!;
      await until(async () => (await scaling.status()).lastQueueCheckAtMs! > seenMs);
    }
    assert.deepEqual(
      decisions.map(({ action, applied, currentReplicas }) => [action, applied, currentReplicas]),
      [['none', false, null]],
    );
    assert.match(decisions[0]!.error!, /no answer/);
    assert.equal(said.length, 1);
    faults.replicas = null;
    pass(15_000);
    await until(() => scaled.length === 1);
    await until(() => decisions.at(-1)!.applied);
    assert.equal((await scaling.status()).lastError, null);
  });

  it('does not scale on a depth that is not known, and says why it is not', async () => {
    const { scaling, settings, decisions, faults, scaled, pass, setDepth } = bench();
    await using _ = scaling;
    setDepth(5);
    await scaling.update({ enabled: true });
    await until(async () => (await scaling.status()).queueDepth === 5);
    const { lastQueueCheckAtMs } = await scaling.status();
    const seen = async () => {
      const status = await scaling.status();
      return [status.queueDepth, status.lastQueueCheckAtMs];
    };

    faults.depth = new Error('no answer of amqp://guest:hunter2@broker');
    pass(600_000);
    await until(async () => (await scaling.status()).lastError !== null);
    const { lastError } = await scaling.status();
    assert.match(lastError!, /"orders".*no answer/);
    assert.doesNotMatch(lastError!, /hunter2/);
    assert.deepEqual(await seen(), [null, lastQueueCheckAtMs]);
    await until(() => decisions.length === 2);
    assert.equal(decisions[1]!.error, lastError);

    faults.depth = null;
    setDepth(null);
    await scaling.update({ queueName: 'odrers' });
    await until(async () => (await scaling.status()).lastError !== lastError);
    assert.match((await scaling.status()).lastError!, /"odrers".*set queue_name/);
    assert.deepEqual(await seen(), [null, lastQueueCheckAtMs]);
    assert.deepEqual(scaled, []);

    setDepth(5);
    await scaling.update({ queueName: 'orders' });
    await until(async () => (await scaling.status()).queueDepth === 5);
    assert.equal((await scaling.status()).lastError, null);
    assert.ok(settings.size > 0);
  });

  it('keeps its bounds where the depth is not known, and goes on saying so', async () => {
    const { scaling, scaled, setDepth } = bench();
    await using _ = scaling;
    setDepth(null);
    await scaling.update({ enabled: true, minReplicas: 2 });
    await until(async () => (await scaling.status()).lastScaleAction === 'bounds');
    assert.deepEqual(scaled, [2]);
    assert.match((await scaling.status()).lastError!, /set queue_name/);
  });

  it('loses no change of the configuration when two processes take one each at once', async () => {
    const { scaling, settings } = bench();
    await using _ = scaling;
    const other = bench({}, settings).scaling;
    await using __ = other;
    await Promise.all([scaling.update({ maxReplicas: 5 }), other.update({ scaleUpStep: 2 })]);
    const { maxReplicas, scaleUpStep } = await scaling.config();
    assert.deepEqual([maxReplicas, scaleUpStep], [5, 2]);
  });

  it('looks at the queue when its interval is over, whatever is done to the wall clock', async () => {
    const { scaling, scaled, setDepth, setWallClock, pass } = bench();
    await using _ = scaling;
    await scaling.update({ enabled: true });
    await until(async () => (await scaling.status()).lastQueueCheckAtMs !== null);
    setDepth(50);
    setWallClock(1_000_000_000_000);
    pass(15_000);
    await until(() => scaled.length === 1);
    assert.equal((await scaling.status()).lastQueueCheckAtMs, 1_000_000_015_000);
  });
});
