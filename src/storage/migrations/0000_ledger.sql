CREATE TABLE "deployment" (
	"id" uuid PRIMARY KEY NOT NULL,
	"seed" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "iterations" (
	"run_id" bigint NOT NULL,
	"iteration" integer NOT NULL,
	"outcome" text NOT NULL,
	"failed_step" integer,
	"error_code" text,
	"error" text,
	"ended_at_ms" bigint NOT NULL,
	"response_us" bigint NOT NULL,
	"sut_us" bigint NOT NULL,
	"own_us" bigint NOT NULL,
	"patient_id" text,
	"accession_number" text,
	"study_instance_uids" text[],
	"dicom_attempted_instances" bigint NOT NULL,
	"dicom_success_instances" bigint NOT NULL,
	"dicom_attempted_bytes" bigint NOT NULL,
	"dicom_success_bytes" bigint NOT NULL,
	"dicom_send_count" bigint NOT NULL,
	"dicom_send_sum_us" bigint NOT NULL,
	"dicom_send_min_us" bigint,
	"dicom_send_max_us" bigint,
	"dicom_throughput_sum_mbps" double precision NOT NULL,
	"dicom_throughput_min_mbps" double precision,
	"dicom_throughput_max_mbps" double precision,
	"dicom_throughput_count" bigint NOT NULL,
	"digest0" bigint NOT NULL,
	"digest1" bigint NOT NULL,
	"digest2" bigint NOT NULL,
	"digest3" bigint NOT NULL,
	"possibly_repeated" boolean NOT NULL,
	CONSTRAINT "iterations_run_id_iteration_pk" PRIMARY KEY("run_id","iteration")
);
--> statement-breakpoint
CREATE TABLE "job_attempts" (
	"run_id" bigint NOT NULL,
	"job_id" uuid NOT NULL,
	"attempt" integer NOT NULL,
	"id" bigserial NOT NULL,
	"queue" text NOT NULL,
	"job_type" text,
	"outcome" text NOT NULL,
	"error_code" text,
	"error" text,
	"duration_us" bigint NOT NULL,
	"queue_wait_us" bigint,
	"steps_executed" integer NOT NULL,
	"remaining_steps" integer NOT NULL,
	"patient_iteration" integer NOT NULL,
	"repeat_iteration" integer NOT NULL,
	"worker_id" text NOT NULL,
	"possibly_repeated" boolean NOT NULL,
	"created_at_ms" bigint NOT NULL,
	CONSTRAINT "job_attempts_run_id_job_id_attempt_pk" PRIMARY KEY("run_id","job_id","attempt")
);
--> statement-breakpoint
CREATE TABLE "jobs" (
	"run_id" bigint NOT NULL,
	"job_id" uuid NOT NULL,
	"outcome" text NOT NULL,
	"attempt" integer NOT NULL,
	CONSTRAINT "jobs_run_id_job_id_pk" PRIMARY KEY("run_id","job_id")
);
--> statement-breakpoint
CREATE TABLE "metric_windows" (
	"run_id" bigint NOT NULL,
	"second" bigint NOT NULL,
	"series" text NOT NULL,
	"process_id" text NOT NULL,
	"ok_count" bigint NOT NULL,
	"ok_sum_us" bigint NOT NULL,
	"ok_min_us" bigint,
	"ok_max_us" bigint,
	"failed_count" bigint NOT NULL,
	"failed_sum_us" bigint NOT NULL,
	"failed_min_us" bigint,
	"failed_max_us" bigint,
	"bytes" bigint NOT NULL,
	"ok_histogram" text,
	"failed_histogram" text,
	CONSTRAINT "metric_windows_run_id_second_series_process_id_pk" PRIMARY KEY("run_id","second","series","process_id")
);
--> statement-breakpoint
CREATE TABLE "namespaces" (
	"seed" bigint PRIMARY KEY NOT NULL,
	"next" integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE "process_health" (
	"run_id" bigint NOT NULL,
	"second" bigint NOT NULL,
	"process_id" text NOT NULL,
	"cpu_share" double precision NOT NULL,
	"loop_delay_p99_us" bigint NOT NULL,
	"loop_delay_max_us" bigint NOT NULL,
	"rss_bytes" bigint NOT NULL,
	"heap_used_bytes" bigint NOT NULL,
	"external_bytes" bigint NOT NULL,
	CONSTRAINT "process_health_run_id_second_process_id_pk" PRIMARY KEY("run_id","second","process_id")
);
--> statement-breakpoint
CREATE TABLE "queue_depths" (
	"run_id" bigint NOT NULL,
	"second" bigint NOT NULL,
	"queue" text NOT NULL,
	"ready" integer NOT NULL,
	"unacknowledged" integer NOT NULL,
	"consumers" integer NOT NULL,
	CONSTRAINT "queue_depths_run_id_second_queue_pk" PRIMARY KEY("run_id","second","queue")
);
--> statement-breakpoint
CREATE TABLE "run_events" (
	"run_id" bigint NOT NULL,
	"id" bigserial NOT NULL,
	"timestamp_ms" bigint NOT NULL,
	"step_order" integer NOT NULL,
	"iteration" integer NOT NULL,
	"status" text NOT NULL,
	"details" text NOT NULL,
	CONSTRAINT "run_events_run_id_id_pk" PRIMARY KEY("run_id","id")
);
--> statement-breakpoint
CREATE TABLE "runs" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"user_id" bigint,
	"status" text NOT NULL,
	"template" json NOT NULL,
	"seed" bigint NOT NULL,
	"namespace" integer NOT NULL,
	"clock_start_ms" bigint NOT NULL,
	"uid_root" text,
	"patient_count" integer NOT NULL,
	"concurrency" integer NOT NULL,
	"on_failure" text NOT NULL,
	"tags" json NOT NULL,
	"created_at_ms" bigint NOT NULL,
	"updated_at_ms" bigint NOT NULL,
	"started_at_ms" bigint,
	"completed_at_ms" bigint,
	"started_iterations" integer DEFAULT 0 NOT NULL,
	"cancel_requested" boolean DEFAULT false NOT NULL,
	"duplicate_count" integer DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE TABLE "targets" (
	"host" text NOT NULL,
	"port" integer NOT NULL,
	"ae_title" text,
	"owner" text NOT NULL,
	"expires_at_ms" bigint NOT NULL,
	"max_associations" integer NOT NULL,
	"max_messages_per_second" double precision,
	"max_bytes" bigint,
	CONSTRAINT "targets_host_port_pk" PRIMARY KEY("host","port")
);
--> statement-breakpoint
CREATE INDEX "job_attempts_in_order" ON "job_attempts" USING btree ("run_id","id");