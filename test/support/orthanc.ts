import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Closeable } from '../../src/lib/lifecycle.ts';
import { onFreePort, startChild, temporaryFolder, untilReady } from './child.ts';

export interface OrthancStatistics {
  instances: number;
  series: number;
  studies: number;
  patients: number;
  /** Bytes of the files it holds, before any compression. */
  sizeBytes: number;
}

/** A private Orthanc: an archive that counts independently of us what it was sent. */
export interface Orthanc extends Closeable {
  readonly host: string;
  /** The DICOM port. */
  readonly port: number;
  readonly aeTitle: string;
  /** Base of its REST interface, without a slash at the end. */
  readonly url: string;
  statistics(): Promise<OrthancStatistics>;
}

export interface OrthancOptions {
  /** Folder with worklist files (`*.wl`); turns the worklist plugin on. */
  worklistDir?: string;
  /** More keys of its configuration file. */
  configuration?: Readonly<Record<string, unknown>>;
}

const WORKLIST_PLUGIN = '/usr/share/orthanc/plugins/libModalityWorklists.so';

export async function startOrthanc(options: OrthancOptions = {}): Promise<Orthanc> {
  const folder = temporaryFolder();
  try {
    return await onFreePort((port) => onFreePort((httpPort) => launch(folder, port, httpPort, options)));
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

async function launch(
  folder: string,
  port: number,
  httpPort: number,
  options: OrthancOptions,
): Promise<Orthanc> {
  const file = path.join(folder, 'orthanc.json');
  const storage = path.join(folder, 'storage');
  mkdirSync(storage, { recursive: true });
  const worklists =
    options.worklistDir === undefined
      ? {}
      : { Plugins: [WORKLIST_PLUGIN], Worklists: { Enable: true, Database: options.worklistDir } };
  writeFileSync(
    file,
    JSON.stringify({
      StorageDirectory: storage,
      IndexDirectory: storage,
      HttpPort: httpPort,
      DicomPort: port,
      DicomAet: 'ORTHANC',
      AuthenticationEnabled: false,
      DicomAlwaysAllowFindWorklist: true,
      ...worklists,
      ...options.configuration,
    }),
  );
  // Without it Nagle's algorithm holds back each response by some 40 ms.
  const child = startChild('/usr/sbin/Orthanc', [file], { env: { TCP_NODELAY: '1' } });
  const url = `http://127.0.0.1:${httpPort}`;
  await untilReady(child, () =>
    fetch(`${url}/system`).then(
      (response) => response.ok,
      () => false,
    ),
  );
  const close = async (): Promise<void> => {
    await child.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  return {
    host: '127.0.0.1',
    port,
    aeTitle: 'ORTHANC',
    url,
    statistics: () => readStatistics(url),
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function readStatistics(url: string): Promise<OrthancStatistics> {
  const response = await fetch(`${url}/statistics`);
  const body = (await response.json()) as Record<string, number | string>;
  return {
    instances: Number(body.CountInstances),
    series: Number(body.CountSeries),
    studies: Number(body.CountStudies),
    patients: Number(body.CountPatients),
    sizeBytes: Number(body.TotalUncompressedSize),
  };
}
