/** What one client may ask for. */
export const LIMITS = {
  /** Largest message of a client, bytes; all it has to say is a run's number. */
  messageBytes: 16 * 1024,
  /** Events of a client a second, on average. */
  eventsPerSecond: 20,
  /** Events at once. */
  burst: 60,
  /** Rooms that one socket is in. */
  rooms: 50,
  /** Sockets of one user at one process. */
  socketsPerUser: 50,
  /** Sockets at one process. */
  sockets: 5000,
  /** From the connection to the credentials, milliseconds. */
  connectTimeoutMs: 10_000,
  /** What waits for a slow client before it is let go; it may connect again and ask for what it missed. */
  waitingPackets: 500,
  waitingCharacters: 2_000_000,
} as const;

/** A bucket of tokens: `take` is false when a client asks faster than it may. */
export function createAllowance(perSecond: number, burst: number, now: () => number): { take(): boolean } {
  let left = burst;
  let atMs = now();
  return {
    take: () => {
      const nowMs = now();
      left = Math.min(burst, left + ((nowMs - atMs) / 1000) * perSecond);
      atMs = nowMs;
      if (left < 1) return false;
      left--;
      return true;
    },
  };
}
