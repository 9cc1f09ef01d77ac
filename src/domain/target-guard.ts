import { type Failure, failure } from '../lib/errors.ts';
import type { Endpoint } from './endpoint.ts';

/** A system that somebody answers for as a test system, with the limits that hold across all workers. */
export interface RegisteredTarget {
  host: string;
  port: number;
  /** Called AE title; null for MLLP. */
  aeTitle: string | null;
  /** Who says that it is a test system. */
  owner: string;
  /** Wall clock, milliseconds since the epoch. */
  expiresAtMs: number;
  /** Connections and associations at a time. @default 4 */
  maxAssociations: number;
  /** Null means no limit. */
  maxMessagesPerSecond: number | null;
  /** Null means no limit. */
  maxBytes: number | null;
}

/** Connections at a time to a system that is not on this machine, unless its registration says otherwise. */
export const DEFAULT_MAX_ASSOCIATIONS = 4;

/**
 * Whether a host is this machine: `localhost`, 127.0.0.0/8 in full dotted form, ::1 and its IPv4-mapped forms. Names
 * are not resolved: a name that happens to resolve to loopback has to be registered like any other.
 */
export function isLoopback(hostname: string): boolean {
  const host = hostname
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/^::ffff:/, '')
    .replace(/\.$/, '');
  if (host === 'localhost' || host === '::1' || host === '0:0:0:0:0:0:0:1') return true;
  const octets = /^127\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(host);
  return octets?.slice(1).every((octet) => Number(octet) <= 255) ?? false;
}

export type GuardResult = { ok: true; target: RegisteredTarget | null } | Failure;

function addressOf(endpoint: Endpoint): string {
  const address = `${endpoint.hostname}:${endpoint.port}`;
  return endpoint.endpointType === 'DICOM_SCP' ? `${endpoint.aeTitle ?? ''}@${address}` : address;
}

/** AE titles are compared as they are: case counts (PS3.5 section 6.2). */
function isFor(target: RegisteredTarget, endpoint: Endpoint): boolean {
  return (
    target.host.toLowerCase() === endpoint.hostname.toLowerCase() &&
    target.port === endpoint.port &&
    (endpoint.endpointType === 'MLLP' || target.aeTitle === endpoint.aeTitle)
  );
}

/**
 * Lets through what is on this machine (with no limits, `target` null) and what is registered as a test system and
 * not expired; everything else is TARGET_REFUSED, because load against the wrong system hurts patients.
 */
export function guardEndpoint(
  endpoint: Endpoint,
  registeredTargets: readonly RegisteredTarget[],
  nowMs: number,
): GuardResult {
  const known = registeredTargets.filter((target) => isFor(target, endpoint));
  const target = known.find(({ expiresAtMs }) => expiresAtMs > nowMs);
  if (target) return { ok: true, target };
  if (isLoopback(endpoint.hostname)) return { ok: true, target: null };
  const where = `endpoint "${endpoint.name}" (${addressOf(endpoint)})`;
  const address = addressOf(endpoint);
  const todo = `register it with: yeeter targets add ${address} --owner NAME`;
  const expired = known[0];
  if (expired)
    return failure(
      'TARGET_REFUSED',
      `${where}: its registration by ${expired.owner} expired at ${new Date(expired.expiresAtMs).toISOString()}: ` +
        `if it is still a test system, ${todo}`,
    );
  return failure(
    'TARGET_REFUSED',
    `${where} is not on this machine and not registered: if it is a test system and no patient depends on it, ${todo}`,
  );
}
