/**
 * Sockets that watch, in a process of their own: `node watchers.ts URL RUN_ID,RUN_ID,... COUNT`. Says `ready` over
 * its channel when all have joined, and what came when it is told `stop`.
 */
import { io, type Socket } from 'socket.io-client';

/** What the watchers say at their end. */
export interface WatchersHeard {
  events: number;
  /** From the time in an event to its arrival at each socket, milliseconds. */
  latenciesMs: number[];
  cpuSeconds: number;
}

const SOCKETS_PER_USER = 25;

async function watch(url: string, runIds: readonly number[], count: number): Promise<void> {
  const heard: WatchersHeard = { events: 0, latenciesMs: [], cpuSeconds: 0 };
  const sockets: Socket[] = [];
  for (let n = 0; n < count; n++) {
    const token = String(1 + Math.floor(n / SOCKETS_PER_USER));
    const socket = io(url, { auth: { token }, transports: ['websocket'], forceNew: true });
    socket.onAny(() => heard.events++);
    socket.on('sim_log_update', ({ event }: { event: { timestamp: string } }) =>
      heard.latenciesMs.push(Date.now() - Date.parse(event.timestamp)),
    );
    await new Promise((resolve) => socket.once('connect', () => resolve(null)));
    await socket.emitWithAck('join_run_room', { run_id: runIds[n % runIds.length] });
    sockets.push(socket);
  }
  const before = process.cpuUsage();
  heard.events = 0;
  process.on('message', () => {
    const { user, system } = process.cpuUsage(before);
    process.send!({ ...heard, cpuSeconds: (user + system) / 1e6 } satisfies WatchersHeard);
    for (const socket of sockets) socket.disconnect();
    process.disconnect();
  });
  process.send!('ready');
}

if (import.meta.main) {
  const [url = '', runIds = '', count = '1'] = process.argv.slice(2);
  await watch(url, runIds.split(',').map(Number), Number(count));
}
