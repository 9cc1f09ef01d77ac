/** What `GET /metrics` exports, declared once with its help; `docs/metrics.md` lists the same, held by a test. */
export const PROMETHEUS_METRICS = {
  yeeter_runs_active: {
    type: 'gauge',
    labels: ['status'],
    help: 'Runs that are not over, at most 20 of a status.',
  },
  yeeter_runs_finished_total: { type: 'counter', labels: ['status'], help: 'Runs that ended.' },
  yeeter_patients_total: {
    type: 'counter',
    labels: ['outcome'],
    help: 'Patients whose way through the steps has ended.',
  },
  yeeter_jobs_queued_total: { type: 'counter', labels: [], help: 'Jobs, once each, retries apart.' },
  yeeter_jobs_settled_total: {
    type: 'counter',
    labels: ['outcome'],
    help: 'Jobs that succeeded, or died after their last attempt.',
  },
  yeeter_job_attempts_total: { type: 'counter', labels: ['result'], help: 'Attempts of jobs.' },
  yeeter_job_attempt_seconds_total: {
    type: 'counter',
    labels: [],
    help: 'Time in attempts of jobs, without the wait in the queue.',
  },
  yeeter_operations_total: {
    type: 'counter',
    labels: ['series', 'result'],
    help: 'Operations of each series, on the wires and around them.',
  },
  yeeter_operation_seconds_total: {
    type: 'counter',
    labels: ['series', 'result'],
    help: 'Time in the operations of each series.',
  },
  yeeter_operation_duration_seconds_bucket: {
    type: 'counter',
    labels: ['series', 'le'],
    help: 'Successful operations of a series that took at most `le` seconds, for histogram_quantile.',
  },
  yeeter_operation_bytes_total: {
    type: 'counter',
    labels: ['series'],
    help: 'Payload that successful operations of a series moved.',
  },
  yeeter_dicom_instances_total: {
    type: 'counter',
    labels: ['result'],
    help: 'Instances that patients who have ended sent.',
  },
  yeeter_dicom_stored_bytes_total: { type: 'counter', labels: [], help: 'Data sets that were stored.' },
  yeeter_queue_jobs: {
    type: 'gauge',
    labels: ['queue', 'state'],
    help: 'Jobs in a queue: ready, unacknowledged, delayed, dead.',
  },
  yeeter_queue_consumers: { type: 'gauge', labels: ['queue'], help: 'Consumers of a queue.' },
  yeeter_queue_open: {
    type: 'gauge',
    labels: ['queue'],
    help: '1, or 0 for a queue that is paused or draining.',
  },
  yeeter_workers: {
    type: 'gauge',
    labels: ['state'],
    help: 'Workers that were heard of in the last 10 seconds.',
  },
  yeeter_worker_slots: { type: 'gauge', labels: [], help: 'Jobs that the workers can handle at a time.' },
  yeeter_worker_busy_slots: { type: 'gauge', labels: [], help: 'Jobs that the workers have in hand.' },
  yeeter_live_sockets: { type: 'gauge', labels: [], help: 'Socket.IO connections of this process.' },
  yeeter_process_cpu_seconds_total: { type: 'counter', labels: [], help: 'CPU of this process.' },
  yeeter_process_memory_bytes: {
    type: 'gauge',
    labels: ['kind'],
    help: 'Memory of this process: resident, heap, external.',
  },
  yeeter_process_event_loop_delay_seconds: {
    type: 'gauge',
    labels: ['quantile'],
    help: 'How late the event loop was since the last scrape: 0.5, 0.99, 1.',
  },
  yeeter_process_start_time_seconds: {
    type: 'gauge',
    labels: [],
    help: 'When this process started, seconds since the epoch.',
  },
  yeeter_build_info: { type: 'gauge', labels: ['version', 'node'], help: 'Always 1.' },
} as const satisfies Record<string, { type: 'gauge' | 'counter'; labels: readonly string[]; help: string }>;

export type PrometheusMetric = keyof typeof PROMETHEUS_METRICS;
