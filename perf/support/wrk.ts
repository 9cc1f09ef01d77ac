import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { HttpLoad, HttpLoadResult } from './http-load.ts';
import type { HttpClient } from './start-http-load.ts';

const MS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000, m: 60_000 };
const MB: Readonly<Record<string, number>> = { B: 1e-6, KB: 1.024e-3, MB: 1.048576, GB: 1073.741824 };

/** A number with its unit, at the first match; `units` turn it into what is wanted. */
function figure(text: string, pattern: RegExp, units: Readonly<Record<string, number>>): number {
  const [, value, unit] = pattern.exec(text) ?? [];
  if (value === undefined) throw new Error(`wrk said: ${text}`);
  return Number(value) * (units[unit ?? ''] ?? 1);
}

async function wrk({ url, token, connections, seconds }: HttpLoad): Promise<HttpLoadResult> {
  const header = token === null ? [] : ['-H', `authorization: Bearer ${token}`];
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '60s', '--latency', ...header, url];
  const { stdout } = await promisify(execFile)('wrk', args);
  return {
    perSecond: figure(stdout, /Requests\/sec:\s+([\d.]+)/, {}),
    p50Ms: figure(stdout, /50%\s+([\d.]+)([a-z]+)/, MS),
    p99Ms: figure(stdout, /99%\s+([\d.]+)([a-z]+)/, MS),
    megabytesPerSecond: figure(stdout, /Transfer\/sec:\s+([\d.]+)([A-Z]+)/, MB),
    refused: Number(/Non-2xx or 3xx responses: (\d+)/.exec(stdout)?.[1] ?? 0),
  };
}

/** wrk in the place of our client; it must be installed. */
export const wrkClient: Pick<HttpClient, 'load'> = { load: wrk };
