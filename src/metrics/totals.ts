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

/** What the rows of a run add up to, so that it agrees with them whatever was killed. */
export interface RunAccounts {
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
  sutUs: number;
  ownUs: number;
  dicom: DicomAccounts;
  /** Studies of completed iterations whose every instance was accepted. */
  studiesStored: number;
  manifestSha256: string;
  /** Ready and unacknowledged, all queues of the run together, when they were last sampled. */
  queueLastDepth: number | null;
}

/** All that its rows say of a run as a whole. */
export interface RunTotals extends RunAccounts {
  /** Iterations of which some effect may have happened twice. */
  possiblyRepeated: number;
  queueMaxDepth: number | null;
  /** Distinct failures, most frequent first, at most 20. */
  failures: readonly { code: string; message: string; count: number; failedStep: number | null }[];
  series: readonly SeriesTotals[];
}
