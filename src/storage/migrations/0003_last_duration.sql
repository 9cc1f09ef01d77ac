ALTER TABLE "metric_windows" ADD COLUMN "ok_last_us" bigint;
--> statement-breakpoint
-- Added up before this was known; the next question adds them up again.
DELETE FROM "run_totals_kept";
