import { buildAck, readHeader } from '../../hl7/ack.ts';
import { getValue, messageType, parseMessage } from '../../hl7/message.ts';
import { createMllpServer, type MllpServer } from '../../hl7/mllp-server.ts';
import type { Clock } from '../../lib/clock.ts';
import { toYeeterError, YeeterError } from '../../lib/errors.ts';
import type { Closeable } from '../../lib/lifecycle.ts';
import type { LivePort } from '../../live/port.ts';
import type { NewListenerMessage, ServerStore } from '../../storage/server-port.ts';
import { replyText } from './mllp-tools.ts';

/** The MLLP listener of the HL7 tools: what comes is kept and acknowledged. One at a time in each process. */
export interface Listener extends Closeable {
  /** @throws {YeeterError} LISTENER_RUNNING, PORT_IN_USE, CONNECT_FAILED */
  start(port: number): Promise<void>;
  /** @returns whether there was one */
  stop(): Promise<boolean>;
}

export interface ListenerDeps {
  store: Pick<ServerStore, 'addListenerMessage'>;
  live: LivePort;
  clock: Clock;
  host: string;
  log: (line: string) => void;
}

/** What lists show of a message; null where it is no HL7. */
function describeMessage(text: string): Pick<NewListenerMessage, 'messageType' | 'controlId' | 'sendingApp'> {
  try {
    const message = parseMessage(text);
    return {
      messageType: messageType(message),
      controlId: getValue(message, 'MSH-10'),
      sendingApp: getValue(message, 'MSH-3'),
    };
  } catch {
    return { messageType: null, controlId: null, sendingApp: null };
  }
}

export function createListener({ store, live, clock, host, log }: ListenerDeps): Listener {
  let server: Promise<MllpServer> | null = null;

  const receive = async (bytes: Buffer): Promise<Buffer | null> => {
    const rawMessage = replyText(bytes);
    const isHl7 = readHeader(bytes) !== null;
    try {
      const described = describeMessage(rawMessage);
      const kept = await store.addListenerMessage({ receivedAtMs: clock.nowMs(), ...described, rawMessage });
      live.publish({ kind: 'listener_message', id: kept.id });
      return isHl7 ? buildAck(bytes, 'AA') : null;
    } catch (error) {
      log(`a message that came in could not be kept: ${toYeeterError(error).message}`);
      return isHl7 ? buildAck(bytes, 'AE', { text: 'the message could not be kept' }) : null;
    }
  };

  const stop = async (): Promise<boolean> => {
    const running = server;
    server = null;
    if (!running) return false;
    const { port, close } = await running;
    await close();
    live.publish({ kind: 'listener', status: 'stopped', port, message: null });
    return true;
  };

  return {
    start: async (port) => {
      if (server) throw new YeeterError('LISTENER_RUNNING', 'the listener runs already: stop it first');
      const starting = createMllpServer({ host, port, onMessage: receive });
      server = starting;
      try {
        await starting;
      } catch (error) {
        server = null;
        const { message } = toYeeterError(error);
        live.publish({ kind: 'listener', status: 'error', port, message });
        throw error;
      }
      live.publish({ kind: 'listener', status: 'running', port, message: null });
    },
    stop,
    close: async () => void (await stop()),
    [Symbol.asyncDispose]: async () => void (await stop()),
  };
}
