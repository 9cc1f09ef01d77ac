CREATE TABLE "endpoint_bytes" (
	"run_id" bigint NOT NULL,
	"address" text NOT NULL,
	"taken" bigint NOT NULL,
	CONSTRAINT "endpoint_bytes_run_id_address_pk" PRIMARY KEY("run_id","address")
);
--> statement-breakpoint
CREATE TABLE "endpoint_shares" (
	"address" text NOT NULL,
	"holder" text NOT NULL,
	"wanted" integer NOT NULL,
	"connections" integer NOT NULL,
	"per_second" double precision NOT NULL,
	"turn_ms" double precision NOT NULL,
	"since_ms" double precision NOT NULL,
	"expires_at_ms" double precision NOT NULL,
	CONSTRAINT "endpoint_shares_address_holder_pk" PRIMARY KEY("address","holder")
);
