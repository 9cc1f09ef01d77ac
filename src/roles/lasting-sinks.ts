import { delay } from '../lib/lifecycle.ts';
import type { ServerStore } from '../storage/server-port.ts';
import { type SinkPorts, type SinkProcess, startSinkProcess } from './sink-process.ts';

const SETTING = 'sink_ports';
/** The sinks of a server that was killed are gone after so long, milliseconds. */
const LEAVING_MS = 1500;

/**
 * The built-in sinks on the ports that they had before: runs that are gone on with after a restart have them as their
 * endpoints. On other ports only where those are taken for good.
 */
export async function startLastingSinks(
  store: Pick<ServerStore, 'getSetting' | 'putSetting'>,
  log: (line: string) => void,
): Promise<SinkProcess> {
  const before = (await store.getSetting(SETTING)) as SinkPorts | null;
  const sinks = (before && (await onPortsOf(before, log))) ?? (await startSinkProcess());
  await store.putSetting(SETTING, sinks.ports);
  return sinks;
}

async function onPortsOf(before: SinkPorts, log: (line: string) => void): Promise<SinkProcess | null> {
  const start = (): Promise<SinkProcess | null> => startSinkProcess(before).catch(() => null);
  const sinks = (await start()) ?? (await delay(LEAVING_MS).then(start));
  if (!sinks) {
    const ports = `${before.mllpPort} and ${before.dicomPort}`;
    log(`the built-in receivers' ports ${ports} are taken: they move, and runs under way against them fail`);
  }
  return sinks;
}
