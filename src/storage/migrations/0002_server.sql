CREATE TABLE "deleted_runs" (
	"run_id" bigint PRIMARY KEY NOT NULL
);
--> statement-breakpoint
CREATE TABLE "run_totals_kept" (
	"run_id" bigint PRIMARY KEY NOT NULL,
	"totals" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "api_keys" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"user_id" bigint NOT NULL,
	"name" text NOT NULL,
	"prefix" text NOT NULL,
	"digest" text NOT NULL,
	"is_active" boolean DEFAULT true NOT NULL,
	"created_at_ms" bigint NOT NULL,
	"last_used_at_ms" bigint
);
--> statement-breakpoint
CREATE TABLE "audit_log" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"at_ms" bigint NOT NULL,
	"user_id" bigint,
	"username" text,
	"action" text NOT NULL,
	"object" text NOT NULL,
	"details" json NOT NULL,
	"address" text
);
--> statement-breakpoint
CREATE TABLE "endpoints" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"user_id" bigint NOT NULL,
	"name" text NOT NULL,
	"endpoint_type" text NOT NULL,
	"hostname" text NOT NULL,
	"port" integer NOT NULL,
	"ae_title" text,
	"calling_ae_title" text
);
--> statement-breakpoint
CREATE TABLE "generators" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"user_id" bigint NOT NULL,
	"name" text NOT NULL,
	"message_type" text NOT NULL,
	"content" text NOT NULL,
	"created_at_ms" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "listener_messages" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"received_at_ms" bigint NOT NULL,
	"message_type" text,
	"control_id" text,
	"sending_app" text,
	"raw_message" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "scaling_decisions" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"at_ms" bigint NOT NULL,
	"action" text NOT NULL,
	"actor" text NOT NULL,
	"reason" text,
	"queue_depth" bigint,
	"current_replicas" integer,
	"target_replicas" integer NOT NULL,
	"applied" boolean NOT NULL,
	"error" text,
	"expires_at_ms" bigint
);
--> statement-breakpoint
CREATE TABLE "settings" (
	"key" text PRIMARY KEY NOT NULL,
	"value" json NOT NULL
);
--> statement-breakpoint
CREATE TABLE "sim_templates" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"user_id" bigint NOT NULL,
	"name" text NOT NULL,
	"description" text,
	"settings" json NOT NULL,
	"created_at_ms" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "template_steps" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"template_id" bigint NOT NULL,
	"step_order" integer NOT NULL,
	"step_type" text NOT NULL,
	"parameters" json NOT NULL,
	"execution" text,
	"queue" text,
	"job_type" text,
	"retry" json,
	"metadata" json
);
--> statement-breakpoint
CREATE TABLE "users" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"username" text NOT NULL,
	"username_key" text NOT NULL,
	"email" text NOT NULL,
	"email_key" text NOT NULL,
	"password_hash" text NOT NULL,
	"is_admin" boolean NOT NULL,
	"created_at_ms" bigint NOT NULL
);
--> statement-breakpoint
DROP INDEX "job_attempts_dead";--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "template_id" bigint;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "template_name" text DEFAULT '' NOT NULL;--> statement-breakpoint
UPDATE "runs" SET "template_name" = CASE WHEN strpos("named"."name", '\u') > 0 THEN "named"."name" ELSE "named"."name"::json #>> '{}' END FROM (SELECT "id", substring("template"::text from '"name":\s*("(?:[^"\\]|\\.)*")') AS "name" FROM "runs") AS "named" WHERE "named"."id" = "runs"."id" AND "named"."name" IS NOT NULL;--> statement-breakpoint
ALTER TABLE "runs" ALTER COLUMN "template_name" DROP DEFAULT;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "queues" text[];--> statement-breakpoint
ALTER TABLE "template_steps" ADD CONSTRAINT "template_steps_template_id_sim_templates_id_fk" FOREIGN KEY ("template_id") REFERENCES "sim_templates"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "api_keys_by_digest" ON "api_keys" USING btree ("digest");--> statement-breakpoint
CREATE INDEX "api_keys_of_user" ON "api_keys" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "scaling_decisions_by_time" ON "scaling_decisions" USING btree ("at_ms");--> statement-breakpoint
CREATE INDEX "sim_templates_of_user" ON "sim_templates" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "template_steps_in_order" ON "template_steps" USING btree ("template_id","step_order");--> statement-breakpoint
CREATE UNIQUE INDEX "users_by_username" ON "users" USING btree ("username_key");--> statement-breakpoint
CREATE UNIQUE INDEX "users_by_email" ON "users" USING btree ("email_key");--> statement-breakpoint
ALTER TABLE "runs" ADD CONSTRAINT "runs_template_id_sim_templates_id_fk" FOREIGN KEY ("template_id") REFERENCES "sim_templates"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "job_attempts_failed" ON "job_attempts" USING btree ("id") WHERE "job_attempts"."outcome" <> 'success';--> statement-breakpoint
CREATE INDEX "runs_of_user" ON "runs" USING btree ("user_id","id");--> statement-breakpoint
CREATE INDEX "runs_of_template" ON "runs" USING btree ("template_id","id");