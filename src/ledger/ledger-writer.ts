import { toYeeterError, type YeeterError } from '../lib/errors.ts';
import type { Closeable } from '../lib/lifecycle.ts';
import type { MetricLog } from '../metrics/metric-log.ts';
import type { DepthRow, HealthRow, WindowRow } from '../metrics/series.ts';
import type { HandOff } from '../storage/coordination-port.ts';
import type { AttemptRow, EventRow, IterationRow, LedgerBatch, StoragePort } from '../storage/port.ts';

export interface LedgerWriterOptions {
  store: StoragePort;
  /** Windows of the seconds that have ended; with `force`, of the open one too. Asked for every second. */
  takeWindows: (force: boolean) => readonly WindowRow[];
  /** Called once, with what the storage failed with. Nothing is written after it. */
  onFault: (fault: YeeterError) => void;
  /** Rows of one flush; a flush begins when so many wait. @default 1000 */
  maxBatch?: number;
  /** A row waits no longer than this for company, milliseconds. @default 5 */
  maxDelayMs?: number;
  /**
   * Rows of a flush that are worth waiting for. Where rows come fast, the next flush begins once so many wait or no more
   * come, in place of as soon as the last has ended. @default 0
   */
  worthwhile?: number;
  /** Where attempts and ends of patients are also lines. @default none */
  metricLog?: Pick<MetricLog, 'attempt' | 'patient'> | null;
}

/**
 * Group commit. Rows gather while the flush before them is under way and leave in one transaction; whoever must
 * not go on before a row is in the ledger (an ack, the end of a run) awaits `flushed()`.
 */
export interface LedgerWriter extends Closeable {
  attempt(row: AttemptRow): void;
  iteration(row: IterationRow): void;
  event(row: EventRow): void;
  health(row: HealthRow): void;
  depths(rows: readonly DepthRow[]): void;
  windows(rows: readonly WindowRow[]): void;
  handedOff(row: HandOff): void;
  /** Nothing more comes before the rows so far are stored: they wait for no company. */
  hurry(): void;
  /** Resolves when all rows added so far are stored. @throws {YeeterError} what the storage failed with */
  flushed(): Promise<void>;
  /** Resolves when the rows so far are stored, or never will be. */
  caughtUp(): Promise<void>;
  /** Rows that are not yet stored. */
  readonly pending: number;
  /** What the storage failed with; nothing is written after it. */
  readonly fault: YeeterError | null;
  /** Flushes the rest, open windows too. */
  close(): Promise<void>;
}

interface OpenBatch extends LedgerBatch {
  attempts: AttemptRow[];
  iterations: IterationRow[];
  events: EventRow[];
  windows: WindowRow[];
  health: HealthRow[];
  depths: DepthRow[];
  handedOff: HandOff[];
}

const emptyBatch = (): OpenBatch => ({
  attempts: [],
  iterations: [],
  events: [],
  windows: [],
  health: [],
  depths: [],
  handedOff: [],
});

const WINDOW_INTERVAL_MS = 1000;
/** Fewer rows that came during a flush do not promise more: whoever awaits them may be what others wait for. */
const MANY_ROWS = 32;
/** Rows come no longer when none did for so long, milliseconds. */
const GATHER_MS = 10;
/** However fast rows come, those that are there wait no longer than this for company, milliseconds. */
const MAX_GATHER_MS = 100;

export function createLedgerWriter(options: LedgerWriterOptions): LedgerWriter {
  const { store, maxBatch = 1000, maxDelayMs = 5, worthwhile = 0, metricLog } = options;
  let batch = emptyBatch();
  let rows = 0;
  let inFlightRows = 0;
  /** Somebody does not go on before the gathering rows are stored. */
  let awaited = false;
  /** So many rows begin a flush. */
  let enough = maxBatch;
  let timer: NodeJS.Timeout | null = null;
  let inFlight: Promise<void> | null = null;
  let gathering = Promise.withResolvers<void>();
  gathering.promise.catch(() => {});
  let fault: YeeterError | null = null;
  let closing: Promise<void> | null = null;

  const added = (): void => {
    rows++;
    if (inFlight) return;
    // Not within this call: rows that belong together, like a settlement and the end of its patient, leave together.
    if (rows >= enough) queueMicrotask(flush);
    else timer ??= setTimeout(flush, maxDelayMs);
  };

  const flush = (): void => {
    if (timer) clearTimeout(timer);
    timer = null;
    if (inFlight || rows === 0) return;
    const leaving = batch;
    const waiters = gathering;
    inFlightRows = rows;
    batch = emptyBatch();
    rows = 0;
    awaited = false;
    enough = maxBatch;
    gathering = Promise.withResolvers<void>();
    gathering.promise.catch(() => {});
    inFlight = write(leaving).then(
      () => waiters.resolve(),
      (error) => {
        if (!fault) {
          fault = toYeeterError(error);
          options.onFault(fault);
        }
        waiters.reject(fault);
      },
    );
    void inFlight.then(() => {
      inFlight = null;
      inFlightRows = 0;
      if (rows === 0) return;
      if (rows >= maxBatch || (awaited && !isWorthWaiting())) flush();
      else if (awaited) gather(rows, performance.now() + MAX_GATHER_MS);
      else timer ??= setTimeout(flush, maxDelayMs);
    });
  };

  const isWorthWaiting = (): boolean => rows >= MANY_ROWS && rows < worthwhile;

  /** Goes on waiting as long as rows come. */
  const gather = (seen: number, untilMs: number): void => {
    enough = Math.min(worthwhile, maxBatch);
    timer = setTimeout(() => {
      if (rows === seen || performance.now() >= untilMs) flush();
      else gather(rows, untilMs);
    }, GATHER_MS);
  };

  const write = async (leaving: LedgerBatch): Promise<void> => {
    if (fault) throw fault;
    await store.writeLedger(leaving);
  };

  const addAll = <Row>(to: Row[], from: readonly Row[]): void => {
    if (from.length === 0) return;
    for (const row of from) to.push(row);
    rows += from.length - 1;
    added();
  };
  const takeWindows = (force: boolean): void => addAll(batch.windows, options.takeWindows(force));

  const flushed = (): Promise<void> => {
    if (rows === 0 && !inFlight) return fault ? Promise.reject(fault) : Promise.resolve();
    if (rows > 0) {
      awaited = true;
      return gathering.promise;
    }
    return inFlight!.then(() => (fault ? Promise.reject(fault) : undefined));
  };

  /** What is under way holds others up as well: when it ends, more will come. */
  const hurry = (): void => {
    if (!inFlight) queueMicrotask(flush);
  };

  const windowTimer = setInterval(() => takeWindows(false), WINDOW_INTERVAL_MS);

  const close = (): Promise<void> => {
    closing ??= (async () => {
      clearInterval(windowTimer);
      takeWindows(true);
      flush();
      await flushed();
    })();
    return closing;
  };

  return {
    attempt: (row) => {
      batch.attempts.push(row);
      metricLog?.attempt(row);
      added();
    },
    iteration: (row) => {
      batch.iterations.push(row);
      metricLog?.patient(row);
      added();
    },
    event: (row) => {
      batch.events.push(row);
      added();
    },
    health: (row) => {
      batch.health.push(row);
      added();
    },
    depths: (sampled) => addAll(batch.depths, sampled),
    windows: (taken) => addAll(batch.windows, taken),
    handedOff: (row) => {
      batch.handedOff.push(row);
      added();
    },
    hurry,
    flushed,
    caughtUp: () => flushed().catch(() => {}),
    get pending() {
      return rows + inFlightRows;
    },
    get fault() {
      return fault;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
