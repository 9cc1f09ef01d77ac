import { randomUUID } from 'node:crypto';
import { and, asc, count, desc, eq, gt, inArray, isNull, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/pg-proxy';
import { NAMESPACE_COUNT } from '../domain/identity.ts';
import { isOver, nextRunStatus, type RunEvent, type RunStatus } from '../domain/run-state.ts';
import type { RegisteredTarget } from '../domain/target-guard.ts';
import type { Clock } from '../lib/clock.ts';
import { YeeterError } from '../lib/errors.ts';
import { freshSeed } from '../lib/ids.ts';
import type { DepthRow, HealthRow, WindowRow } from '../metrics/series.ts';
import type { RunTotals } from '../metrics/totals.ts';
import { type EncodedLedger, encodeLedger } from './ledger-tables.ts';
import { migrate } from './migrate.ts';
import type {
  IterationRow,
  LedgerBatch,
  LedgerReceipt,
  NewRun,
  Page,
  RunRecord,
  StoragePort,
  StoredAttempt,
  StoredEvent,
} from './port.ts';
import { attemptOf, eventOf, iterationOf, runOf, runValues } from './row-mapping.ts';
import { readRunTotals } from './run-totals.ts';
import {
  deployment,
  iterations,
  jobAttempts,
  metricWindows,
  namespaces,
  processHealth,
  queueDepths,
  runEvents,
  runs,
  targets,
} from './schema.ts';
import type { SqlExecutor, SqlParameter, SqlQueries } from './sql-executor.ts';
import { storageError } from './storage-error.ts';
import { writeLedger } from './write-ledger.ts';

/** Drizzle over any executor or transaction. */
function drizzleOf(queries: SqlQueries) {
  return drizzle(
    async (text, parameters) => ({ rows: await queries.query(text, parameters as SqlParameter[]) }),
    {
      casing: 'snake_case',
    },
  );
}

type Database = ReturnType<typeof drizzleOf>;

/** The ledger on a PostgreSQL of either kind. */
export class SqlStore implements StoragePort {
  readonly #executor: SqlExecutor;
  readonly #db: Database;
  readonly #where: string;
  readonly #clock: Clock;
  readonly #deployment: { id: string; seed: number };

  private constructor(
    executor: SqlExecutor,
    clock: Clock,
    where: string,
    identity: { id: string; seed: number },
  ) {
    this.#where = where;
    this.#executor = executor;
    this.#db = drizzleOf(executor);
    this.#clock = clock;
    this.#deployment = identity;
  }

  /** Migrates first. `where` names the store in errors. @throws {YeeterError} STORAGE_FAILED, DISK_FULL */
  static async open(executor: SqlExecutor, clock: Clock, where: string): Promise<SqlStore> {
    await migrate(executor, where);
    const identity = await executor.transaction(async (tx) => {
      await tx.query('lock table deployment');
      const db = drizzleOf(tx);
      const [existing] = await db.select().from(deployment);
      if (existing) return existing;
      const [created] = await db
        .insert(deployment)
        .values({ id: randomUUID(), seed: freshSeed() })
        .returning();
      return created!;
    });
    return new SqlStore(executor, clock, where, identity);
  }

  /** Drizzle wraps errors; what leaves the store is one of ours. */
  async #ask<T>(question: (db: Database) => PromiseLike<T>): Promise<T> {
    try {
      return await question(this.#db);
    } catch (error) {
      throw storageError(error, this.#where);
    }
  }

  async deployment(): Promise<{ id: string; seed: number }> {
    return this.#deployment;
  }

  async claimNamespaces(blocks: number): Promise<number> {
    const { seed } = this.#deployment;
    await this.#ask((db) => db.insert(namespaces).values({ seed, next: 0 }).onConflictDoNothing());
    const [claimed] = await this.#ask((db) =>
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
    const [row] = await this.#ask((db) => db.insert(runs).values(runValues(run, nowMs)).returning());
    return runOf(row!);
  }

  async getRun(runId: number): Promise<RunRecord> {
    const [row] = await this.#ask((db) => db.select().from(runs).where(eq(runs.id, runId)));
    return runOf(row ?? missingRun(runId));
  }

  async listRuns(filter: { statuses?: readonly RunStatus[]; limit: number }): Promise<RunRecord[]> {
    const { statuses, limit } = filter;
    const rows = await this.#ask((db) =>
      db
        .select()
        .from(runs)
        .where(statuses ? inArray(runs.status, [...statuses]) : undefined)
        .orderBy(desc(runs.id))
        .limit(limit),
    );
    return rows.map(runOf);
  }

  async transitionRun(
    runId: number,
    event: RunEvent,
    change: { startedIterations?: number } = {},
  ): Promise<RunRecord> {
    return await this.#executor.transaction(async (tx) => {
      const db = drizzleOf(tx);
      const [run] = await db.select().from(runs).where(eq(runs.id, runId)).for('update');
      if (!run) return missingRun(runId);
      const status = nextRunStatus(run.status, event);
      const nowMs = this.#clock.nowMs();
      const [changed] = await db
        .update(runs)
        .set({
          status,
          updatedAtMs: nowMs,
          startedAtMs: run.startedAtMs ?? (status === 'RUNNING' ? nowMs : null),
          completedAtMs: isOver(status) ? nowMs : null,
          startedIterations: change.startedIterations ?? run.startedIterations,
        })
        .where(eq(runs.id, runId))
        .returning();
      return runOf(changed!);
    });
  }

  async requestCancel(runId: number): Promise<RunRecord> {
    const [row] = await this.#ask((db) =>
      db
        .update(runs)
        .set({ cancelRequested: true, updatedAtMs: this.#clock.nowMs() })
        .where(and(eq(runs.id, runId), isNull(runs.completedAtMs)))
        .returning(),
    );
    return row ? runOf(row) : await this.getRun(runId);
  }

  writeLedger(batch: LedgerBatch): Promise<LedgerReceipt> {
    return this.writeEncodedLedger(encodeLedger(batch));
  }

  /** For batches that were encoded on another thread. */
  writeEncodedLedger(batch: EncodedLedger): Promise<LedgerReceipt> {
    return writeLedger(this.#executor, batch);
  }

  runTotals(runId: number): Promise<RunTotals> {
    return this.#executor.transaction((tx) => readRunTotals(tx, runId));
  }

  async finishedIterations(runId: number, page: { after: number; limit: number }): Promise<number[]> {
    const rows = await this.#ask((db) =>
      db
        .select({ iteration: iterations.iteration })
        .from(iterations)
        .where(and(eq(iterations.runId, runId), gt(iterations.iteration, page.after)))
        .orderBy(asc(iterations.iteration))
        .limit(page.limit),
    );
    return rows.map((row) => row.iteration);
  }

  async countFinished(runId: number): Promise<number> {
    const [row] = await this.#ask((db) =>
      db.select({ finished: count() }).from(iterations).where(eq(iterations.runId, runId)),
    );
    return row!.finished;
  }

  async readAttempts(runId: number, page: Page): Promise<StoredAttempt[]> {
    const rows = await this.#ask((db) =>
      db
        .select()
        .from(jobAttempts)
        .where(and(eq(jobAttempts.runId, runId), gt(jobAttempts.id, page.afterId)))
        .orderBy(asc(jobAttempts.id))
        .limit(page.limit),
    );
    return rows.map(attemptOf);
  }

  async readIterations(runId: number, page: { after: number; limit: number }): Promise<IterationRow[]> {
    const rows = await this.#ask((db) =>
      db
        .select()
        .from(iterations)
        .where(and(eq(iterations.runId, runId), gt(iterations.iteration, page.after)))
        .orderBy(asc(iterations.iteration))
        .limit(page.limit),
    );
    return rows.map(iterationOf);
  }

  async readEvents(runId: number, page: Page): Promise<StoredEvent[]> {
    const rows = await this.#ask((db) =>
      db
        .select()
        .from(runEvents)
        .where(and(eq(runEvents.runId, runId), gt(runEvents.id, page.afterId)))
        .orderBy(asc(runEvents.id))
        .limit(page.limit),
    );
    return rows.map(eventOf);
  }

  async readWindows(runId: number, page: { afterSecond: number; limit: number }): Promise<WindowRow[]> {
    const { runId: run, second, series, processId } = metricWindows;
    return await this.#ask((db) => {
      const seconds = db
        .select({ second })
        .from(metricWindows)
        .where(and(eq(run, runId), gt(second, page.afterSecond)))
        .orderBy(asc(second))
        .limit(page.limit);
      return db
        .select()
        .from(metricWindows)
        .where(and(eq(run, runId), inArray(second, seconds)))
        .orderBy(asc(second), asc(series), asc(processId));
    });
  }

  async readHealth(runId: number): Promise<HealthRow[]> {
    return await this.#ask((db) =>
      db
        .select()
        .from(processHealth)
        .where(eq(processHealth.runId, runId))
        .orderBy(asc(processHealth.second), asc(processHealth.processId)),
    );
  }

  async readDepths(runId: number): Promise<DepthRow[]> {
    return await this.#ask((db) =>
      db
        .select()
        .from(queueDepths)
        .where(eq(queueDepths.runId, runId))
        .orderBy(asc(queueDepths.second), asc(queueDepths.queue)),
    );
  }

  async listTargets(): Promise<RegisteredTarget[]> {
    return await this.#ask((db) => db.select().from(targets).orderBy(asc(targets.host), asc(targets.port)));
  }

  async registerTarget(target: RegisteredTarget): Promise<void> {
    const { host, port, ...rest } = target;
    await this.#ask((db) =>
      db
        .insert(targets)
        .values({ host, port, ...rest })
        .onConflictDoUpdate({ target: [targets.host, targets.port], set: rest }),
    );
  }

  async removeTarget(host: string, port: number): Promise<boolean> {
    const removed = await this.#ask((db) =>
      db
        .delete(targets)
        .where(and(eq(targets.host, host), eq(targets.port, port)))
        .returning(),
    );
    return removed.length > 0;
  }

  close(): Promise<void> {
    return this.#executor.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function missingRun(runId: number): never {
  throw new YeeterError('RUN_NOT_FOUND', `there is no run ${runId}: list the runs to see their numbers`);
}
