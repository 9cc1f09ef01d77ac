import type { Config } from '../config/config.ts';
import { YeeterError } from '../lib/errors.ts';
import type { Closeable } from '../lib/lifecycle.ts';

export interface ServeOptions {
  config: Config;
  host: string;
  /** 0 takes a free one. */
  port: number;
  /** Of the embedded shape. */
  dataDir: string;
  /** Workers at the start. */
  workers: number;
  log: (line: string) => void;
}

/** A server that runs. */
export interface Served extends Closeable {
  url: string;
  /** Without one, the first user who registers becomes administrator. */
  hasAdmin: boolean;
  /** Lines about where its things are. */
  about: readonly string[];
  /** Rejects when a part that it cannot do without has ended. */
  failed: Promise<never>;
}

/**
 * Serves in the shape that the configuration chooses.
 * @throws {YeeterError} CONFIG_INVALID when one of the two URLs is missing, PORT_IN_USE, STORAGE_LOCKED, CONNECT_*
 */
export async function serve(options: ServeOptions): Promise<Served> {
  const { rabbitmqUrl, databaseUrl } = options.config;
  if (rabbitmqUrl === null && databaseUrl === null) {
    const { serveEmbedded } = await import('./serve-embedded.ts');
    return await serveEmbedded(options);
  }
  if (rabbitmqUrl === null || databaseUrl === null) {
    const missing = rabbitmqUrl === null ? 'RABBITMQ_URL' : 'DATABASE_URL';
    const message = `${missing} is missing: set both it and the other for RabbitMQ and PostgreSQL, or neither`;
    throw new YeeterError('CONFIG_INVALID', message);
  }
  const { serveProcesses } = await import('./serve-processes.ts');
  return await serveProcesses(options);
}
