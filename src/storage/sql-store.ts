import { randomInt, randomUUID } from 'node:crypto';
import type { EndpointShare } from '../domain/endpoint-share.ts';
import { NAMESPACE_COUNT } from '../domain/identity.ts';
import type { Job } from '../domain/job.ts';
import { isOver, isResultOf, nextRunStatus, type RunEvent, type RunStatus } from '../domain/run-state.ts';
import type { Clock } from '../lib/clock.ts';
import { YeeterError } from '../lib/errors.ts';
import { freshSeed } from '../lib/ids.ts';
import type { RunAccounts, RunTotals } from '../metrics/totals.ts';
import type {
  ControlState,
  CoordinationPort,
  DeadJob,
  JobSettlement,
  QueueMode,
  RunClaim,
  RunCounts,
  RunProgress,
  StoredWorker,
  WorkerHeartbeat,
} from './coordination-port.ts';
import { type Database, drizzleOf } from './database.ts';
import { listDeadJobs, reopenJobs, settlementOf } from './dead-jobs.ts';
import { and, desc, eq, inArray, isNull, sql } from './drizzle.ts';
import {
  type ByteAsk,
  type EndpointAsk,
  giveBytesBack,
  leaveEndpoint,
  shareEndpoint,
  takeBytes,
} from './endpoint-shares.ts';
import { assertFence, claimLease, forgetLeases, releaseLease, renewLease, setStarted } from './leases.ts';
import type { LedgerReads } from './ledger-reads.ts';
import { type EncodedLedger, encodeLedger } from './ledger-tables.ts';
import { missingRun } from './missing-run.ts';
import type { LedgerBatch, LedgerReceipt, NewRun, RunChange, RunRecord } from './port.ts';
import type { RegisteredTargets } from './registered-targets.ts';
import { runOf, runValues } from './row-mapping.ts';
import { SLOTS } from './run-sums.ts';
import { readAccounts, readCounts, readProgress, readRunTotals } from './run-totals.ts';
import { deployment, namespaces, runs } from './schema.ts';
import type { SqlExecutor, SqlQueries } from './sql-executor.ts';
import { beat, heldJobs, isNamedByTemplate, listWorkers, readControl, setQueueMode } from './workers.ts';
import { type LedgerLine, writeLedger } from './write-ledger.ts';

/** Runs, what is written about them and who works on them, on a PostgreSQL of either kind. */
export class SqlStore implements Omit<CoordinationPort, keyof LedgerReads | keyof RegisteredTargets> {
  readonly #executor: SqlExecutor;
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #deployment: { id: string; seed: number };
  /** Writers of batches that wait for one. */
  readonly #lines: LedgerLine[] = [];
  /** Of this store, in `run_sums`. */
  readonly #slot = randomInt(SLOTS);

  private constructor(database: Database, clock: Clock, identity: { id: string; seed: number }) {
    this.#executor = database.executor;
    this.#database = database;
    this.#clock = clock;
    this.#deployment = identity;
  }

  /** On tables that are up to date. @throws {YeeterError} STORAGE_FAILED, DISK_FULL */
  static async open(database: Database, clock: Clock): Promise<SqlStore> {
    const identity = await database.change(async (db, tx) => {
      await tx.query('lock table deployment');
      const [existing] = await db.select().from(deployment);
      if (existing) return existing;
      const created = await db.insert(deployment).values({ id: randomUUID(), seed: freshSeed() }).returning();
      return created[0]!;
    });
    return new SqlStore(database, clock, identity);
  }

  async deployment(): Promise<{ id: string; seed: number }> {
    return this.#deployment;
  }

  async claimNamespaces(blocks: number): Promise<number> {
    const { seed } = this.#deployment;
    await this.#database.ask((db) => db.insert(namespaces).values({ seed, next: 0 }).onConflictDoNothing());
    const [claimed] = await this.#database.ask((db) =>
      db
        .update(namespaces)
        .set({ next: sql`${namespaces.next} + ${blocks}` })
        .where(and(eq(namespaces.seed, seed), sql`${namespaces.next} + ${blocks} <= ${NAMESPACE_COUNT}`))
        .returning(),
    );
    if (claimed) return claimed.next - blocks;
    throw new YeeterError(
      'NAMESPACE_EXHAUSTED',
      `fewer than ${blocks} of the ${NAMESPACE_COUNT} namespaces of this store's seed are left: ` +
        'give a seed of your own, or start another data folder or database',
    );
  }

  async createRun(run: NewRun): Promise<RunRecord> {
    const nowMs = this.#clock.nowMs();
    const [row] = await this.#database.askOnce((db) =>
      db.insert(runs).values(runValues(run, nowMs)).returning(),
    );
    return runOf(row!);
  }

  async getRun(runId: number): Promise<RunRecord> {
    const [row] = await this.#database.ask((db) => db.select().from(runs).where(eq(runs.id, runId)));
    return runOf(row ?? missingRun(runId));
  }

  async listRuns(filter: { statuses?: readonly RunStatus[]; limit: number }): Promise<RunRecord[]> {
    const { statuses, limit } = filter;
    const rows = await this.#database.ask((db) =>
      db
        .select()
        .from(runs)
        .where(statuses ? inArray(runs.status, [...statuses]) : undefined)
        .orderBy(desc(runs.id))
        .limit(limit),
    );
    return rows.map(runOf);
  }

  async transitionRun(runId: number, event: RunEvent, change: RunChange = {}): Promise<RunRecord> {
    let again = false;
    return await this.#executor.repeatable(() => {
      const repeated = again;
      again = true;
      return this.#executor.transaction((tx) => this.#transition(tx, runId, event, change, repeated));
    });
  }

  /** @param repeated an earlier try, whose answer was lost, may have done it */
  async #transition(
    tx: SqlQueries,
    runId: number,
    event: RunEvent,
    change: RunChange,
    repeated: boolean,
  ): Promise<RunRecord> {
    const db = drizzleOf(tx);
    const [run] = await db.select().from(runs).where(eq(runs.id, runId)).for('update');
    if (!run) return missingRun(runId);
    assertFence(runId, run.fence, change.fence);
    if (repeated && isResultOf(run.status, event)) return runOf(run);
    const status = nextRunStatus(run.status, event);
    if (change.finishedIterations !== undefined)
      assertFinished(runId, await readCounts(tx, runId), change.finishedIterations);
    const nowMs = this.#clock.nowMs();
    const over = isOver(status);
    const [changed] = await db
      .update(runs)
      .set({
        status,
        updatedAtMs: nowMs,
        startedAtMs: run.startedAtMs ?? (status === 'RUNNING' ? nowMs : null),
        completedAtMs: over ? nowMs : null,
        startedIterations: change.startedIterations ?? run.startedIterations,
        ...(over ? { runnerId: null, leaseExpiresAtMs: null } : {}),
      })
      .where(eq(runs.id, runId))
      .returning();
    return runOf(changed!);
  }

  async requestCancel(runId: number): Promise<RunRecord> {
    const [row] = await this.#database.ask((db) =>
      db
        .update(runs)
        .set({ cancelRequested: true, updatedAtMs: this.#clock.nowMs() })
        .where(and(eq(runs.id, runId), isNull(runs.completedAtMs)))
        .returning(),
    );
    return row ? runOf(row) : await this.getRun(runId);
  }

  writeLedger(batch: LedgerBatch): Promise<LedgerReceipt> {
    return this.writeEncodedLedger(encodeLedger(batch, !this.#executor.shared));
  }

  /** For batches that were encoded on another thread. */
  async writeEncodedLedger(batch: EncodedLedger): Promise<LedgerReceipt> {
    const line = this.#lines.pop() ?? { id: randomUUID(), slot: this.#slot, batches: 0 };
    try {
      return await writeLedger(this.#executor, batch, line);
    } finally {
      this.#lines.push(line);
    }
  }

  runTotals(runId: number): Promise<RunTotals> {
    return this.#executor.repeatable(() => this.#executor.transaction((tx) => readRunTotals(tx, runId)));
  }

  runAccounts(runId: number): Promise<RunAccounts> {
    return this.#database.query((queries) => readAccounts(queries, runId));
  }

  runCounts(runId: number): Promise<RunCounts> {
    return this.#database.query((queries) => readCounts(queries, runId));
  }

  runProgress(runId: number): Promise<RunProgress> {
    return this.#database.query((queries) => readProgress(queries, runId));
  }

  async claimRun(runnerId: string, leaseMs: number): Promise<RunClaim | null> {
    const claimed = await this.#database.query((queries) => claimLease(queries, runnerId, leaseMs));
    if (!claimed) return null;
    const run = await this.getRun(claimed.runId);
    return { run, fence: claimed.fence, resumed: run.status !== 'PENDING' };
  }

  renewLease(runId: number, fence: number, leaseMs: number): Promise<boolean> {
    return this.#database.query((queries) => renewLease(queries, runId, fence, leaseMs));
  }

  releaseLease(runId: number, fence: number): Promise<void> {
    return this.#database.query((queries) => releaseLease(queries, runId, fence));
  }

  forgetLeases(): Promise<void> {
    return this.#database.query(forgetLeases);
  }

  setStarted(runId: number, fence: number, startedIterations: number): Promise<boolean> {
    return this.#database.query((queries) => setStarted(queries, runId, fence, startedIterations));
  }

  shareEndpoint(ask: EndpointAsk): Promise<EndpointShare> {
    return this.#executor.repeatable(() => this.#executor.transaction((tx) => shareEndpoint(tx, ask)));
  }

  leaveEndpoint(address: string, holder: string): Promise<void> {
    return this.#database.query((queries) => leaveEndpoint(queries, address, holder));
  }

  takeBytes(ask: ByteAsk): Promise<number> {
    return this.#executor.repeatable(() => this.#executor.transaction((tx) => takeBytes(tx, ask)));
  }

  giveBytesBack(runId: number, address: string, bytes: number): Promise<void> {
    return this.#database.query((queries) => giveBytesBack(queries, runId, address, bytes));
  }

  control(): Promise<ControlState> {
    return this.#database.query(readControl);
  }

  setQueueMode(queue: string, mode: QueueMode): Promise<void> {
    return this.#database.query((queries) => setQueueMode(queries, queue, mode));
  }

  /** Not repeated: the answer is a clock's reading, and the next heartbeat comes soon. */
  heartbeat(worker: WorkerHeartbeat): Promise<number> {
    return beat(this.#executor, worker);
  }

  listWorkers(filter: { seenSinceMs: number }): Promise<StoredWorker[]> {
    return this.#database.query((queries) => listWorkers(queries, filter.seenSinceMs));
  }

  isNamedByTemplate(queue: string): Promise<boolean> {
    return this.#database.query((queries) => isNamedByTemplate(queries, queue));
  }

  heldJobs(): Promise<Readonly<Record<string, number>>> {
    return this.#database.query(heldJobs);
  }

  settlementOf(runId: number, jobId: string): Promise<JobSettlement | null> {
    return this.#database.query((queries) => settlementOf(queries, runId, jobId));
  }

  deadJobs({ limit, ...filter }: { queue?: string; runId?: number; limit: number }): Promise<DeadJob[]> {
    return this.#database.query((queries) => listDeadJobs(queries, filter, { limit, offset: 0 }));
  }

  async reopenJobs(dead: readonly Pick<Job, 'jobId' | 'runId' | 'iteration'>[]): Promise<void> {
    const perRun = Map.groupBy(dead, ({ runId }) => runId);
    const nowMs = this.#clock.nowMs();
    await this.#executor.repeatable(() =>
      this.#executor.transaction(async (tx) => {
        for (const [runId, ofRun] of [...perRun].sort(([a], [b]) => a - b)) {
          const jobIds = `{${ofRun.map(({ jobId }) => jobId).join(',')}}`;
          const numbers = `{${ofRun.map(({ iteration }) => iteration).join(',')}}`;
          await reopenJobs(tx, { runId, jobIds, iterations: numbers }, this.#slot, nowMs);
        }
      }),
    );
  }

  close(): Promise<void> {
    return this.#executor.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** @throws {YeeterError} RUN_STATE */
function assertFinished(runId: number, counts: RunCounts, expected: number): void {
  const finished = counts.completed + counts.failed + counts.cancelled;
  if (finished === expected) return;
  throw new YeeterError(
    'RUN_STATE',
    `run ${runId} cannot end yet: ${finished} of its ${expected} iterations have ended`,
  );
}
