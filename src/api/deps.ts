import type { Scaling } from '../autoscaler/port.ts';
import type { Clock } from '../lib/clock.ts';
import type { LivePort } from '../live/port.ts';
import type { QueueAdmin } from '../queue/admin-port.ts';
import type { ServerStore } from '../storage/server-port.ts';
import type { ApiSettings } from './settings.ts';

/** A part that the server stands on; it is well when it resolves. */
export type HealthCheck = () => Promise<void>;

export interface ApiDeps {
  store: ServerStore;
  live: LivePort;
  queues: QueueAdmin;
  scaling: Scaling;
  settings: ApiSettings;
  clock: Clock;
  /** Lines for the operator; secrets are never among them. */
  log: (line: string) => void;
  /** Whether the broker answers. The database is asked through the store. */
  brokerHealth: HealthCheck;
  /** Receivers of ours: runs against nothing else have a fixed virtual clock. */
  isBuiltInSink: (address: { hostname: string; port: number }) => boolean;
}
