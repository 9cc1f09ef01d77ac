export interface Backoff {
  delayMs: number;
  backoff: 'fixed' | 'exponential';
  maxDelayMs: number;
}

/** Delay before the attempt that follows `attempt` (from 1), milliseconds; exponential doubles from `delayMs`. */
export function backoffMs(policy: Backoff, attempt: number): number {
  if (policy.backoff === 'fixed') return policy.delayMs;
  return Math.min(policy.delayMs * 2 ** (attempt - 1), policy.maxDelayMs);
}
