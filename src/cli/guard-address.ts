import { resolve } from 'node:path';
import { isLoopback } from '../domain/target-guard.ts';
import { openPgliteStore } from '../storage/pglite/open-pglite-store.ts';
import { confirmTargets } from './bench-guard.ts';

/** The target guard for one address given on the command line; the ledger is opened only when it is needed. */
export async function guardAddress(
  address: { host: string; port: number; aeTitle: string | null },
  dataDir: string,
  confirm: readonly string[],
): Promise<void> {
  if (isLoopback(address.host)) return;
  await using store = await openPgliteStore({ dataDir: resolve(dataDir) });
  const endpoint = {
    name: 'target',
    endpointType: address.aeTitle === null ? 'MLLP' : 'DICOM_SCP',
    hostname: address.host,
    port: address.port,
    aeTitle: address.aeTitle,
    callingAeTitle: null,
  } as const;
  await confirmTargets(store, { target: endpoint }, { concurrency: 1, confirm });
}
