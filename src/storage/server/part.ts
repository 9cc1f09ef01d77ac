import type { Clock } from '../../lib/clock.ts';
import type { Database } from '../database.ts';

/** What every part of the server's store is made of. */
export interface ServerPartDeps {
  database: Database;
  clock: Clock;
}

/** Whether a partial change changes anything; an update that sets nothing is no SQL. */
export function changes(change: object): boolean {
  return Object.values(change).some((value) => value !== undefined);
}
