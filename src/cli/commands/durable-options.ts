import type { Command } from 'commander';
import { type Config, loadConfig } from '../../config/config.ts';
import { starterGone } from '../../lib/starter.ts';
import { stopPatienceMs } from '../../roles/child-process.ts';
import { settingBy } from './options.ts';

export interface DurableFlags {
  queueUrl?: string;
  databaseUrl?: string;
}

export function withDatabaseUrl(command: Command): Command {
  return command.option(
    '--database-url <url>',
    'PostgreSQL (environment: DATABASE_URL)',
    settingBy('--database-url', 'DATABASE_URL'),
  );
}

export function withDurableUrls(command: Command): Command {
  return withDatabaseUrl(command).option(
    '--queue-url <url>',
    'RabbitMQ (environment: RABBITMQ_URL)',
    settingBy('--queue-url', 'RABBITMQ_URL'),
  );
}

/** @throws {YeeterError} CONFIG_INVALID */
export function configOf(flags: DurableFlags, more: Parameters<typeof loadConfig>[0] = {}): Config {
  return loadConfig({ RABBITMQ_URL: flags.queueUrl, DATABASE_URL: flags.databaseUrl, ...more });
}

/** A line on standard error, with its time: what a long-lived process says. */
export function logLine(line: string): void {
  process.stderr.write(`${new Date().toISOString()} ${line}\n`);
}

/** Why a process stops: a signal, or it was started by another of ours that is gone. */
export type StopReason = 'signal' | 'starter gone';

/**
 * Resolves on Ctrl-C, on SIGTERM or when the process that started this one is gone, or rejects as `ended` does.
 * Nobody is left to end a process without its starter, so that it ends itself when stopping takes too long.
 */
export function untilInterrupted(config: Config, ended: Promise<void>): Promise<StopReason> {
  return new Promise((resolve, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => resolve('signal'));
    void starterGone().then(() => {
      setTimeout(() => process.exit(1), stopPatienceMs(config)).unref();
      resolve('starter gone');
    });
    ended.catch(reject);
  });
}
