import type { Command } from 'commander';
import { type DicomAddress, parseDicomAddress } from '../address.ts';
import { echo } from '../echo.ts';
import { wholeNumber } from './options.ts';

const EXAMPLES = `
Examples:
  $ yeeter echo ORTHANC@127.0.0.1:4242
  $ yeeter echo PACS@127.0.0.1:104 --calling CT_SIM`;

export function addEchoCommand(program: Command): void {
  program
    .command('echo')
    .description('C-ECHO: is a DICOM system there, and does it know us')
    .argument('<aet@host:port>', 'called AE title and address', (text) =>
      parseDicomAddress(text, 'the target'),
    )
    .option('--calling <title>', 'our AE title', 'YEETER')
    .option(
      '--timeout <ms>',
      'for each of connection, association and answer',
      wholeNumber(1, 3_600_000),
      5000,
    )
    .addHelpText('after', EXAMPLES)
    .action(async (address: DicomAddress, flags: { calling: string; timeout: number }) => {
      process.exitCode = await echo({ address, callingAeTitle: flags.calling, timeoutMs: flags.timeout });
    });
}
