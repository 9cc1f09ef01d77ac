/** Time is passed in, so that tests and the virtual clock of a run decide it. */
export interface Clock {
  /** Wall clock, milliseconds since the epoch; for records, never for durations. */
  nowMs(): number;
  /** Monotonic, microseconds since an arbitrary start; for durations only. */
  monotonicUs(): number;
  /**
   * Whole microseconds since the epoch that never run backwards within one process: the wall clock at its start plus
   * monotonic time. For instants that travel in jobs.
   */
  epochUs(): number;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicUs: () => performance.now() * 1000,
  epochUs: () => Math.round((performance.timeOrigin + performance.now()) * 1000),
};
