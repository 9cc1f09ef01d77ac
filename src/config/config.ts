import { z } from 'zod';
import { YeeterError } from '../lib/errors.ts';
import { redact } from '../lib/redact.ts';

const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d+$/, 'is not a whole number')
    .transform(Number)
    .refine((value) => value >= min && value <= max, `is not between ${min} and ${max}`);

const urlWith = (...protocols: readonly string[]) =>
  z.string().refine(
    (text) => {
      const url = URL.parse(text);
      return url !== null && protocols.includes(url.protocol);
    },
    `is not a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
  );

/** Environment variables, with their defaults. An empty variable counts as absent. */
const ENVIRONMENT = z.object({
  RABBITMQ_URL: urlWith('amqp:', 'amqps:').optional(),
  DATABASE_URL: urlWith('postgres:', 'postgresql:').optional(),
  /** With credentials; it tells rates and what all consumers hold. */
  RABBITMQ_MANAGEMENT_URL: urlWith('http:', 'https:').optional(),
  RABBITMQ_ORDER_QUEUE: z.string().min(1).max(200).optional(),
  /** Jobs that one queue holds; further publishes are rejected. */
  RABBITMQ_QUEUE_MAX_LENGTH: wholeNumber(1, 1_000_000_000).default(1_000_000),
  /** Unacknowledged deliveries of each queue of a worker. */
  WORKER_PREFETCH: wholeNumber(1, 65_535).default(32),
  /** Jobs that a worker handles at a time. */
  WORKER_CONCURRENCY: wholeNumber(1, 4096).default(8),
  /** How long a worker that is asked to stop may finish what it has begun, milliseconds. */
  WORKER_GRACE_MS: wholeNumber(0, 3_600_000).default(10_000),
  /** `json`: a line on standard output for each thing that is measured. */
  YEETER_METRIC_LOG: z.enum(['json', 'off'], 'is not json or off').default('off'),
  /** Who may scrape the server's metrics: `auto` is this machine and administrators. */
  YEETER_METRICS: z.enum(['auto', 'open', 'closed'], 'is not auto, open or closed').default('auto'),
  /** The server that the remote commands talk to. */
  YEETER_API_URL: urlWith('http:', 'https:').optional(),
  /** Credentials of the remote commands, before those of the file. */
  YEETER_API_KEY: z.string().optional(),
  /** File of the remote commands' credentials. */
  YEETER_CONFIG_PATH: z.string().optional(),
});

export interface Config {
  rabbitmqUrl: string | null;
  rabbitmqManagementUrl: string | null;
  databaseUrl: string | null;
  /** Null means the default queue of templates. */
  orderQueue: string | null;
  queueMaxLength: number;
  workerPrefetch: number;
  workerConcurrency: number;
  workerGraceMs: number;
  metricLog: boolean;
  metricsAccess: 'auto' | 'open' | 'closed';
  apiUrl: string | null;
  apiKey: string | null;
  /** Null means `~/.yeeter/config.json`. */
  configPath: string | null;
}

/**
 * Reads the environment once; nothing else does.
 * @param overrides flags of the command line, by variable name; they win
 * @throws {YeeterError} CONFIG_INVALID with all faults, secrets masked
 */
export function loadConfig(
  overrides: Readonly<Partial<Record<keyof z.input<typeof ENVIRONMENT>, string | undefined>>> = {},
  environment: NodeJS.ProcessEnv = process.env,
): Readonly<Config> {
  const given = Object.fromEntries(
    Object.entries({ ...environment, ...dropUndefined(overrides) }).filter(([, value]) => value !== ''),
  );
  const parsed = ENVIRONMENT.safeParse(given);
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => {
      const name = String(issue.path[0]);
      return `  ${name} "${redact(given[name] ?? '')}" ${issue.message}`;
    });
    throw new YeeterError('CONFIG_INVALID', ['the configuration has faults:', ...faults].join('\n'));
  }
  const values = parsed.data;
  return Object.freeze({
    rabbitmqUrl: values.RABBITMQ_URL ?? null,
    rabbitmqManagementUrl: values.RABBITMQ_MANAGEMENT_URL ?? null,
    databaseUrl: values.DATABASE_URL ?? null,
    orderQueue: values.RABBITMQ_ORDER_QUEUE ?? null,
    queueMaxLength: values.RABBITMQ_QUEUE_MAX_LENGTH,
    workerPrefetch: values.WORKER_PREFETCH,
    workerConcurrency: values.WORKER_CONCURRENCY,
    workerGraceMs: values.WORKER_GRACE_MS,
    metricLog: values.YEETER_METRIC_LOG === 'json',
    metricsAccess: values.YEETER_METRICS,
    apiUrl: values.YEETER_API_URL ?? null,
    apiKey: values.YEETER_API_KEY ?? null,
    configPath: values.YEETER_CONFIG_PATH ?? null,
  });
}

function dropUndefined<T extends object>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>;
}
