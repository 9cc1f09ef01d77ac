-- Ledgers of one process were added up when they were asked; their runs have no sums yet.
CREATE TEMPORARY TABLE unsummed ON COMMIT DROP AS
SELECT id AS run_id FROM runs r WHERE NOT EXISTS (
  SELECT FROM run_sums s WHERE s.run_id = r.id AND s.jobs + s.attempts + s.completed + s.failed + s.cancelled > 0
);
--> statement-breakpoint
INSERT INTO run_sums (run_id, slot) SELECT run_id, 0 FROM unsummed ON CONFLICT DO NOTHING;
--> statement-breakpoint
UPDATE run_sums SET
  attempts = added.attempts, attempts_succeeded = added.attempts_succeeded,
  attempt_duration_sum_us = added.attempt_duration_sum_us, attempt_duration_min_us = added.attempt_duration_min_us,
  attempt_duration_max_us = added.attempt_duration_max_us
FROM (
  SELECT run_id,
    count(*) AS attempts, count(*) filter (where outcome = 'success') AS attempts_succeeded,
    coalesce(sum(duration_us), 0) AS attempt_duration_sum_us, min(duration_us) AS attempt_duration_min_us,
    max(duration_us) AS attempt_duration_max_us
  FROM job_attempts JOIN unsummed USING (run_id) GROUP BY run_id
) added WHERE run_sums.run_id = added.run_id AND slot = 0;
--> statement-breakpoint
UPDATE run_sums SET
  jobs = added.jobs, jobs_succeeded = added.jobs_succeeded, jobs_dead = added.jobs_dead
FROM (
  SELECT run_id,
    count(*) AS jobs, count(*) filter (where outcome = 'success') AS jobs_succeeded,
    count(*) filter (where outcome = 'dead') AS jobs_dead
  FROM jobs JOIN unsummed USING (run_id) GROUP BY run_id
) added WHERE run_sums.run_id = added.run_id AND slot = 0;
--> statement-breakpoint
UPDATE run_sums SET
  completed = added.completed, failed = added.failed, cancelled = added.cancelled, sut_us = added.sut_us,
  own_us = added.own_us, studies_stored = added.studies_stored,
  dicom_attempted_instances = added.dicom_attempted_instances,
  dicom_success_instances = added.dicom_success_instances, dicom_attempted_bytes = added.dicom_attempted_bytes,
  dicom_success_bytes = added.dicom_success_bytes, dicom_send_count = added.dicom_send_count,
  dicom_send_sum_us = added.dicom_send_sum_us, dicom_send_min_us = added.dicom_send_min_us,
  dicom_send_max_us = added.dicom_send_max_us, dicom_throughput_sum_mbps = added.dicom_throughput_sum_mbps,
  dicom_throughput_min_mbps = added.dicom_throughput_min_mbps,
  dicom_throughput_max_mbps = added.dicom_throughput_max_mbps, dicom_throughput_count = added.dicom_throughput_count,
  digest0 = added.digest0, digest1 = added.digest1, digest2 = added.digest2, digest3 = added.digest3
FROM (
  SELECT run_id,
    count(*) filter (where outcome = 'completed') AS completed, count(*) filter (where outcome = 'failed') AS failed,
    count(*) filter (where outcome = 'cancelled') AS cancelled, coalesce(sum(sut_us), 0) AS sut_us,
    coalesce(sum(own_us), 0) AS own_us,
    coalesce(sum(cardinality(study_instance_uids)) filter (where outcome = 'completed' and dicom_success_instances > 0), 0) AS studies_stored,
    coalesce(sum(dicom_attempted_instances), 0) AS dicom_attempted_instances,
    coalesce(sum(dicom_success_instances), 0) AS dicom_success_instances,
    coalesce(sum(dicom_attempted_bytes), 0) AS dicom_attempted_bytes,
    coalesce(sum(dicom_success_bytes), 0) AS dicom_success_bytes,
    coalesce(sum(dicom_send_count), 0) AS dicom_send_count, coalesce(sum(dicom_send_sum_us), 0) AS dicom_send_sum_us,
    min(dicom_send_min_us) AS dicom_send_min_us, max(dicom_send_max_us) AS dicom_send_max_us,
    coalesce(sum(dicom_throughput_sum_mbps), 0) AS dicom_throughput_sum_mbps,
    min(dicom_throughput_min_mbps) AS dicom_throughput_min_mbps,
    max(dicom_throughput_max_mbps) AS dicom_throughput_max_mbps,
    coalesce(sum(dicom_throughput_count), 0) AS dicom_throughput_count, coalesce(sum(digest0), 0) AS digest0,
    coalesce(sum(digest1), 0) AS digest1, coalesce(sum(digest2), 0) AS digest2, coalesce(sum(digest3), 0) AS digest3
  FROM iterations JOIN unsummed USING (run_id) GROUP BY run_id
) added WHERE run_sums.run_id = added.run_id AND slot = 0;
