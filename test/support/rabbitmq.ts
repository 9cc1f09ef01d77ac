import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Closeable } from '../../src/lib/lifecycle.ts';
import { listens, onFreePort, type ServiceChild, startChild, temporaryFolder, untilReady } from './child.ts';

/** Names the broker that a whole test session shares: its AMQP and its management URL, with a space between. */
export const RABBITMQ_URL_VARIABLE = 'YEETER_TEST_RABBITMQ_URL';

export interface Rabbitmq extends Closeable {
  readonly host: string;
  readonly port: number;
  /** Of the default vhost; tests work in one of their own. */
  readonly url: string;
  /** Base of the management API, with credentials; null without the plugin. */
  readonly managementUrl: string | null;
  /** A new vhost and its URL; deleted on close. Needs the management plugin. */
  createVhost(): Promise<string>;
  /** The same vhost as a new user who may read and write its queues, and make none; deleted on close. */
  asReader(vhostUrl: string): Promise<string>;
}

/** A broker that a test may stop and start again, on the same ports and with the same data. */
export interface PrivateRabbitmq extends Rabbitmq {
  stop(signal?: NodeJS.Signals): Promise<void>;
  start(): Promise<void>;
}

export interface RabbitmqOptions {
  /** Doubles the time of the start. @default true */
  management?: boolean;
}

/** The broker of the test session, or one of our own when a test file runs alone. */
export async function startRabbitmq(): Promise<Rabbitmq> {
  const shared = process.env[RABBITMQ_URL_VARIABLE];
  if (shared === undefined) return startPrivateRabbitmq();
  const [url = '', managementUrl = ''] = shared.split(' ');
  return attach(url, managementUrl, async () => {});
}

/** What a broker that was killed was about to forward it forwards again after this; by default after three minutes. */
const FORWARD_AGAIN_MS = 5000;

const SERVER = '/usr/lib/rabbitmq/bin/rabbitmq-server';

interface Ports {
  amqp: number;
  distribution: number;
  epmd: number;
  management: number | null;
}

export async function startPrivateRabbitmq({
  management = true,
}: RabbitmqOptions = {}): Promise<PrivateRabbitmq> {
  const folder = temporaryFolder();
  const children: ServiceChild[] = [];
  const end = async (): Promise<void> => {
    // An orderly stop takes seconds, and nobody needs the data.
    for (const child of children.splice(0)) await child.stop('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    // The port mapper outlives the brokers that register with it.
    const epmd = await onFreePort(async (port) => {
      const child = startChild('/usr/bin/epmd', ['-port', String(port), '-address', '127.0.0.1']);
      await untilReady(child, () => listens(port));
      children.push(child);
      return port;
    });
    return await onFreePort((amqp) =>
      onFreePort((distribution) =>
        onFreePort(async (managementPort) => {
          const ports = { amqp, distribution, epmd, management: management ? managementPort : null };
          const launch = await prepare(folder, ports);
          let broker = await launch();
          children.unshift(broker);
          const address = `guest:guest@127.0.0.1`;
          const attached = attach(
            `amqp://${address}:${amqp}`,
            management ? `http://${address}:${managementPort}` : null,
            end,
          );
          return {
            ...attached,
            stop: (signal) => broker.stop(signal),
            start: async () => {
              broker = await launch();
              children.unshift(broker);
            },
          };
        }),
      ),
    );
  } catch (error) {
    await end();
    throw error;
  }
}

/**
 * Writes the settings; returns what starts a broker with them. A start that failed is tried again in a folder of its own:
 * what it left would make the next one take itself for an old broker, without quorum queues.
 */
async function prepare(parent: string, ports: Ports): Promise<() => Promise<ServiceChild>> {
  const folder = path.join(parent, String(ports.amqp));
  const at = (name: string): string => path.join(folder, name);
  for (const name of ['mnesia', 'generated']) mkdirSync(at(name), { recursive: true });
  writeFileSync(at('rabbitmq-env.conf'), '');
  writeFileSync(
    at('advanced.config'),
    `[{rabbit, [{dead_letter_worker_publisher_confirm_timeout, ${FORWARD_AGAIN_MS}}]}].\n`,
  );
  writeFileSync(at('enabled_plugins'), ports.management === null ? '[].\n' : '[rabbitmq_management].\n');
  const settings = ['vm_memory_high_watermark.absolute = 1GB', 'disk_free_limit.absolute = 50MB'];
  if (ports.management !== null) {
    settings.push('management.tcp.ip = 127.0.0.1', `management.tcp.port = ${ports.management}`);
  }
  writeFileSync(at('rabbitmq.conf'), `${settings.join('\n')}\n`);
  const env = {
    HOME: folder,
    // The server replaces its shell, so that signals and the death of this process reach it.
    RUNNING_UNDER_SYSTEMD: 'true',
    RABBITMQ_CONF_ENV_FILE: at('rabbitmq-env.conf'),
    RABBITMQ_NODENAME: `t${ports.amqp}@localhost`,
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_NODE_PORT: String(ports.amqp),
    RABBITMQ_DIST_PORT: String(ports.distribution),
    ERL_EPMD_PORT: String(ports.epmd),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_MNESIA_BASE: at('mnesia'),
    RABBITMQ_MNESIA_DIR: at('mnesia/node'),
    RABBITMQ_LOG_BASE: folder,
    RABBITMQ_LOGS: '-',
    RABBITMQ_ENABLED_PLUGINS_FILE: at('enabled_plugins'),
    RABBITMQ_CONFIG_FILE: at('rabbitmq.conf'),
    RABBITMQ_ADVANCED_CONFIG_FILE: at('advanced.config'),
    RABBITMQ_GENERATED_CONFIG_DIR: at('generated'),
    RABBITMQ_PID_FILE: at('pid'),
    RABBITMQ_ERLANG_COOKIE: randomBytes(12).toString('hex'),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1}',
  };
  return async () => {
    const child = startChild(SERVER, [], { cwd: folder, env });
    await untilReady(child, () => child.output().includes('Server startup complete'), 60_000);
    return child;
  };
}

function attach(url: string, managementUrl: string | null, stop: () => Promise<void>): Rabbitmq {
  const address = new URL(url);
  const created: string[] = [];
  const users: string[] = [];
  const manage = async (method: string, resource: string, body?: object): Promise<void> => {
    if (managementUrl === null) throw new Error('a vhost is made through the management plugin: start it');
    const base = new URL(managementUrl);
    const login = Buffer.from(`${base.username}:${base.password}`).toString('base64');
    const response = await fetch(`${base.origin}/api/${resource}`, {
      method,
      headers: { authorization: `Basic ${login}`, 'content-type': 'application/json' },
      body: body ? JSON.stringify(body) : null,
    });
    if (!response.ok) throw new Error(`${method} ${resource}: ${response.status} ${await response.text()}`);
  };
  let closing: Promise<void> | null = null;
  const close = async (): Promise<void> => {
    for (const name of created) await manage('DELETE', `vhosts/${name}`);
    for (const name of users) await manage('DELETE', `users/${name}`);
    await stop();
  };
  const closeOnce = (): Promise<void> => {
    closing ??= close();
    return closing;
  };
  return {
    host: address.hostname,
    port: Number(address.port),
    url,
    managementUrl,
    createVhost: async () => {
      const name = `test-${randomBytes(6).toString('hex')}`;
      await manage('PUT', `vhosts/${name}`);
      created.push(name);
      await manage('PUT', `permissions/${name}/guest`, { configure: '.*', write: '.*', read: '.*' });
      return Object.assign(new URL(url), { pathname: `/${name}` }).href;
    },
    asReader: async (vhostUrl) => {
      const reader = new URL(vhostUrl);
      reader.username = `reader-${randomBytes(6).toString('hex')}`;
      reader.password = randomBytes(6).toString('hex');
      await manage('PUT', `users/${reader.username}`, { password: reader.password, tags: '' });
      users.push(reader.username);
      const permissions = { configure: '^$', write: '.*', read: '.*' };
      await manage('PUT', `permissions${reader.pathname}/${reader.username}`, permissions);
      return reader.href;
    },
    close: closeOnce,
    [Symbol.asyncDispose]: closeOnce,
  };
}
