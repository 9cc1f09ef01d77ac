import { YeeterError } from '../../lib/errors.ts';
import type { RunSummary, ServerStore } from '../../storage/server-port.ts';
import type { User } from '../http/handlers.ts';

type SummaryStore = Pick<ServerStore, 'runSummary'>;

export function mayRead(user: Pick<User, 'id' | 'isAdmin'>, run: Pick<RunSummary, 'userId'>): boolean {
  return user.isAdmin || run.userId === user.id;
}

/** Runs belong to their user: a foreign one is not there. @throws {YeeterError} RUN_NOT_FOUND */
export async function runFor(store: SummaryStore, user: User, id: number): Promise<RunSummary> {
  const run = await store.runSummary(id);
  if (mayRead(user, run)) return run;
  throw new YeeterError('RUN_NOT_FOUND', `there is no run ${id}`);
}
