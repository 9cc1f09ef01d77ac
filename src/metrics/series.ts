/**
 * The series that are measured, declared once with what they time. All durations are microseconds on the
 * monotonic clock; successes and failures are counted and timed apart.
 */
export const SERIES = {
  iteration: 'response time of one patient: from the intended start to the terminal row',
  order_ack: 'one message: from the first byte written to its acknowledgement decoded',
  application_ack: 'enhanced mode: from the first byte written to the application acknowledgement',
  queue_publish: 'from the publish to the confirm',
  queue_wait: 'from the publish to the start of the attempt',
  job: 'handling of one attempt, without the wait in the queue',
  dicom_association: 'from the connection attempt to the association accepted',
  dicom_store: 'one C-STORE: from the first command byte written to the response decoded',
  dicom_store_first: 'the first C-STORE of an association, which is in dicom_store too',
  worklist_find:
    'one C-FIND of a worklist: from the first command byte written to the final response decoded',
  mpps: 'one report of a performed procedure step (N-CREATE, N-SET): from the first command byte written to the response decoded',
  dicom_send: 'the part of a C-STORE until its last byte was handed to the network',
} as const;

export type SeriesName = keyof typeof SERIES | `step_${number}_${Lowercase<string>}`;

/** One series in one second of one process; adds up with others of its series. */
export interface WindowRow {
  runId: number;
  series: string;
  processId: string;
  /** Seconds since the epoch. */
  second: number;
  okCount: number;
  okSumUs: number;
  okMinUs: number | null;
  okMaxUs: number | null;
  /** Of the success that was recorded last; null before this was kept, and without one. */
  okLastUs: number | null;
  failedCount: number;
  failedSumUs: number;
  failedMinUs: number | null;
  failedMaxUs: number | null;
  /** Payload bytes that the successes moved. */
  bytes: number;
  /** HdrHistogram V2 compressed, base64; null when the count is 0. */
  okHistogram: string | null;
  failedHistogram: string | null;
}

/** How a process was in one second; a run that was bound by its generator shows it here. */
export interface HealthRow {
  runId: number;
  processId: string;
  second: number;
  /** CPU of the whole process, 1 is one core. */
  cpuShare: number;
  /** 99th percentile of the event-loop delay of the measuring thread. */
  loopDelayP99Us: number;
  loopDelayMaxUs: number;
  rssBytes: number;
  heapUsedBytes: number;
  externalBytes: number;
}

export interface DepthRow {
  runId: number;
  queue: string;
  second: number;
  ready: number;
  unacknowledged: number;
  consumers: number;
}
