import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Closeable } from '../../src/lib/lifecycle.ts';
import { listens, onFreePort, startChild, temporaryFolder, untilReady } from './child.ts';

/** DCMTK's worklist, which serves files. Its called AE title is `RIS`. */
export interface Wlmscpfs extends Closeable {
  readonly port: number;
  output(): string;
}

/** A line of a dump: tag, VR and value; items nest. */
export interface WorklistFile {
  accessionNumber: string;
  studyInstanceUid: string;
  /** @default 'ISO_IR 192', which the texts are written in */
  patientName?: string;
  description?: string;
  modality?: string;
  scheduledStationAeTitle?: string;
}

export const WORKLIST_AE_TITLE = 'RIS';

function dumpOf(file: WorklistFile): string {
  const text = [
    '(0008,0005) CS [ISO_IR 192]',
    `(0008,0050) SH [${file.accessionNumber}]`,
    '(0008,0090) PN [REFERRER^RITA]',
    `(0010,0010) PN [${file.patientName ?? 'ZZTEST-WORKLIST^WANDA'}]`,
    '(0010,0020) LO [WL-4711]',
    '(0010,0021) LO [WARD]',
    '(0010,0030) DA [19610417]',
    '(0010,0040) CS [F]',
    `(0020,000d) UI [${file.studyInstanceUid}]`,
    '(0032,1032) PN [REFERRER^RITA]',
    `(0032,1060) LO [${file.description ?? 'MR knee left'}]`,
    '(0040,0100) SQ',
    '(fffe,e000) -',
    `(0008,0060) CS [${file.modality ?? 'MR'}]`,
    `(0040,0001) AE [${file.scheduledStationAeTitle ?? 'MR_ROOM_9'}]`,
    '(0040,0002) DA [20260105]',
    '(0040,0003) TM [101500]',
    '(0040,0006) PN [PERFORMER^PIA]',
    '(0040,0007) LO [MR knee left, step]',
    '(0040,0009) SH [WL-SPS-1]',
    '(0040,0010) SH [MRROOM9]',
    '(fffe,e00d) -',
    '(fffe,e0dd) -',
    '(0040,1001) SH [WL-RP-1]',
    '(0040,1003) SH [MEDIUM]',
    '(0040,2016) LO [WL-PLACER]',
    '(0040,2017) LO [WL-FILLER]',
  ];
  return `${text.join('\n')}\n`;
}

export async function startWlmscpfs(files: readonly WorklistFile[]): Promise<Wlmscpfs> {
  const root = temporaryFolder();
  const folder = path.join(root, WORKLIST_AE_TITLE);
  mkdirSync(folder);
  writeFileSync(path.join(folder, 'lockfile'), '');
  for (const [n, file] of files.entries()) {
    const dump = path.join(root, `${n}.dump`);
    writeFileSync(dump, dumpOf(file));
    execFileSync('/usr/bin/dump2dcm', ['--quiet', '+te', dump, path.join(folder, `${n}.wl`)]);
  }
  return onFreePort(async (port) => {
    const child = startChild(
      '/usr/bin/wlmscpfs',
      ['-csk', '-dhl', '--data-files-path', root, String(port)],
      // Without it Nagle's algorithm holds back each response by some 40 ms.
      { env: { TCP_NODELAY: '1' } },
    );
    await untilReady(child, () => listens(port));
    const close = async (): Promise<void> => {
      await child.stop();
      rmSync(root, { recursive: true, force: true });
    };
    return { port, output: child.output, close, [Symbol.asyncDispose]: close };
  });
}
