CREATE TABLE "ledger_writers" (
	"id" uuid PRIMARY KEY NOT NULL,
	"batch" bigint NOT NULL,
	"written_at_ms" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "queue_modes" (
	"queue" text PRIMARY KEY NOT NULL,
	"mode" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "run_sums" (
	"run_id" bigint NOT NULL,
	"slot" integer NOT NULL,
	"completed" bigint DEFAULT 0 NOT NULL,
	"failed" bigint DEFAULT 0 NOT NULL,
	"cancelled" bigint DEFAULT 0 NOT NULL,
	"sut_us" bigint DEFAULT 0 NOT NULL,
	"own_us" bigint DEFAULT 0 NOT NULL,
	"studies_stored" bigint DEFAULT 0 NOT NULL,
	"dicom_attempted_instances" bigint DEFAULT 0 NOT NULL,
	"dicom_success_instances" bigint DEFAULT 0 NOT NULL,
	"dicom_attempted_bytes" bigint DEFAULT 0 NOT NULL,
	"dicom_success_bytes" bigint DEFAULT 0 NOT NULL,
	"dicom_send_count" bigint DEFAULT 0 NOT NULL,
	"dicom_send_sum_us" bigint DEFAULT 0 NOT NULL,
	"dicom_send_min_us" bigint,
	"dicom_send_max_us" bigint,
	"dicom_throughput_sum_mbps" double precision DEFAULT 0 NOT NULL,
	"dicom_throughput_min_mbps" double precision,
	"dicom_throughput_max_mbps" double precision,
	"dicom_throughput_count" bigint DEFAULT 0 NOT NULL,
	"digest0" numeric DEFAULT '0' NOT NULL,
	"digest1" numeric DEFAULT '0' NOT NULL,
	"digest2" numeric DEFAULT '0' NOT NULL,
	"digest3" numeric DEFAULT '0' NOT NULL,
	"jobs" bigint DEFAULT 0 NOT NULL,
	"jobs_succeeded" bigint DEFAULT 0 NOT NULL,
	"jobs_dead" bigint DEFAULT 0 NOT NULL,
	"attempts" bigint DEFAULT 0 NOT NULL,
	"attempts_succeeded" bigint DEFAULT 0 NOT NULL,
	"attempt_duration_sum_us" bigint DEFAULT 0 NOT NULL,
	"attempt_duration_min_us" bigint,
	"attempt_duration_max_us" bigint,
	"duplicates" bigint DEFAULT 0 NOT NULL,
	"requeued" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "run_sums_run_id_slot_pk" PRIMARY KEY("run_id","slot")
);
--> statement-breakpoint
CREATE TABLE "workers" (
	"worker_id" text PRIMARY KEY NOT NULL,
	"host" text NOT NULL,
	"pid" integer NOT NULL,
	"version" text NOT NULL,
	"queues" json NOT NULL,
	"concurrency" integer NOT NULL,
	"busy" integer NOT NULL,
	"jobs" bigint NOT NULL,
	"state" text NOT NULL,
	"started_at_ms" bigint NOT NULL,
	"last_seen_at_ms" bigint NOT NULL
);
--> statement-breakpoint
ALTER TABLE "jobs" ALTER COLUMN "outcome" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "jobs" ALTER COLUMN "attempt" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "jobs" ADD COLUMN "iteration" integer;--> statement-breakpoint
ALTER TABLE "jobs" ADD COLUMN "segment" integer;--> statement-breakpoint
ALTER TABLE "jobs" ADD COLUMN "queue" text;--> statement-breakpoint
ALTER TABLE "jobs" ADD COLUMN "job_type" text;--> statement-breakpoint
ALTER TABLE "jobs" ADD COLUMN "published_at_ms" bigint;--> statement-breakpoint
ALTER TABLE "jobs" ADD COLUMN "requeues" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "endpoints" json DEFAULT '{}'::json NOT NULL;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "limits" json DEFAULT '{}'::json NOT NULL;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "fence" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "runner_id" text;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "lease_expires_at_ms" bigint;--> statement-breakpoint
CREATE INDEX "iterations_failed" ON "iterations" USING btree ("run_id") WHERE "iterations"."outcome" = 'failed';--> statement-breakpoint
CREATE INDEX "iterations_repeated" ON "iterations" USING btree ("run_id","iteration") WHERE "iterations"."possibly_repeated";--> statement-breakpoint
CREATE INDEX "job_attempts_dead" ON "job_attempts" USING btree ("id") WHERE "job_attempts"."outcome" = 'dead';--> statement-breakpoint
CREATE INDEX "job_attempts_repeated" ON "job_attempts" USING btree ("run_id","patient_iteration") WHERE "job_attempts"."possibly_repeated";--> statement-breakpoint
CREATE INDEX "runs_not_over" ON "runs" USING btree ("id") WHERE "runs"."completed_at_ms" is null;--> statement-breakpoint
INSERT INTO "run_sums" ("run_id", "slot", "duplicates") SELECT "id", 0, "duplicate_count" FROM "runs" WHERE "duplicate_count" > 0;--> statement-breakpoint
ALTER TABLE "runs" DROP COLUMN "duplicate_count";