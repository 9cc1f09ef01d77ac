import { delay } from '../../src/lib/lifecycle.ts';

/**
 * `before`: the call is not made. `during`: it is made, and its effect may have begun. `after`: it has resolved.
 * `late`: it has resolved, and what it left to a later turn is done as well.
 */
export const KILL_MOMENTS = ['before', 'during', 'after', 'late'] as const;
export type KillMoment = (typeof KILL_MOMENTS)[number];

/**
 * Where a process kills itself: around the n-th call of a method, counted from 1 over all objects of that kind; with
 * `argument`, over the calls that have it among their arguments.
 */
export interface KillPoint {
  /** Of the queue, the store, or a delivery. */
  on: 'queue' | 'store' | 'delivery';
  method: string;
  argument: string | null;
  call: number;
  moment: KillMoment;
}

const DURING_MS = 2;
const LATE_MS = 30;

function die(): Promise<never> {
  process.kill(process.pid, 'SIGKILL');
  return new Promise(() => {});
}

/** Wraps objects of one kind so that this process is gone, like in a power cut, at the point. */
export function killer(kind: KillPoint['on'], point: KillPoint | null): <T extends object>(target: T) => T {
  let calls = 0;
  const around = async (point: KillPoint, call: () => unknown): Promise<unknown> => {
    if (point.moment === 'before') return await die();
    const result = Promise.resolve(call());
    result.catch(() => {});
    await (point.moment === 'during' ? delay(DURING_MS) : result);
    if (point.moment === 'late') await delay(LATE_MS);
    return await die();
  };
  return (target) => {
    if (point?.on !== kind) return target;
    return new Proxy(target, {
      get: (from, name) => {
        const value: unknown = Reflect.get(from, name, from);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]): unknown => {
          const call = (): unknown => Reflect.apply(value, from, args);
          if (name !== point.method) return call();
          if (point.argument !== null && !args.includes(point.argument)) return call();
          if (++calls !== point.call) return call();
          return around(point, call);
        };
      },
    });
  };
}
