import { YeeterError } from '../lib/errors.ts';

/** @throws {YeeterError} RUN_NOT_FOUND */
export function missingRun(runId: number): never {
  throw new YeeterError('RUN_NOT_FOUND', `there is no run ${runId}: list the runs to see their numbers`);
}
