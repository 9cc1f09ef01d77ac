import { openingStep } from '../../domain/opening-step.ts';
import type { RunStatus } from '../../domain/run-state.ts';
import { DEFAULT_RETRY, type Template } from '../../domain/template.ts';
import type { LiveFact, QueuedJob } from '../../live/port.ts';
import { isoTime, milliseconds } from '../../metrics/csv.ts';
import { RUN_CSV_COLUMNS, runMetricsRow } from '../../metrics/run-row.ts';
import type { RunAccounts, RunTotals } from '../../metrics/totals.ts';
import { WORKER_CSV_COLUMNS, workerMetricsRow } from '../../metrics/worker-row.ts';
import type { QueueStatus } from '../../queue/admin-port.ts';
import type { StoredAttempt, StoredEvent } from '../../storage/port.ts';
import type { ListenerMessage, RunSummary } from '../../storage/server-port.ts';
import type { SystemState } from './system-state.ts';

/** Columns of the wire contract; ours follow them. */
const RUN_FIELDS = RUN_CSV_COLUMNS.slice(0, 41);
const JOB_FIELDS = WORKER_CSV_COLUMNS.slice(0, 13);

type Fields = Readonly<Record<string, unknown>>;
type ListenerFact = Extract<LiveFact, { kind: 'listener' }>;

export function logUpdate({
  runId,
  id,
  timestampMs,
  stepOrder,
  iteration,
  status,
  details,
}: StoredEvent): Fields {
  const event = {
    id,
    timestamp: isoTime(timestampMs),
    step_order: stepOrder,
    iteration,
    status,
    details,
  };
  return { run_id: runId, event };
}

export function statusUpdate(runId: number, status: RunStatus): Fields {
  return { run_id: runId, status };
}

export function jobQueued(runId: number, job: QueuedJob, queuedJobs: number): Fields {
  return {
    run_id: runId,
    job_id: job.jobId,
    queued_jobs: queuedJobs,
    queue: job.queue,
    patient_iteration: job.patientIteration,
    repeat_iteration: job.repeatIteration,
  };
}

/** How often a job may be tried: as the step says that opened it. */
export function maxAttemptsOf(
  template: Template,
  attempt: Pick<StoredAttempt, 'queue' | 'jobType' | 'remainingSteps'>,
): number {
  const lastStep = template.steps.length - attempt.remainingSteps + 1;
  const opener = openingStep(template.steps, { ...attempt, lastStep });
  return (opener?.retry ?? DEFAULT_RETRY).maxAttempts;
}

export function jobCompleted(attempt: StoredAttempt, maxAttempts: number, metrics: Fields | null): Fields {
  const row = workerMetricsRow(attempt);
  const retrying = attempt.outcome === 'retried';
  return {
    run_id: attempt.runId,
    job: {
      ...Object.fromEntries(JOB_FIELDS.map((field) => [field, row[field]])),
      attempt: attempt.attempt,
      max_attempts: maxAttempts,
      retrying,
    },
    metrics,
    retrying,
    retry_attempt: attempt.attempt,
    retry_max_attempts: maxAttempts,
  };
}

/** The 41 fields of a run, as its metrics route answers them. */
export function runMetrics(run: RunSummary, totals: RunTotals): Fields {
  const measured = {
    ...run,
    template: { name: run.templateName },
    identity: { seed: run.seed, namespace: run.namespace },
  };
  const row = runMetricsRow(measured, totals, { username: run.username, templateId: run.templateId });
  const fields = Object.fromEntries(RUN_FIELDS.map((field) => [field, row[field]]));
  return { ...fields, step_durations: JSON.parse(String(row.step_durations)) as unknown };
}

export function runProgress(accounts: RunAccounts, isOver: boolean, activeWorkers: number): Fields {
  const { runId, jobs, jobsSucceeded, jobsDead, attempts, attemptDurationSumUs, queueLastDepth } = accounts;
  return {
    run_id: runId,
    queued_jobs: jobs,
    completed_jobs: jobsSucceeded,
    failed_jobs: jobsDead,
    active_workers: activeWorkers,
    remaining_queue_depth: isOver ? 0 : (queueLastDepth ?? 0),
    average_processing_ms: attempts === 0 ? null : milliseconds(attemptDurationSumUs / attempts),
  };
}

const sumOf = (queues: readonly QueueStatus[], depth: (queue: QueueStatus) => number): number =>
  queues.reduce((sum, queue) => sum + depth(queue), 0);

/** Depths are null where the broker does not answer. */
export function workerMetricsUpdate({ workers, queues, attempts, atMs }: SystemState): Fields {
  return {
    queued_jobs: queues && sumOf(queues, ({ ready, delayed }) => ready + delayed),
    active_workers: workers.length,
    busy_workers: workers.filter(({ busy }) => busy > 0).length,
    average_processing_ms: attempts.averageMs && Math.round(attempts.averageMs * 1000) / 1000,
    remaining_queue_depth:
      queues && sumOf(queues, ({ ready, delayed, unacknowledged }) => ready + delayed + unacknowledged),
    jobs_per_second: Math.round(attempts.perSecond * 10) / 10,
    queues: (queues ?? []).map((queue) => ({
      queue: queue.queue,
      ready: queue.ready,
      unacknowledged: queue.unacknowledged,
      delayed: queue.delayed,
      dead: queue.dead,
      consumers: queue.consumers,
      mode: queue.mode,
      published_per_second: queue.publishedPerSecond,
      acknowledged_per_second: queue.acknowledgedPerSecond,
    })),
    at: isoTime(atMs),
  };
}

export function listenerStatus({ status, port, message }: ListenerFact): Fields {
  return { status, ...(port === null ? {} : { port }), ...(message === null ? {} : { message }) };
}

/** As the list of messages has it. */
export function newMessage(message: Omit<ListenerMessage, 'rawMessage'>): Fields {
  return {
    message: {
      id: message.id,
      timestamp: isoTime(message.receivedAtMs),
      message_type: message.messageType,
      control_id: message.controlId,
      sending_app: message.sendingApp,
    },
  };
}
