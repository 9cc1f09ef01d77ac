import { buildAck, hl7DateTime, readHeader } from '../../src/hl7/ack.ts';
import { createMllpServer } from '../../src/hl7/mllp-server.ts';
import { type Closeable, delay } from '../../src/lib/lifecycle.ts';

export interface CountingReceiverOptions {
  /** Every so many-th patient's messages are refused always; 0 for none. @default 0 */
  refuseEvery?: number;
  /** Every so many-th patient's first message is refused, and the next one accepted; 0 for none. @default 0 */
  refuseFirstOfEvery?: number;
  /** Before each answer, milliseconds. @default 0 */
  delayMs?: number;
  port?: number;
}

/** Counts each message by its control id, and refuses some by a rule that repeats do not upset. */
export interface CountingReceiver extends Closeable {
  readonly port: number;
  /** Times that each control id came. */
  readonly times: ReadonlyMap<string, number>;
  /** Distinct messages that are refused always. */
  readonly refused: number;
  /** Refuses nothing more. */
  heal(): void;
}

export async function startCountingReceiver(
  options: CountingReceiverOptions = {},
): Promise<CountingReceiver> {
  const { refuseEvery = 0, refuseFirstOfEvery = 0, delayMs = 0, port = 0 } = options;
  const times = new Map<string, number>();
  const places = new Map<string, number>();
  let healed = false;
  let refused = 0;
  const falls = (place: number, every: number): boolean => every > 0 && place % every === 0;
  const server = await createMllpServer({
    port,
    onMessage: async (message) => {
      const { controlId } = readHeader(message)!;
      const time = (times.get(controlId) ?? 0) + 1;
      times.set(controlId, time);
      if (time === 1) {
        places.set(controlId, places.size + 1);
        if (falls(places.size, refuseEvery)) refused++;
      }
      const place = places.get(controlId)!;
      if (delayMs > 0) await delay(delayMs);
      const refuse =
        !healed && (falls(place, refuseEvery) || (time === 1 && falls(place, refuseFirstOfEvery)));
      return buildAck(message, refuse ? 'AE' : 'AA', { dateTime: hl7DateTime(Date.now()) });
    },
  });
  return {
    port: server.port,
    times,
    get refused() {
      return refused;
    },
    heal: () => {
      healed = true;
    },
    close: () => server.close(),
    [Symbol.asyncDispose]: () => server.close(),
  };
}
