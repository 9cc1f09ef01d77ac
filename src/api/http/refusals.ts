import type { z } from 'zod';
import { YeeterError } from '../../lib/errors.ts';

/** One thing wrong in a request: where, what, and of which kind. */
export interface RequestFault {
  loc: (string | number)[];
  msg: string;
  type: string;
}

/** A request that does not have the form that is asked for, with all that is wrong in it. */
export class RequestFaults extends YeeterError {
  readonly faults: readonly RequestFault[];

  constructor(faults: readonly RequestFault[]) {
    super('VALIDATION', faults.map(describe).join('; ').slice(0, 2000));
    this.faults = faults;
  }
}

/** More than one client may ask for. */
export class TooManyRequests extends YeeterError {
  readonly retryAfterSeconds: number;

  constructor(what: string, retryAfterSeconds: number) {
    super('TOO_MANY_REQUESTS', `${what}: wait ${retryAfterSeconds} s`);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

function describe({ loc, msg }: RequestFault): string {
  return loc.length === 0 ? msg : `${loc.join('.')}: ${msg}`;
}

/** A single fault that a schema cannot see. */
export function fault(loc: readonly (string | number)[], msg: string, type = 'value_error'): RequestFaults {
  return new RequestFaults([{ loc: [...loc], msg, type }]);
}

export function toFaults(issues: readonly z.core.$ZodIssue[]): RequestFault[] {
  return issues.map(({ path, message, code }) => ({
    loc: path.map((key) => (typeof key === 'symbol' ? String(key) : key)),
    msg: message,
    type: code ?? 'value_error',
  }));
}

/** @throws always, NOT_FOUND */
export function missing(what: string, id: number | string): never {
  throw new YeeterError('NOT_FOUND', `there is no ${what} ${id}`);
}
