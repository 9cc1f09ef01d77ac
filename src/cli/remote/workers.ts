import { z } from 'zod';
import { describe, type OutputFormat, printJson, printListing, say } from './output.ts';
import { openClient, type ServerFlags } from './session.ts';

const ROWS = z.array(z.looseObject({ queues: z.array(z.string()).nullish() }));
const WORKERS = z.union([ROWS, z.object({ workers: ROWS }).transform(({ workers }) => workers)]);

const FIELDS = z.looseObject({});
const SCALED = z.looseObject({ config: FIELDS, status: FIELDS, decision: FIELDS.nullish() });

export async function listWorkers(flags: ServerFlags & { format: OutputFormat }): Promise<void> {
  const client = await openClient(flags);
  const workers = await client.json(WORKERS, { path: '/api/admin/workers' });
  const columns = [
    'worker_id',
    'host',
    'pid',
    'state',
    'busy',
    'concurrency',
    'jobs',
    'started_at',
    'last_seen_at',
    'heartbeat_age_seconds',
    'queues',
  ];
  const empty = 'no worker is alive: start one with "yeeter worker"';
  const rows = workers.map((worker) => ({ ...worker, queues: worker.queues?.join(', ') }));
  await printListing({ raw: workers, rows, columns, empty }, flags.format);
}

export interface ScaleFlags extends ServerFlags {
  format: 'table' | 'json';
  reason?: string;
  ttl?: number;
  dryRun: boolean;
}

export async function scaleWorkers(replicas: number, flags: ScaleFlags): Promise<void> {
  const client = await openClient(flags);
  const scaled = await client.json(SCALED, {
    method: 'POST',
    path: '/api/admin/workers/scale',
    body: {
      replicas,
      ...(flags.reason === undefined ? {} : { reason: flags.reason }),
      ...(flags.ttl === undefined ? {} : { ttl_seconds: flags.ttl }),
      ...(flags.dryRun ? { dry_run: true } : {}),
    },
  });
  if (flags.format === 'json') return printJson(scaled);
  say(flags.dryRun ? 'nothing was changed; this is what would be:' : 'the workers are scaled:');
  say(describe(named(scaled.decision ?? scaled.status)));
}

export async function scalingStatus(flags: ServerFlags & { format: 'table' | 'json' }): Promise<void> {
  const client = await openClient(flags);
  const scaling = await client.json(SCALED, { path: '/api/admin/worker/autoscaler' });
  if (flags.format === 'json') return printJson(scaling);
  say(describe([...named(scaling.status), ...named(scaling.config)]));
}

function named(fields: Readonly<Record<string, unknown>>): [string, unknown][] {
  return Object.entries(fields).map(([name, value]) => [name.replaceAll('_', ' '), value]);
}
