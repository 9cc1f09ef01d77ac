import type { Command } from 'commander';
import { type HostPort, parseHostPort } from '../address.ts';
import { formatMs } from '../format.ts';
import { guardAddress } from '../guard-address.ts';
import { type SentMessage, sendHl7File } from '../send-hl7.ts';
import { gather, wholeNumber } from './options.ts';

const EXAMPLES = `
Exit code: 0 when every message was accepted, 1 when one was not.

Examples:
  $ yeeter send-hl7 order.hl7 --to 127.0.0.1:2575`;

export function addSendHl7Command(program: Command): void {
  program
    .command('send-hl7')
    .description('send the messages of a file over MLLP and show their acknowledgements')
    .argument('<file>', 'one HL7 message or many; lines may end with CR, LF or CRLF')
    .requiredOption('--to <host:port>', 'receiver', (text) => parseHostPort(text, '--to'))
    .option(
      '--timeout <ms>',
      'for the connection and for each acknowledgement',
      wholeNumber(1, 3_600_000),
      10_000,
    )
    .option('--confirm <name>', 'host of a receiver off this machine', gather, [])
    .option('--data <dir>', 'folder where test systems are registered', '.yeeter')
    .addHelpText('after', EXAMPLES)
    .action(
      async (file: string, flags: { to: HostPort; timeout: number; confirm: string[]; data: string }) => {
        await guardAddress({ ...flags.to, aeTitle: null }, flags.data, flags.confirm);
        const sent = await sendHl7File({
          file,
          host: flags.to.host,
          port: flags.to.port,
          timeoutMs: flags.timeout,
          onSent: (message) => process.stdout.write(`${describe(message)}\n`),
        });
        if (sent.some(({ result }) => !result.ok)) process.exitCode = 1;
      },
    );
}

function describe({ number, controlId, sizeBytes, result }: SentMessage): string {
  const what = `message ${number} (${controlId || 'no control id'}, ${sizeBytes} bytes)`;
  return result.ok
    ? `${what}: ${result.code} in ${formatMs(result.serviceUs)} ms`
    : `${what}: ${result.code}: ${result.message}`;
}
