import type { RunEvent } from '../domain/run-state.ts';
import type { OnFailure } from '../domain/template.ts';

export interface RunAccounts {
  failed: number;
  /** The run was asked to stop. */
  cancelled: boolean;
  onFailure: OnFailure;
  /** The accounts could not be kept. */
  faulted: boolean;
}

/**
 * The one place that decides how a run ends, asked once its runner has ended and its terminal rows equal the
 * iterations started. Failures of patients end it ERROR only when the template says `fail_run`.
 */
export function decideRunEnd(accounts: RunAccounts): RunEvent {
  if (accounts.faulted) return 'over_failed';
  if (accounts.cancelled) return 'over_cancelled';
  return accounts.failed > 0 && accounts.onFailure === 'fail_run' ? 'over_failed' : 'over_ok';
}
