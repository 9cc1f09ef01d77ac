import { VERIFICATION_SOP_CLASS } from '../dicom/dimse.ts';
import { openAssociation } from '../dicom/scu.ts';
import { IMPLICIT_VR_LITTLE_ENDIAN } from '../dicom/uids.ts';
import type { DicomAddress } from './address.ts';
import { formatMs } from './format.ts';

export interface EchoOptions {
  address: DicomAddress;
  callingAeTitle: string;
  timeoutMs: number;
}

/** C-ECHO (PS3.4 annex A): connects, associates, asks once. @returns the exit code */
export async function echo({ address, callingAeTitle, timeoutMs }: EchoOptions): Promise<number> {
  const opened = await openAssociation({
    host: address.host,
    port: address.port,
    calledAeTitle: address.aeTitle,
    callingAeTitle,
    contexts: [{ abstractSyntax: VERIFICATION_SOP_CLASS, transferSyntaxes: [IMPLICIT_VR_LITTLE_ENDIAN] }],
    timeouts: { connectMs: timeoutMs, associateMs: timeoutMs, dimseMs: timeoutMs },
  });
  const where = `${address.aeTitle}@${address.host}:${address.port}`;
  if (!opened.ok) {
    process.stderr.write(`yeeter: ${opened.code}: ${where}: ${opened.message}\n`);
    return 1;
  }
  const { association, connectUs, associateUs } = opened;
  const echoed = await association.echo();
  await association.release();
  if (!echoed.ok) {
    process.stderr.write(`yeeter: ${echoed.code}: ${where}: ${echoed.message}\n`);
    return 1;
  }
  const times = [
    `connected in ${formatMs(connectUs)} ms`,
    `associated in ${formatMs(associateUs)} ms`,
    `echoed in ${formatMs(echoed.sendUs + echoed.waitUs)} ms`,
  ];
  process.stdout.write(`${where} ${times.join(', ')}\n`);
  return 0;
}
