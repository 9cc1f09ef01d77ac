import { asyncQueues } from '../../domain/async-queues.ts';
import { isOver, type RunStatus } from '../../domain/run-state.ts';
import type { Template } from '../../domain/template.ts';
import type { QueuedJob } from '../../live/port.ts';
import type { RunTotals, StoredAttempt, StoredEvent } from '../../storage/port.ts';
import type { RunSummary, ServerStore } from '../../storage/server-port.ts';
import { createIdTail, type IdTail } from './id-tail.ts';
import {
  jobCompleted,
  jobQueued,
  logUpdate,
  maxAttemptsOf,
  runMetrics,
  runProgress,
  statusUpdate,
} from './payloads.ts';
import type { PacedEvent } from './room-pace.ts';

export type RoomPayload = Readonly<Record<string, unknown>>;

export type RoomStore = Pick<
  ServerStore,
  'getRun' | 'runSummary' | 'runTotals' | 'runAccounts' | 'eventWindow' | 'readEvents' | 'listAttempts'
>;

export interface RoomReaderOptions {
  runId: number;
  store: RoomStore;
  /** Milliseconds of a clock that does not run backwards. */
  now: () => number;
  /** Workers that consume any of the queues. */
  workersOn: (queues: readonly string[]) => number;
  /** The payload is asked for when its turn has come. */
  tell: (event: PacedEvent, payload: () => RoomPayload) => void;
  /** Changes with the figures of the run, once a second at most. */
  onProgress: (payload: RoomPayload) => void;
}

/** Reads what is new of one run, and tells it once. */
export interface RoomReader {
  /** What is there now is not told. @throws {YeeterError} RUN_NOT_FOUND */
  open(): Promise<void>;
  /** @param changed whether anything is known to have changed. @returns whether there is more to read at once */
  read(changed: boolean): Promise<boolean>;
  queued(job: QueuedJob): void;
  /** Until the figures may be read again; null when they are up to date. */
  untilFiguresMs(): number | null;
  readonly status: RunStatus;
  readonly newestEventId: number;
  readonly progress: RoomPayload | null;
}

const FIGURES_INTERVAL_MS = 1000;
/** The series of a long run take long to merge: reading all totals may take this share of the time. */
const TOTALS_SHARE = 0.01;
const EVENT_PAGE = 500;
const LATE_INTERVAL_MS = 1000;
const LATE_PAGE = 2000;
/** Events that the reading begins with, so that late rows between them are found. */
const FIRST_EVENTS = 100;
/** Newest attempts that are looked at; when more came at once, the rest is not shown. */
const NEWEST_ATTEMPTS = 20;
const QUEUED_REMEMBERED = 1000;
/** What may still come when a run is over: rows that become visible late. */
const SETTLING_MS = 12_000;

export function createRoomReader(options: RoomReaderOptions): RoomReader {
  const { runId, store, now, tell } = options;
  const queuedTold = new Set<string>();
  let template: Template;
  let queues: readonly string[];
  let run: RunSummary;
  let events: IdTail;
  let attemptsTold = new Set<number>();
  let queuedJobs = 0;
  let lastLateMs = now();
  let overSinceMs: number | null = null;
  let figuresStale = true;
  let nextFiguresMs = 0;
  let totals: RunTotals | null = null;
  let nextTotalsMs = 0;
  let metrics: RoomPayload | null = null;
  let progress: RoomPayload | null = null;

  const open = async (): Promise<void> => {
    template = (await store.getRun(runId)).template;
    queues = asyncQueues(template);
    const newest = await store.eventWindow(runId, { limit: FIRST_EVENTS, offset: 0, order: 'desc' });
    const ids = newest.events.map(({ id }) => id);
    events = createIdTail(ids.length > 0 ? Math.min(...ids) - 1 : 0, { now });
    for (const id of ids) events.take(id);
    const attempts = await store.listAttempts({ runId, limit: NEWEST_ATTEMPTS });
    attemptsTold = new Set(attempts.map(({ id }) => id));
    run = await store.runSummary(runId);
    overSinceMs = isOver(run.status) ? now() : null;
  };

  /** @returns what it was before */
  const readRun = async (): Promise<RunSummary> => {
    const before = run;
    run = await store.runSummary(runId);
    if (run.status !== before.status) {
      overSinceMs = isOver(run.status) ? now() : null;
      figuresStale = true;
      // The last figures of a run are wanted at once.
      if (overSinceMs !== null) nextFiguresMs = nextTotalsMs = 0;
    }
    return before;
  };

  const tellEvents = (rows: readonly StoredEvent[]): void => {
    for (const row of rows) if (events.take(row.id)) tell('sim_log_update', () => logUpdate(row));
  };

  const readEvents = async (): Promise<boolean> => {
    const fresh = await store.readEvents(runId, { afterId: events.newest, limit: EVENT_PAGE });
    tellEvents(fresh);
    events.giveUp();
    if (events.lateAfter !== null && now() - lastLateMs >= LATE_INTERVAL_MS) {
      lastLateMs = now();
      tellEvents(await store.readEvents(runId, { afterId: events.lateAfter, limit: LATE_PAGE }));
    }
    return fresh.length === EVENT_PAGE;
  };

  const queued = (job: QueuedJob): void => {
    if (queuedTold.has(job.jobId)) return;
    queuedTold.add(job.jobId);
    if (queuedTold.size > QUEUED_REMEMBERED) queuedTold.delete(queuedTold.values().next().value!);
    queuedJobs++;
    const count = queuedJobs;
    tell('simulation_async_job_queued', () => jobQueued(runId, job, count));
  };

  const readAttempts = async (): Promise<void> => {
    const newest = await store.listAttempts({ runId, limit: NEWEST_ATTEMPTS });
    const fresh = newest.filter(({ id }) => !attemptsTold.has(id)).reverse();
    attemptsTold = new Set(newest.map(({ id }) => id));
    for (const attempt of fresh) {
      // A job of which no fact arrived was queued all the same.
      if (attempt.attempt === 1) queued(jobOf(attempt));
      const maxAttempts = maxAttemptsOf(template, attempt);
      tell('simulation_async_job_completed', () => jobCompleted(attempt, maxAttempts, metrics));
    }
  };

  /** All of them when it is their turn; else what is kept up, and the rest as it was then. */
  const latestTotals = async (): Promise<RunTotals> => {
    const startedMs = now();
    if (totals && startedMs < nextTotalsMs) {
      const accounts = await store.runAccounts(runId);
      const depths = [totals.queueMaxDepth, accounts.queueLastDepth].filter((depth) => depth !== null);
      return { ...totals, ...accounts, queueMaxDepth: depths.length === 0 ? null : Math.max(...depths) };
    }
    const all = await store.runTotals(runId);
    nextTotalsMs = startedMs + (now() - startedMs) / TOTALS_SHARE;
    return all;
  };

  const readFigures = async (): Promise<void> => {
    if (!figuresStale || now() < nextFiguresMs) return;
    figuresStale = false;
    nextFiguresMs = now() + FIGURES_INTERVAL_MS;
    totals = await latestTotals();
    metrics = runMetrics(run, totals);
    queuedJobs = Math.max(queuedJobs, totals.jobs);
    const latest = runProgress(totals, isOver(run.status), options.workersOn(queues));
    if (JSON.stringify(latest) === JSON.stringify(progress)) return;
    progress = latest;
    options.onProgress(latest);
  };

  /** The status last, since it says that the rows before it are complete. */
  const read = async (changed: boolean): Promise<boolean> => {
    const before = await readRun();
    const settled = overSinceMs !== null && now() - overSinceMs > SETTLING_MS;
    let more = false;
    if (changed || !settled || run.updatedAtMs !== before.updatedAtMs) {
      figuresStale ||= changed || !settled;
      more = await readEvents();
      await readAttempts();
    }
    if (run.status !== before.status) {
      const { status } = run;
      tell('sim_run_status_update', () => statusUpdate(runId, status));
    }
    await readFigures();
    return more;
  };

  return {
    open,
    read,
    queued,
    untilFiguresMs: () => (figuresStale ? Math.max(0, nextFiguresMs - now()) : null),
    get status() {
      return run.status;
    },
    get newestEventId() {
      return events.newest;
    },
    get progress() {
      return progress;
    },
  };
}

function jobOf({ jobId, queue, patientIteration, repeatIteration }: StoredAttempt): QueuedJob {
  return { jobId, queue, patientIteration, repeatIteration };
}
