import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { createFactPacer } from './fact-pacer.ts';
import { createFanOut } from './fan-out.ts';
import type { LiveFact, LivePort } from './port.ts';

/** Facts within one process. Other threads take part through a port each. */
export interface LocalLive extends LivePort {
  /** For `connectLive` on another thread. It does not keep the process. */
  connectPort(): MessagePort;
}

/** What goes over the port. A thread is told facts once it asks for them. */
type BridgeMessage = { type: 'fact'; fact: LiveFact } | { type: 'listen' };

export function createLocalLive(): LocalLive {
  const listeners = createFanOut();
  const pacer = createFactPacer(listeners.tell);
  const ports = new Set<MessagePort>();

  const connectPort = (): MessagePort => {
    const { port1: ours, port2: theirs } = new MessageChannel();
    ports.add(ours);
    let stopTelling = (): void => {};
    ours.on('message', (message: BridgeMessage) => {
      // Those of another thread are paced there.
      if (message.type === 'fact') return listeners.tell(message.fact);
      stopTelling = listeners.add((fact) => ours.postMessage({ type: 'fact', fact } satisfies BridgeMessage));
    });
    ours.on('close', () => {
      stopTelling();
      ports.delete(ours);
    });
    ours.unref();
    return theirs;
  };

  const close = async (): Promise<void> => {
    pacer.close();
    listeners.clear();
    for (const port of ports) port.close();
  };
  return {
    publish: pacer.push,
    subscribe: listeners.add,
    connectPort,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** The same facts on another thread. `close()` closes the port. */
export function connectLive(port: MessagePort): LivePort {
  const post = (message: BridgeMessage): void => port.postMessage(message);
  const listeners = createFanOut(() => post({ type: 'listen' }));
  const pacer = createFactPacer((fact) => post({ type: 'fact', fact }));
  port.on('message', (message: BridgeMessage) => {
    if (message.type === 'fact') listeners.tell(message.fact);
  });
  port.unref();

  const close = async (): Promise<void> => {
    pacer.close();
    listeners.clear();
    port.close();
  };
  return { publish: pacer.push, subscribe: listeners.add, close, [Symbol.asyncDispose]: close };
}
