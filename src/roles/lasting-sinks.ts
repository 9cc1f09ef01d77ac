import { delay } from '../lib/lifecycle.ts';
import type { ServerStore } from '../storage/server-port.ts';
import { type SinkPorts, type SinkProcess, startSinkProcess } from './sink-process.ts';

const SETTING = 'sink_ports';
/** The sinks of a server that was killed are gone after so long, milliseconds. */
const LEAVING_MS = 1500;

export interface LastingSinks extends SinkProcess {
  /** Their ports the last time; null when there was none. */
  before: SinkPorts | null;
}

/**
 * The built-in sinks on the ports that they had before: runs that are gone on with after a restart have them as their
 * endpoints. On other ports only where those are taken for good.
 */
export async function startLastingSinks(
  store: Pick<ServerStore, 'getSetting' | 'putSetting'>,
  log: (line: string) => void,
): Promise<LastingSinks> {
  const before = (await store.getSetting(SETTING)) as SinkPorts | null;
  const sinks = (before && (await onPortsOf(before, log))) ?? (await startSinkProcess());
  await store.putSetting(SETTING, sinks.ports);
  return { ...sinks, before };
}

export function isAtSinks(ports: SinkPorts, { hostname, port }: { hostname: string; port: number }): boolean {
  return hostname === '127.0.0.1' && (port === ports.mllpPort || port === ports.dicomPort);
}

export function aboutSinks({ mllpPort, dicomPort }: SinkPorts): string {
  return `built-in receivers: HL7 on 127.0.0.1:${mllpPort}, DICOM on 127.0.0.1:${dicomPort}`;
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
