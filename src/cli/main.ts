import { constants } from 'node:os';
import { toYeeterError, YeeterError } from '../lib/errors.ts';
import { VERSION } from '../lib/version.ts';
import { addBenchCommand } from './commands/bench-command.ts';
import { addCheckCommand } from './commands/check-command.ts';
import { CheckedCommand } from './commands/checked-command.ts';
import { addCompletionCommand } from './commands/completion-command.ts';
import { addEchoCommand } from './commands/echo-command.ts';
import { addEndpointsCommand } from './commands/endpoints-command.ts';
import { addApiKeysCommand, addLoginCommands } from './commands/login-command.ts';
import { addMetricsCommand, addScalingCommand, addWorkersCommand } from './commands/metrics-command.ts';
import { addMigrateCommand } from './commands/migrate-command.ts';
import { addQueuesCommand } from './commands/queues-command.ts';
import { addRunnerCommand } from './commands/runner-command.ts';
import { addRunsCommand } from './commands/runs-command.ts';
import { addSendHl7Command } from './commands/send-hl7-command.ts';
import { addServeCommands } from './commands/serve-command.ts';
import { allowServerOptionsInFront } from './commands/server-options.ts';
import { addSinkCommand } from './commands/sink-command.ts';
import { addStudyCommand } from './commands/study-command.ts';
import { addTargetsCommand } from './commands/targets-command.ts';
import { addTemplatesCommand } from './commands/templates-command.ts';
import { addWorkerCommand } from './commands/worker-command.ts';

/** Usage faults end with 2, everything else that went wrong with 1. */
const USAGE_CODES = new Set([
  'USAGE',
  'CONFIG_INVALID',
  'TEMPLATE_INVALID',
  'TEMPLATE_UNREADABLE',
  'GENERATOR_INVALID',
  'NAMESPACE_EXHAUSTED',
  'TARGET_REFUSED',
  'DICOM_AE_TITLE',
  'UNAUTHENTICATED',
]);

/** Started for what they do, not for what they print: these go on when nobody reads it any more. */
const WORKING = new Set(['bench', 'serve', 'api', 'runner', 'worker', 'sink']);

/** Exit code of a program that writes to a closed pipe, as a shell tells it. */
const UNREAD = 128 + constants.signals.SIGPIPE;

const EXAMPLES = `
Examples:
  $ yeeter bench examples/templates/order-to-image.yaml --patients 1000
  $ yeeter bench examples/templates/orders-only.yaml --mllp 127.0.0.1:2575 --seed 7
  $ yeeter sink --mllp-port 2575 --dicom-port 11112 --keep received
  $ yeeter check my-template.yaml
  $ yeeter serve`;

const program = new CheckedCommand('yeeter')
  .description('Plays a radiology department against HL7 and DICOM systems and measures what they sustain.')
  .version(VERSION)
  .addHelpText('after', EXAMPLES)
  .showHelpAfterError('(add --help for the options and examples)')
  .configureHelp({ showGlobalOptions: true })
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
program.hook('preAction', () => program.reportFaults());

allowServerOptionsInFront(program);

program.commandsGroup('Load and measure:');
addBenchCommand(program);
addCheckCommand(program);
addTargetsCommand(program);

program.commandsGroup('Serve:');
addServeCommands(program);

program.commandsGroup('Ask a server:');
addLoginCommands(program);
addApiKeysCommand(program);
addTemplatesCommand(program);
addEndpointsCommand(program);
addRunsCommand(program);
addMetricsCommand(program);
addWorkersCommand(program);
addScalingCommand(program);

program.commandsGroup('Processes over RabbitMQ and PostgreSQL:');
addWorkerCommand(program);
addRunnerCommand(program);
addQueuesCommand(program);
addMigrateCommand(program);

program.commandsGroup('Single tools:');
addSinkCommand(program);
addSendHl7Command(program);
addEchoCommand(program);
addStudyCommand(program);
addCompletionCommand(program);

for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    if (!WORKING.has(program.args[0]!)) process.exit(UNREAD);
  });
}

try {
  await program.parseAsync();
} catch (thrown) {
  const error = toYeeterError(thrown);
  process.stderr.write(`yeeter: ${error.code}: ${error.message}\n`);
  if (error.code === 'INTERNAL' && thrown instanceof Error && !(thrown instanceof YeeterError)) {
    process.stderr.write(`${thrown.stack}\n`);
  }
  process.exitCode = USAGE_CODES.has(error.code) ? 2 : 1;
}
