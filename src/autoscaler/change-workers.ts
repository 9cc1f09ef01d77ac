import { toYeeterError, YeeterError } from '../lib/errors.ts';
import { redact } from '../lib/redact.ts';
import type { DecisionOutcome, ServerStore } from '../storage/server-port.ts';
import type { ScaleDecision, ScalingTarget } from './port.ts';
import { type ScalingState, STATE_SETTING } from './scaling-state.ts';

export interface ChangeWorkersOptions {
  store: Pick<ServerStore, 'addDecision' | 'settleDecision'>;
  log: (line: string) => void;
}

/** A decision that is to be carried out. */
export interface Change extends Omit<ScaleDecision, 'id' | 'applied' | 'error'> {
  currentReplicas: number;
}

/** Stays on a decision whose process ended, or lost its database, in the middle; its workers are what they were. */
export const BEGUN = 'it was begun, and what came of it was never recorded';

export function unavailable(thrown: unknown): YeeterError {
  const message = `the workers cannot be scaled: ${messageOf(thrown)}`;
  return new YeeterError('SCALING_UNAVAILABLE', message, { cause: thrown });
}

/** Without secrets. */
export function messageOf(thrown: unknown): string {
  return redact(toYeeterError(thrown).message);
}

/**
 * Carries out one decision, all of it or nothing: on record before a worker is touched; what came of it and what
 * follows from it are stored together; where that or the target fails, the workers are put back.
 */
export function createChangeWorkers({ store, log }: ChangeWorkersOptions) {
  const putBack = async (target: ScalingTarget, replicas: number): Promise<void> => {
    try {
      if ((await target.replicas()) !== replicas) await target.scale(replicas);
    } catch (thrown) {
      log(`autoscaler: the workers could not be put back to ${replicas}: ${messageOf(thrown)}`);
    }
  };

  /**
   * @param follows what else holds once it is done
   * @throws {YeeterError} SCALING_UNAVAILABLE, or what the store throws; nothing was changed
   */
  return async (
    target: ScalingTarget,
    change: Change,
    follows: Partial<ScalingState>,
  ): Promise<ScaleDecision> => {
    const begun = await store.addDecision({ ...change, applied: false, error: BEGUN });
    const settle = (outcome: DecisionOutcome, patch: Partial<ScalingState>): Promise<void> =>
      store.settleDecision(begun.id, outcome, { key: STATE_SETTING, patch });
    try {
      await target.scale(change.targetReplicas);
    } catch (thrown) {
      const error = unavailable(thrown);
      await putBack(target, change.currentReplicas);
      await settle({ applied: false, error: error.message }, { lastError: error.message }).catch((fault) =>
        log(`autoscaler: decision ${begun.id} failed, and that is not on record: ${messageOf(fault)}`),
      );
      throw error;
    }
    const outcome = { applied: true, error: null };
    try {
      await settle(outcome, {
        targetReplicas: change.targetReplicas,
        lastScaleAtMs: change.atMs,
        lastScaleAction: change.action,
        ...follows,
      });
    } catch (thrown) {
      await putBack(target, change.currentReplicas);
      throw thrown;
    }
    return { ...begun, ...outcome };
  };
}
