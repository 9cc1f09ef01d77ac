import { and, desc, eq, gte, lt, lte, type SQL } from '../drizzle.ts';
import { missingRun } from '../missing-run.ts';
import { runs } from '../schema.ts';
import type { RunFilter, ServerPort } from '../server-port.ts';
import { users } from '../server-schema.ts';
import type { ServerPartDeps } from './part.ts';

const SUMMARY = {
  id: runs.id,
  userId: runs.userId,
  username: users.username,
  templateId: runs.templateId,
  templateName: runs.templateName,
  patientCount: runs.patientCount,
  status: runs.status,
  tags: runs.tags,
  seed: runs.seed,
  namespace: runs.namespace,
  startedIterations: runs.startedIterations,
  createdAtMs: runs.createdAtMs,
  updatedAtMs: runs.updatedAtMs,
  startedAtMs: runs.startedAtMs,
  completedAtMs: runs.completedAtMs,
};

function wanted(filter: RunFilter): SQL | undefined {
  const { userId, runId, templateId, status, startedFromMs, completedToMs, beforeId } = filter;
  return and(
    userId === undefined ? undefined : eq(runs.userId, userId),
    runId === undefined ? undefined : eq(runs.id, runId),
    templateId === undefined ? undefined : eq(runs.templateId, templateId),
    status === undefined ? undefined : eq(runs.status, status),
    startedFromMs === undefined ? undefined : gte(runs.startedAtMs, startedFromMs),
    completedToMs === undefined ? undefined : lte(runs.completedAtMs, completedToMs),
    beforeId === undefined ? undefined : lt(runs.id, beforeId),
  );
}

export function createRunLists({
  database,
}: ServerPartDeps): Pick<ServerPort, 'listRunSummaries' | 'runSummary'> {
  const read = (where: SQL | undefined, limit: number) =>
    database.ask((db) =>
      db
        .select(SUMMARY)
        .from(runs)
        .leftJoin(users, eq(users.id, runs.userId))
        .where(where)
        .orderBy(desc(runs.id))
        .limit(limit),
    );
  return {
    listRunSummaries: (filter) => read(wanted(filter), filter.limit),
    runSummary: async (runId) => {
      const [run] = await read(eq(runs.id, runId), 1);
      return run ?? missingRun(runId);
    },
  };
}
