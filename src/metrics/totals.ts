import type { DicomAccounts } from '../domain/job.ts';

export interface SeriesTotals {
  series: string;
  okCount: number;
  okSumUs: number;
  okMinUs: number | null;
  okMaxUs: number | null;
  /** Of the last success; where several processes share its second, of one of theirs. */
  okLastUs: number | null;
  failedCount: number;
  failedSumUs: number;
  failedMinUs: number | null;
  failedMaxUs: number | null;
  bytes: number;
  /** Merged histograms, V2 compressed, base64. */
  okHistogram: string | null;
  failedHistogram: string | null;
  firstSecond: number;
  lastSecond: number;
}

/** Derived from the ledger's rows, so that they agree with them whatever was killed. */
export interface RunTotals {
  runId: number;
  completed: number;
  failed: number;
  cancelled: number;
  /** Jobs that are known to be queued, or settled: once each. */
  jobs: number;
  jobsSucceeded: number;
  jobsDead: number;
  /** Times that a dead job was requeued. */
  requeued: number;
  attempts: number;
  attemptsSucceeded: number;
  attemptDurationSumUs: number;
  attemptDurationMinUs: number | null;
  attemptDurationMaxUs: number | null;
  duplicates: number;
  /** Iterations of which some effect may have happened twice. */
  possiblyRepeated: number;
  sutUs: number;
  ownUs: number;
  dicom: DicomAccounts;
  /** Studies of completed iterations whose every instance was accepted. */
  studiesStored: number;
  /** Ready and unacknowledged, all queues of the run together. */
  queueMaxDepth: number | null;
  queueLastDepth: number | null;
  manifestSha256: string;
  /** Distinct failures, most frequent first, at most 20. */
  failures: readonly { code: string; message: string; count: number; failedStep: number | null }[];
  series: readonly SeriesTotals[];
}
