import type { Config } from '../config/config.ts';
import { YeeterError } from '../lib/errors.ts';

const MISSING = {
  databaseUrl:
    'DATABASE_URL is missing: this command works on PostgreSQL; set it or give --database-url, ' +
    'for example postgres://yeeter@127.0.0.1:5432/yeeter',
  rabbitmqUrl:
    'RABBITMQ_URL is missing: this command works on RabbitMQ; set it or give --queue-url, ' +
    'for example amqp://guest:guest@127.0.0.1:5672',
  jwtSecret:
    'JWT_SECRET_KEY is missing: tokens cannot be signed; ' +
    'set it to at least 32 random characters, the same for every api process',
} as const satisfies Partial<Record<keyof Config, string>>;

type Setting = keyof typeof MISSING;

/** What a command cannot do without. @throws {YeeterError} CONFIG_INVALID with all that is missing */
export function requireSettings<Name extends Setting>(
  config: Pick<Config, Name>,
  names: readonly Name[],
): Record<Name, string> {
  const missing = names.filter((name) => config[name] === null);
  if (missing.length === 0) return config as Record<Name, string>;
  const faults = missing.map((name) => `  ${MISSING[name]}`);
  throw new YeeterError('CONFIG_INVALID', ['the configuration has faults:', ...faults].join('\n'));
}
