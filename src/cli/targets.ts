import { resolve } from 'node:path';
import type { RegisteredTarget } from '../domain/target-guard.ts';
import { YeeterError } from '../lib/errors.ts';
import { openPgliteStore } from '../storage/pglite/open-pglite-store.ts';
import { formatCount, formatTable } from './format.ts';

const say = (line: string): void => void process.stderr.write(`${line}\n`);

export async function addTarget(dataDir: string, target: RegisteredTarget): Promise<void> {
  await using store = await openPgliteStore({ dataDir: resolve(dataDir), onProgress: say });
  await store.registerTarget(target);
  process.stdout.write(`registered ${addressOf(target)} until ${day(target.expiresAtMs)}\n`);
}

export async function listTargets(dataDir: string): Promise<void> {
  await using store = await openPgliteStore({ dataDir: resolve(dataDir), onProgress: say });
  const targets = await store.listTargets();
  const header = ['target', 'owner', 'expires', 'connections', 'per second', 'bytes'];
  const rows = targets.map((target) => [
    addressOf(target),
    target.owner,
    day(target.expiresAtMs),
    formatCount(target.maxAssociations),
    target.maxMessagesPerSecond === null ? 'any' : formatCount(target.maxMessagesPerSecond),
    target.maxBytes === null ? 'any' : formatCount(target.maxBytes),
  ]);
  process.stdout.write(
    targets.length > 0 ? `${formatTable(header, rows)}\n` : 'no test system is registered\n',
  );
}

/** @throws {YeeterError} USAGE when there is no such registration */
export async function removeTarget(
  dataDir: string,
  target: { aeTitle: string | null; host: string; port: number },
): Promise<void> {
  await using store = await openPgliteStore({ dataDir: resolve(dataDir), onProgress: say });
  if (!(await store.removeTarget(target.host, target.port))) {
    throw new YeeterError('USAGE', `${addressOf(target)} is not registered in ${dataDir}`);
  }
  process.stdout.write(`removed ${addressOf(target)}\n`);
}

function addressOf({ aeTitle, host, port }: Pick<RegisteredTarget, 'aeTitle' | 'host' | 'port'>): string {
  return `${aeTitle === null ? '' : `${aeTitle}@`}${host}:${port}`;
}

function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
