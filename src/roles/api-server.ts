import type { AddressInfo } from 'node:net';
import { createApi, DEFAULT_SETTINGS } from '../api/app.ts';
import type { ApiDeps } from '../api/deps.ts';
import { createLive } from '../api/live/create-live.ts';
import { createSystemState } from '../api/live/system-state.ts';
import { metricsRoute } from '../api/prometheus/metrics-route.ts';
import { createPrometheus } from '../api/prometheus/prometheus.ts';
import type { Config } from '../config/config.ts';
import { networkError } from '../lib/errors.ts';
import type { Closeable } from '../lib/lifecycle.ts';

export interface ApiServerOptions extends Omit<ApiDeps, 'settings'> {
  config: Config;
  jwtSecret: string;
  host: string;
  /** 0 takes a free one. */
  port: number;
}

export interface ApiServer extends Closeable {
  /** `http://HOST:PORT` */
  url: string;
  port: number;
}

/** REST, live events and metrics on one port. @throws {YeeterError} PORT_IN_USE and its kin */
export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { config, store, queues, live, clock, log, host } = options;
  const now = (): number => clock.monotonicUs() / 1000;
  const api = await createApi({
    ...options,
    settings: {
      ...DEFAULT_SETTINGS,
      jwtSecret: options.jwtSecret,
      jwtExpiresHours: config.jwtExpiresHours,
      registrationOpen: config.registrationOpen,
      corsOrigins: config.corsOrigins,
      trustProxy: config.trustProxy,
      listenerHost: host,
    },
  });
  const systemState = createSystemState({ store, queues, clock, log });
  const sockets = createLive({
    server: api.app.server,
    store,
    live,
    signIn: api.signIn,
    authenticate: api.authenticate,
    mayWatch: api.mayWatch,
    systemState,
    origins: config.corsOrigins,
    clock,
    log,
  });
  const prometheus = createPrometheus({
    store,
    systemState,
    sockets: () => sockets.sockets,
    now,
    log,
  });
  await api.app.register(metricsRoute, { prometheus, access: config.metricsAccess, isAdmin: api.isAdmin });

  let closing: Promise<void> | null = null;
  const close = (): Promise<void> => {
    closing ??= (async () => {
      await sockets.close();
      await api.close();
      await prometheus.close();
    })();
    return closing;
  };
  try {
    await api.app.listen({ host, port: options.port });
  } catch (error) {
    await close();
    throw networkError(error, `HTTP on ${host}:${options.port}`);
  }
  const { port } = api.app.server.address() as AddressInfo;
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  return { url, port, close, [Symbol.asyncDispose]: close };
}
