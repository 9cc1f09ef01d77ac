import { YeeterError } from '../lib/errors.ts';

export const RUN_STATUSES = [
  'PENDING',
  'RUNNING',
  'WAITING_ON_WORKERS',
  'COMPLETED',
  'ERROR',
  'CANCELLED',
] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

export const RUN_EVENTS = [
  'start',
  'runner_ended',
  'over_ok',
  'over_failed',
  'over_cancelled',
  'resume',
  'reopened',
] as const;
export type RunEvent = (typeof RUN_EVENTS)[number];

/** `(status, event) -> next`; a pair that is not here is a fault of the program. */
const TRANSITIONS: Readonly<Record<RunStatus, Partial<Record<RunEvent, RunStatus>>>> = {
  PENDING: { start: 'RUNNING', over_cancelled: 'CANCELLED', over_failed: 'ERROR' },
  RUNNING: {
    runner_ended: 'WAITING_ON_WORKERS',
    over_ok: 'COMPLETED',
    over_failed: 'ERROR',
    over_cancelled: 'CANCELLED',
    resume: 'RUNNING',
  },
  WAITING_ON_WORKERS: {
    over_ok: 'COMPLETED',
    over_failed: 'ERROR',
    over_cancelled: 'CANCELLED',
    resume: 'RUNNING',
  },
  COMPLETED: { reopened: 'WAITING_ON_WORKERS' },
  ERROR: { reopened: 'WAITING_ON_WORKERS' },
  CANCELLED: {},
};

/** @throws {YeeterError} RUN_STATE when the event cannot happen in this status. */
export function nextRunStatus(status: RunStatus, event: RunEvent): RunStatus {
  const next = TRANSITIONS[status][event];
  if (!next) throw new YeeterError('RUN_STATE', `run status ${status} does not allow "${event}"`);
  return next;
}

/** Whether a run may be in this status because of the event. */
export function isResultOf(status: RunStatus, event: RunEvent): boolean {
  return Object.values(TRANSITIONS).some((events) => events[event] === status);
}

const OVER: readonly RunStatus[] = ['COMPLETED', 'ERROR', 'CANCELLED'];

/** Nothing of the run is under way; its dead jobs may still be requeued. */
export function isOver(status: RunStatus): boolean {
  return OVER.includes(status);
}
