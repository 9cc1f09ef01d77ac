import type { Closeable } from '../lib/lifecycle.ts';

/** Where workers run: in this process, as processes of this machine, on Kubernetes. */
export interface ScalingTarget extends Closeable {
  /** For people, for example `in-process`. */
  readonly name: string;
  /** Workers that run now. @throws {YeeterError} SCALING_UNAVAILABLE with the reason */
  replicas(): Promise<number>;
  /** Asks for so many; those too many finish what they have begun. @throws {YeeterError} SCALING_UNAVAILABLE */
  scale(replicas: number): Promise<void>;
}
