import type { Command } from 'commander';
import { type Config, loadConfig } from '../../config/config.ts';
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

/** Resolves on Ctrl-C or SIGTERM, or rejects as `ended` does. */
export function untilInterrupted(ended: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
    ended.catch(reject);
  });
}
