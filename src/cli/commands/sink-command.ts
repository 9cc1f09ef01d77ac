import type { Command } from 'commander';
import { DICOM_FAULTS } from '../../sink/dicom-sink.ts';
import { parseFaultPlan } from '../../sink/fault-plan.ts';
import { MLLP_FAULTS } from '../../sink/mllp-sink.ts';
import { sink } from '../sink.ts';
import { MAX_PORT, wholeNumber } from './options.ts';

const EXAMPLES = `
The DICOM port also answers worklist queries (of the last 50,000 orders that came by MLLP) and takes performed
procedure steps (MPPS).

A fault plan lists faults with how often they happen: AE/5 answers AE to every fifth message.
  MLLP:  ${Object.keys(MLLP_FAULTS).join(', ')}
  DICOM: ${Object.keys(DICOM_FAULTS).join(', ')}

Examples:
  $ yeeter sink
  $ yeeter sink --mllp-port 2575 --dicom-port 11112 --keep received
  $ yeeter sink --mllp-faults AE/5,delay:200/10 --dicom-faults status:A700/20`;

export function addSinkCommand(program: Command): void {
  program
    .command('sink')
    .description('receive HL7 over MLLP, DICOM storage and MPPS, offer a worklist, and count')
    .option('--host <host>', 'address to listen on', '127.0.0.1')
    .option('--mllp-port <port>', '0 takes a free one', wholeNumber(0, MAX_PORT), 2575)
    .option('--dicom-port <port>', '0 takes a free one', wholeNumber(0, MAX_PORT), 11_112)
    .option('--ae-title <title>', 'reject associations that call another title')
    .option('--keep <dir>', 'keep what is received as files')
    .option('--mllp-faults <plan>', 'misbehave on purpose', (text) => parseFaultPlan(text, MLLP_FAULTS))
    .option('--dicom-faults <plan>', 'misbehave on purpose', (text) => parseFaultPlan(text, DICOM_FAULTS))
    .option('--quiet', 'print nothing but faults', false)
    .addHelpText('after', EXAMPLES)
    .action(async (flags) => {
      process.exitCode = await sink({
        host: flags.host,
        mllpPort: flags.mllpPort,
        dicomPort: flags.dicomPort,
        aeTitle: flags.aeTitle ?? null,
        keepDir: flags.keep ?? null,
        mllpFaults: flags.mllpFaults ?? [],
        dicomFaults: flags.dicomFaults ?? [],
        quiet: flags.quiet,
      });
    });
}
