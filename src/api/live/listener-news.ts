import type { LivePort } from '../../live/port.ts';
import type { ServerStore } from '../../storage/server-port.ts';
import { listenerStatus, newMessage } from './payloads.ts';
import type { RoomPayload } from './room-reader.ts';

export interface ListenerNewsOptions {
  live: LivePort;
  store: Pick<ServerStore, 'listListenerMessages'>;
  emit: (event: 'listener_status' | 'new_message_received', payload: RoomPayload) => void;
  isWatched: () => boolean;
  log: (line: string) => void;
}

/** Messages that are told of at a time; a list shows no more of them either. */
const NEWEST = 20;

/** What the listener of any process does. */
export function createListenerNews(options: ListenerNewsOptions): { close(): void } {
  const { store, emit } = options;
  let told = 0;
  let reading = false;
  let again = false;

  const tellMessages = async (): Promise<void> => {
    const { items } = await store.listListenerMessages({ limit: NEWEST, offset: 0 });
    for (const message of items.filter(({ id }) => id > told).reverse()) {
      told = message.id;
      emit('new_message_received', newMessage(message));
    }
  };

  const read = async (): Promise<void> => {
    again = true;
    if (reading) return;
    reading = true;
    try {
      while (again) {
        again = false;
        await tellMessages();
      }
    } catch (error) {
      options.log(`live: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      reading = false;
    }
  };

  const stop = options.live.subscribe((fact) => {
    if (fact.kind === 'listener') emit('listener_status', listenerStatus(fact));
    if (fact.kind !== 'listener_message') return;
    if (told === 0 || !options.isWatched()) told = Math.max(told, fact.id - 1);
    if (options.isWatched()) void read();
  });
  return { close: stop };
}
