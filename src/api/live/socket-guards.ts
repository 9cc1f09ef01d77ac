import type { Clock } from '../../lib/clock.ts';
import { type LiveSocket, refusal, signOut } from './live-socket.ts';
import { createAllowance, LIMITS } from './socket-limits.ts';

const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** What a client does not take up is not kept for ever. */
function letSlowGo({ conn }: LiveSocket): void {
  let packets = 0;
  let characters = 0;
  conn.on('flush', () => {
    packets = 0;
    characters = 0;
  });
  conn.on('packetCreate', ({ data }: { data?: unknown }) => {
    packets++;
    if (typeof data === 'string') characters += data.length;
    if (packets > LIMITS.waitingPackets || characters > LIMITS.waitingCharacters) conn.close(true);
  });
}

function endWithToken(socket: LiveSocket, clock: Clock): void {
  const { expiresAtMs } = socket.data.user;
  if (expiresAtMs === null) return;
  const inMs = Math.max(0, Math.min(expiresAtMs - clock.nowMs(), LONGEST_TIMER_MS));
  const timer = setTimeout(() => signOut(socket), inMs);
  timer.unref();
  socket.on('disconnect', () => clearTimeout(timer));
}

function limitEvents(socket: LiveSocket, clock: Clock): void {
  const { eventsPerSecond, burst } = LIMITS;
  const allowance = createAllowance(eventsPerSecond, burst, () => clock.monotonicUs() / 1000);
  socket.use((_, next) => {
    if (allowance.take()) return next();
    socket.emit('error', refusal('TOO_MANY_REQUESTS', 'too many events: this connection is ended'));
    socket.disconnect(true);
  });
}

/** Bounds what a signed-in client may ask for, hold and leave lying. */
export function guardSocket(socket: LiveSocket, clock: Clock): void {
  letSlowGo(socket);
  endWithToken(socket, clock);
  limitEvents(socket, clock);
}
