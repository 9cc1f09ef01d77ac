import { z } from 'zod';
import { YeeterError } from '../lib/errors.ts';
import { isQueueName, QUEUE_NAME_RULE } from '../lib/queue-name.ts';

const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d+$/, 'is not a whole number')
    .transform(Number)
    .refine((value) => value >= min && value <= max, `is not between ${min} and ${max}`);

const MAX_PORT = 65_535;

function urlFault(text: string, protocols: readonly string[]): string | null {
  const begins = protocols.map((protocol) => `${protocol}//`);
  if (!begins.some((begin) => text.toLowerCase().startsWith(begin))) {
    return `is not a URL that begins with ${begins.join(' or ')}`;
  }
  if (URL.canParse(text)) return null;
  const port = /:(\d+)([/?#]|$)/.exec(text.slice(text.lastIndexOf('@') + 1))?.[1];
  if (Number(port) > MAX_PORT) return `has port ${port}: the highest is ${MAX_PORT}`;
  const todo = 'write what user and password hold beside letters and digits as % and two hexadecimal digits';
  return `cannot be read as a URL: ${todo} ("/" is %2F)`;
}

const urlWith = (...protocols: readonly string[]) =>
  z.string().superRefine((text, { addIssue }) => {
    const fault = urlFault(text, protocols);
    if (fault !== null) addIssue(fault);
  });

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** What reads it takes a lone "%" for a fault; the database's driver does not. */
const decodableUrlWith = (...protocols: readonly string[]) =>
  urlWith(...protocols).refine(isDecodable, 'has a "%" that begins no character: write it as %25');

/** Environment variables, with their defaults. An empty variable counts as absent. */
const ENVIRONMENT = z.object({
  RABBITMQ_URL: decodableUrlWith('amqp:', 'amqps:').optional(),
  DATABASE_URL: urlWith('postgres:', 'postgresql:').optional(),
  /** With credentials; it tells rates and what all consumers hold. */
  RABBITMQ_MANAGEMENT_URL: decodableUrlWith('http:', 'https:').optional(),
  RABBITMQ_ORDER_QUEUE: z.string().trim().refine(isQueueName, `is not ${QUEUE_NAME_RULE}`).optional(),
  /** Jobs that one queue holds; further publishes are rejected. */
  RABBITMQ_QUEUE_MAX_LENGTH: wholeNumber(1, 1_000_000_000).default(1_000_000),
  /** Unacknowledged deliveries of each queue of a worker. */
  WORKER_PREFETCH: wholeNumber(1, 65_535).default(32),
  /** Jobs that a worker handles at a time. */
  WORKER_CONCURRENCY: wholeNumber(1, 4096).default(8),
  /** How long a worker that is asked to stop may finish what it has begun, milliseconds. */
  WORKER_GRACE_MS: wholeNumber(0, 3_600_000).default(10_000),
  /** Signs the server's tokens. The embedded shape makes one of its own where none is given. */
  JWT_SECRET_KEY: z.string().min(32, 'is shorter than 32 characters').optional(),
  JWT_ACCESS_TOKEN_EXPIRES_HOURS: wholeNumber(1, 8760).default(24),
  /** The administrator who is made when the server has no user yet. */
  YEETER_ADMIN_USER: z
    .string()
    .min(3, 'is shorter than 3 characters')
    .max(50, 'is longer than 50')
    .optional(),
  YEETER_ADMIN_PASSWORD: z.string().min(8, 'is shorter than 8 characters').optional(),
  YEETER_ADMIN_EMAIL: z.email('is no mail address').optional(),
  /** `closed`: only administrators' accounts and those that exist. */
  YEETER_REGISTRATION: z.enum(['open', 'closed'], 'is not open or closed').default('open'),
  /** Origins of browsers, separated by commas; `*` is any. */
  YEETER_CORS_ORIGINS: z.string().default('*'),
  /** `true`: clients are known by the headers of the proxy in front. */
  YEETER_TRUST_PROXY: z.enum(['true', 'false'], 'is not true or false').default('false'),
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

const SECRETS: ReadonlySet<string> = new Set(['JWT_SECRET_KEY', 'YEETER_ADMIN_PASSWORD']);
/** Also of a URL that cannot be read, whose password may hold any character. */
const PASSWORD = /(:\/\/[^/:@]*):.*@/;

export type Setting = keyof z.input<typeof ENVIRONMENT>;

/** @param called the variable, or the option that stands for it */
function faultLine(called: string, text: string, { message }: { message: string }): string {
  const shown = SECRETS.has(called) ? '***' : text.replace(PASSWORD, '$1:***@');
  return `${called} "${shown}" ${message}`;
}

/** Checks a setting that comes by an option. @throws {YeeterError} CONFIG_INVALID with passwords masked */
export function checkSetting(setting: Setting, option: string, text: string): void {
  if (text === '') return;
  const [issue] = ENVIRONMENT.shape[setting].safeParse(text).error?.issues ?? [];
  if (issue) throw new YeeterError('CONFIG_INVALID', faultLine(option, text, issue));
}

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
  jwtSecret: string | null;
  jwtExpiresHours: number;
  /** Null when either of name and password is missing. */
  firstAdmin: { username: string; password: string; email: string } | null;
  registrationOpen: boolean;
  corsOrigins: readonly string[] | '*';
  trustProxy: boolean;
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
  overrides: Readonly<Partial<Record<Setting, string | undefined>>> = {},
  environment: NodeJS.ProcessEnv = process.env,
): Readonly<Config> {
  const given = Object.fromEntries(
    Object.entries({ ...environment, ...dropUndefined(overrides) }).filter(([, value]) => value !== ''),
  );
  const parsed = ENVIRONMENT.safeParse(given);
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => {
      const name = String(issue.path[0]);
      return `  ${faultLine(name, given[name] ?? '', issue)}`;
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
    jwtSecret: values.JWT_SECRET_KEY ?? null,
    jwtExpiresHours: values.JWT_ACCESS_TOKEN_EXPIRES_HOURS,
    firstAdmin: firstAdminOf(values),
    registrationOpen: values.YEETER_REGISTRATION === 'open',
    corsOrigins: originsOf(values.YEETER_CORS_ORIGINS),
    trustProxy: values.YEETER_TRUST_PROXY === 'true',
    metricLog: values.YEETER_METRIC_LOG === 'json',
    metricsAccess: values.YEETER_METRICS,
    apiUrl: values.YEETER_API_URL ?? null,
    apiKey: values.YEETER_API_KEY ?? null,
    configPath: values.YEETER_CONFIG_PATH ?? null,
  });
}

function firstAdminOf(values: z.output<typeof ENVIRONMENT>): Config['firstAdmin'] {
  const { YEETER_ADMIN_USER: username, YEETER_ADMIN_PASSWORD: password } = values;
  if (username === undefined || password === undefined) return null;
  return { username, password, email: values.YEETER_ADMIN_EMAIL ?? `${username}@localhost.invalid` };
}

function originsOf(text: string): Config['corsOrigins'] {
  const origins = text.split(',').flatMap((origin) => origin.trim() || []);
  return origins.includes('*') ? '*' : origins;
}

function dropUndefined<T extends object>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>;
}
