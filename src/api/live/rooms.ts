import type { Closeable } from '../../lib/lifecycle.ts';
import type { LivePort } from '../../live/port.ts';
import type { RunRoom } from './run-room.ts';

/** The rooms that have members, each with what tells them; nothing is read for others. */
export interface Rooms extends Closeable {
  enter(runId: number, member: string): RunRoom;
  leave(runId: number, member: string): void;
  readonly size: number;
}

interface Entry {
  room: RunRoom;
  members: Set<string>;
}

export function createRooms(live: LivePort, open: (runId: number) => RunRoom): Rooms {
  const entries = new Map<number, Entry>();
  const stopListening = live.subscribe((fact) => {
    if (fact.kind === 'run') entries.get(fact.runId)?.room.wake(fact.queued);
  });

  const end = async (runId: number, { room }: Entry): Promise<void> => {
    entries.delete(runId);
    await room.close();
  };

  const close = async (): Promise<void> => {
    stopListening();
    await Promise.all([...entries].map(([runId, entry]) => end(runId, entry)));
  };
  return {
    enter: (runId, member) => {
      let entry = entries.get(runId);
      if (!entry) {
        entry = { room: open(runId), members: new Set() };
        entries.set(runId, entry);
      }
      entry.members.add(member);
      return entry.room;
    },
    leave: (runId, member) => {
      const entry = entries.get(runId);
      if (!entry?.members.delete(member)) return;
      if (entry.members.size === 0) void end(runId, entry);
    },
    get size() {
      return entries.size;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
