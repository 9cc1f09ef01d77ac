import type { StoredWorker } from '../../storage/coordination-port.ts';
import { at } from '../time.ts';

/** A worker beats every 2 s; one whose second beat is overdue may have been killed. */
const OVERDUE_MS = 5000;

/** As it told of itself; its state is `silent` when it has not for a while. @param nowMs of the ledger's clock */
export function workerToWire(worker: StoredWorker, nowMs: number) {
  const ageMs = Math.max(0, nowMs - worker.lastSeenAtMs);
  return {
    worker_id: worker.workerId,
    host: worker.host,
    pid: worker.pid,
    version: worker.version,
    queues: [...worker.queues],
    concurrency: worker.concurrency,
    busy: worker.busy,
    jobs: worker.jobs,
    state: ageMs > OVERDUE_MS ? 'silent' : worker.state,
    started_at: at(worker.startedAtMs),
    last_seen_at: at(worker.lastSeenAtMs),
    heartbeat_age_seconds: Math.round(ageMs / 100) / 10,
  };
}
