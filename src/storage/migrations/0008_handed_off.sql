CREATE TABLE "handed_off" (
	"run_id" bigint NOT NULL,
	"page" integer NOT NULL,
	"iterations" bit(1024) NOT NULL,
	CONSTRAINT "handed_off_run_id_page_pk" PRIMARY KEY("run_id","page")
);
--> statement-breakpoint
ALTER TABLE "run_sums" ADD COLUMN "jobs_handed_on" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
-- What is under way: which patients were handed off was told by the rows of their jobs.
INSERT INTO handed_off (run_id, page, iterations)
SELECT run_id, iteration / 1024, bit_or(set_bit(repeat('0', 1024)::bit(1024), iteration % 1024, 1))
FROM jobs JOIN runs ON runs.id = jobs.run_id
WHERE iteration IS NOT NULL AND completed_at_ms IS NULL GROUP BY run_id, iteration / 1024;
--> statement-breakpoint
-- A row of "jobs" was written twice, and its pages had room for that.
ALTER TABLE "jobs" RESET (fillfactor);--> statement-breakpoint
ALTER TABLE "jobs" DROP COLUMN "iteration";--> statement-breakpoint
ALTER TABLE "jobs" DROP COLUMN "segment";--> statement-breakpoint
ALTER TABLE "jobs" DROP COLUMN "queue";--> statement-breakpoint
ALTER TABLE "jobs" DROP COLUMN "job_type";--> statement-breakpoint
ALTER TABLE "jobs" DROP COLUMN "published_at_ms";