import type { Command } from 'commander';
import { configOf, type DurableFlags, logLine, withDurableUrls } from './durable-options.ts';
import { MAX_PORT, wholeNumber } from './options.ts';

const SERVE_EXAMPLES = `
Without RABBITMQ_URL and DATABASE_URL everything runs in this process, with its data in a folder; with both, a runner
and workers are started as processes of their own. The first user who registers becomes administrator, unless
YEETER_ADMIN_USER and YEETER_ADMIN_PASSWORD name one. docs/configuration.md lists all settings.

Examples:
  $ yeeter serve
  $ yeeter serve --port 8080 --data /srv/yeeter
  $ JWT_SECRET_KEY=... RABBITMQ_URL=amqp://... DATABASE_URL=postgres://... yeeter serve --workers 4`;

const API_EXAMPLES = `
Runners and workers are started apart: yeeter runner, yeeter worker. Several api processes may stand behind one
address; all need the same JWT_SECRET_KEY.

Examples:
  $ yeeter api --host 0.0.0.0 --port 5001`;

interface ListenFlags extends DurableFlags {
  host: string;
  port: number;
}

function withListening(command: Command): Command {
  return withDurableUrls(command)
    .option('--host <host>', 'address to listen on', '127.0.0.1')
    .option('--port <port>', '0 takes a free one', wholeNumber(0, MAX_PORT), 5001);
}

export function addServeCommands(program: Command): void {
  withListening(program.command('serve'))
    .description('serve the REST interface and live events, and play runs')
    .option('--data <dir>', 'data folder, where neither database nor broker are given', '.yeeter')
    .option('--workers <count>', 'workers at the start', wholeNumber(0, 1000), 1)
    .addHelpText('after', SERVE_EXAMPLES)
    .action(async (flags: ListenFlags & { data: string; workers: number }) => {
      const { host, port, data: dataDir, workers } = flags;
      const config = configOf(flags);
      const { serve } = await import('../../roles/serve.ts');
      const { serveUntilInterrupted } = await import('../serve.ts');
      await serveUntilInterrupted(
        () => serve({ config, host, port, dataDir, workers, log: logLine }),
        logLine,
      );
    });

  withListening(program.command('api'))
    .description('serve the REST interface and live events alone, over RabbitMQ and PostgreSQL')
    .addHelpText('after', API_EXAMPLES)
    .action(async (flags: ListenFlags) => {
      const config = configOf(flags);
      const { serveApi } = await import('../../roles/serve-api.ts');
      const { serveUntilInterrupted } = await import('../serve.ts');
      await serveUntilInterrupted(
        () => serveApi({ config, host: flags.host, port: flags.port, log: logLine }),
        logLine,
      );
    });
}
