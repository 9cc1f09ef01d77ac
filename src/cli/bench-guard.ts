import { createInterface } from 'node:readline/promises';
import type { Endpoint, EndpointLimits } from '../domain/endpoint.ts';
import { guardEndpoints } from '../domain/endpoint-limits.ts';
import { isLoopback, type RegisteredTarget } from '../domain/target-guard.ts';
import { YeeterError } from '../lib/errors.ts';
import type { StoragePort } from '../storage/port.ts';

export interface GuardOptions {
  concurrency: number;
  /** AE titles or host names that were given by `--confirm`. */
  confirm: readonly string[];
}

/**
 * Refuses every endpoint that is not loopback until it is registered as a test system and its name was typed.
 * @returns the limits of each endpoint, by its name
 * @throws {YeeterError} TARGET_REFUSED
 */
export async function confirmTargets(
  store: StoragePort,
  endpoints: Readonly<Record<string, Endpoint>>,
  options: GuardOptions,
): Promise<Record<string, EndpointLimits>> {
  const limits: Record<string, EndpointLimits> = {};
  const { concurrency } = options;
  const guarded = guardEndpoints(endpoints, await store.listTargets(), { nowMs: Date.now(), concurrency });
  for (const { endpoint, target, limits: ofEndpoint } of guarded) {
    limits[endpoint.name] = ofEndpoint;
    if (!isLoopback(endpoint.hostname)) await confirmName(endpoint, target, options.confirm);
  }
  return limits;
}

async function confirmName(
  endpoint: Endpoint,
  target: RegisteredTarget | null,
  confirmed: readonly string[],
): Promise<void> {
  const name = endpoint.aeTitle ?? endpoint.hostname;
  if (confirmed.includes(name)) return;
  const where = `${endpoint.hostname}:${endpoint.port}`;
  const owner = target ? `, owned by ${target.owner}` : '';
  if (!process.stdin.isTTY) {
    const message = `${where} is not on this machine: add --confirm ${name} to say that it is meant${owner}`;
    throw new YeeterError('TARGET_REFUSED', message);
  }
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  const typed = await prompt.question(
    `Load is going to ${where}${owner}, a test system. Type "${name}" to go on: `,
  );
  prompt.close();
  if (typed.trim() !== name) {
    throw new YeeterError('TARGET_REFUSED', `${where}: "${typed.trim()}" is not "${name}"; nothing was sent`);
  }
}
