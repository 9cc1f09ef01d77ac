import { type DurableBench, openDurableBench } from './durable.ts';
import { KILL_QUEUES } from './kill-scenarios.ts';
import { type PrivatePostgres, startPrivatePostgres } from './postgres.ts';
import { type PrivateRabbitmq, startPrivateRabbitmq } from './rabbitmq.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

export interface StruckServers extends AsyncDisposable {
  postgres: PrivatePostgres;
  rabbitmq: PrivateRabbitmq;
  /** Between the processes and the broker. */
  proxy: TcpProxy;
  bench: DurableBench;
}

/** A database, a broker behind a proxy, and what is played on them. */
export async function openStruckServers(options: { leaseMs?: number } = {}): Promise<StruckServers> {
  await using opened = new AsyncDisposableStack();
  const postgres = opened.use(await startPrivatePostgres());
  const rabbitmq = opened.use(await startPrivateRabbitmq({ management: false }));
  const proxy = opened.use(await startTcpProxy(rabbitmq.port));
  const bench = opened.use(
    await openDurableBench({
      databaseUrl: await postgres.createDatabase(),
      queueUrl: Object.assign(new URL(rabbitmq.url), { port: String(proxy.port) }).href,
      ownQueueUrl: rabbitmq.url,
      queues: KILL_QUEUES,
      ...options,
    }),
  );
  const all = opened.move();
  return { postgres, rabbitmq, proxy, bench, [Symbol.asyncDispose]: () => all.disposeAsync() };
}
