/** Time is passed in, so that tests and the virtual clock of a run decide it. */
export interface Clock {
  /** Wall clock, milliseconds since the epoch; for records, never for durations. */
  nowMs(): number;
  /** Monotonic, microseconds since an arbitrary start; for durations only. */
  monotonicUs(): number;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicUs: () => performance.now() * 1000,
};
