import { type Command, Option } from 'commander';
import { MODALITIES } from '../../domain/modality.ts';
import { uidRoot, wholeNumber } from './options.ts';

const EXAMPLES = `
Examples:
  $ yeeter study --modality CT --count 20 --out ct-study
  $ yeeter study --modality MG --typical --burn-in --out mammography`;

export function addStudyCommand(program: Command): void {
  program
    .command('study')
    .description('write a synthetic study to look at')
    .addOption(new Option('--modality <modality>', 'what to make').choices(MODALITIES).default('CT'))
    .option('--count <images>', 'images in its series', wholeNumber(1, 100_000), 20)
    .option('--typical', 'series and counts as the procedure usually has them, instead of --count', false)
    .option('--report', 'add a structured report', false)
    .option('--burn-in', 'write patient, date and TEST into the pixels', false)
    .option('--seed <number>', 'same seed, same study', wholeNumber(0, 2 ** 53 - 1), 1)
    .option('--patient <number>', 'which patient of the seed', wholeNumber(1, 100_000_000), 1)
    .option('--uid-root <root>', 'root of generated UIDs, instead of 2.25', uidRoot)
    .requiredOption('--out <dir>', 'folder of the files')
    .addHelpText('after', EXAMPLES)
    .action(async (flags) => {
      const { makeStudy } = await import('../study.ts');
      await makeStudy({
        modality: flags.modality,
        count: flags.typical ? 'typical' : flags.count,
        report: flags.report,
        burnIn: flags.burnIn,
        seed: flags.seed,
        patient: flags.patient,
        uidRoot: flags.uidRoot ?? null,
        outDir: flags.out,
      });
    });
}
