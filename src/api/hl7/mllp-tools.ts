import { guardEndpoint } from '../../domain/target-guard.ts';
import { hl7DateTime, parseAck, readHeader } from '../../hl7/ack.ts';
import { decodeMessage, encodeMessage } from '../../hl7/charset.ts';
import { createMllpPool, type MllpResult } from '../../hl7/mllp-pool.ts';
import type { Clock } from '../../lib/clock.ts';
import { YeeterError } from '../../lib/errors.ts';
import type { ServerStore } from '../../storage/server-port.ts';
import { fault } from '../http/refusals.ts';

export interface MllpAddress {
  host: string;
  port: number;
}

export interface MllpTools {
  /** @throws {YeeterError} TARGET_REFUSED, VALIDATION */
  send(address: MllpAddress, message: string): Promise<MllpResult>;
  /** A message without a patient. @throws {YeeterError} TARGET_REFUSED */
  ping(address: MllpAddress): Promise<MllpResult>;
}

/** For the connection and the answer together. */
const PATIENCE_MS = 10_000;

/** What a peer answered, as text. */
export function replyText(reply: Buffer): string {
  try {
    return decodeMessage(reply);
  } catch {
    // It names a character set that we do not know: every byte is a character in this one.
    return reply.toString('latin1');
  }
}

/** Whether a peer answered with HL7, be it that it refused the message. */
export function isHl7Answer(result: MllpResult): boolean {
  return result.ack !== null && parseAck(result.ack) !== null;
}

/** CR behind every segment, whatever ended the lines of an editor. */
function withSegmentEnds(message: string): string {
  return `${message.replace(/\r\n?|\n/g, '\r').replace(/\r+$/, '')}\r`;
}

export function createMllpTools({
  store,
  clock,
}: {
  store: Pick<ServerStore, 'listTargets'>;
  clock: Clock;
}): MllpTools {
  const guard = async ({ host, port }: MllpAddress): Promise<void> => {
    const endpoint = {
      name: `${host}:${port}`,
      endpointType: 'MLLP' as const,
      hostname: host,
      port,
      aeTitle: null,
      callingAeTitle: null,
    };
    const guarded = guardEndpoint(endpoint, await store.listTargets(), clock.nowMs());
    if (!guarded.ok) throw new YeeterError(guarded.code, guarded.message);
  };

  const exchange = async ({ host, port }: MllpAddress, message: Buffer): Promise<MllpResult> => {
    await using pool = createMllpPool({
      host,
      port,
      connectTimeoutMs: PATIENCE_MS / 2,
      responseTimeoutMs: PATIENCE_MS,
      clock,
    });
    return await pool.send(message, { signal: AbortSignal.timeout(PATIENCE_MS) });
  };

  return {
    send: async (address, text) => {
      const message = encodeMessage(withSegmentEnds(text));
      if (readHeader(message) === null)
        throw fault(['message'], 'does not begin with an MSH segment', 'hl7_invalid');
      await guard(address);
      return await exchange(address, message);
    },
    ping: async (address) => {
      await guard(address);
      const nowMs = clock.nowMs();
      const header = `MSH|^~\\&|YEETER|YEETER|||${hl7DateTime(nowMs)}||NMQ^N01|PING${nowMs}|T|2.5.1`;
      return await exchange(address, Buffer.from(`${header}\rQRD|${hl7DateTime(nowMs)}|R|I|PING\r`));
    },
  };
}
