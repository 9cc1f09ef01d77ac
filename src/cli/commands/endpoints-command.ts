import type { Command } from 'commander';
import { parseTarget, type TargetAddress } from '../address.ts';
import { addEndpoint, deleteEndpoint, listEndpoints } from '../remote/endpoints.ts';
import { OUTPUT_FORMATS } from '../remote/output.ts';
import { addExamples } from './options.ts';
import { serverFlags, withFormat, withServer } from './server-options.ts';

const EXAMPLES = `
Everybody reads them, administrators make and delete them. Steps that name no endpoint send to those called mllp and
dicom.

Examples:
  $ yeeter endpoints list
  $ yeeter endpoints create mllp 127.0.0.1:2575
  $ yeeter endpoints create dicom ORTHANC@127.0.0.1:4242 --calling CT_SIM
  $ yeeter endpoints delete mllp`;

export function addEndpointsCommand(program: Command): void {
  const endpoints = program.command('endpoints').description('the systems under test that a server knows');
  const list = withFormat(withServer(endpoints.command('list')), OUTPUT_FORMATS)
    .description('show them and their addresses')
    .action((flags) => listEndpoints({ ...flags, ...serverFlags(list) }));
  const create = withFormat(withServer(endpoints.command('create')), ['table', 'json'])
    .description('make one')
    .argument('<name>', 'as templates name it')
    .argument('<address>', 'HOST:PORT for HL7, AET@HOST:PORT for DICOM', parseTarget)
    .option('--calling <title>', 'our AE title, where it is not that of the station')
    .action((name: string, address: TargetAddress, flags) =>
      addEndpoint(name, address, { ...flags, ...serverFlags(create) }),
    );
  const remove = withServer(endpoints.command('delete'))
    .description('delete one; templates that name it cannot start any more')
    .argument('<endpoint>', 'id or name')
    .action((named: string) => deleteEndpoint(named, serverFlags(remove)));
  addExamples(endpoints, EXAMPLES);
}
