import type { StoredEvent } from '../../storage/port.ts';
import type { RunSummary } from '../../storage/server-port.ts';
import { at, maybeAt } from '../time.ts';

/** Fields of the contract; `addedRunFields` follow them. */
export function runFields(run: RunSummary) {
  return {
    id: run.id,
    user_id: run.userId,
    template_id: run.templateId,
    patient_count: run.patientCount,
    status: run.status,
    started_at: maybeAt(run.startedAtMs),
    completed_at: maybeAt(run.completedAtMs),
  };
}

export function addedRunFields(run: RunSummary) {
  return {
    template_name: run.templateName,
    tags: [...run.tags],
    seed: run.seed,
    namespace: run.namespace,
    started_patients: run.startedIterations,
    created_at: at(run.createdAtMs),
    username: run.username,
  };
}

export function eventToWire({ id, timestampMs, stepOrder, iteration, status, details }: StoredEvent) {
  return { id, timestamp: at(timestampMs), step_order: stepOrder, iteration, status, details };
}
