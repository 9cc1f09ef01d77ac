import { createCached } from '../../lib/cached.ts';
import type { Clock } from '../../lib/clock.ts';
import { VERSION } from '../../lib/version.ts';
import type { ServerStore } from '../../storage/server-port.ts';
import type { HealthCheck } from '../deps.ts';
import type { Handlers } from '../http/handlers.ts';
import { within } from '../http/within.ts';
import { at } from '../time.ts';

export interface SystemRoutesDeps {
  store: Pick<ServerStore, 'control'>;
  brokerHealth: HealthCheck;
  clock: Clock;
  openApi: Record<string, unknown>;
}

/** What does not answer by then is not well. */
const PATIENCE_MS = 5000;
/** The database is asked so often, however many want to know. */
const HOLDS_MS = 1000;

async function isWell(check: () => Promise<unknown>): Promise<boolean> {
  return await within(PATIENCE_MS, check()).then(
    () => true,
    () => false,
  );
}

type Names = 'health' | 'liveness' | 'readiness' | 'openapi';

export function createSystemRoutes(deps: SystemRoutesDeps): Pick<Handlers, Names> {
  const now = (): number => performance.now();
  const databaseHealth = createCached(() => deps.store.control(), { ttlMs: HOLDS_MS, now });
  const health = async () => {
    const [database, broker] = await Promise.all([isWell(databaseHealth), isWell(deps.brokerHealth)]);
    const connected = (is: boolean) => (is ? ('connected' as const) : ('disconnected' as const));
    const body = { database: connected(database), broker: connected(broker), version: VERSION };
    return database && broker
      ? { status: 200 as const, body: { status: 'healthy' as const, ...body } }
      : { status: 503 as const, body: { status: 'unhealthy' as const, ...body } };
  };
  return {
    health,
    readiness: health,
    liveness: async () => ({ status: 200, body: { status: 'alive', at: at(deps.clock.nowMs()) } }),
    openapi: async () => ({ status: 200, body: deps.openApi }),
  };
}
