import { readFile } from 'node:fs/promises';
import { readHeader } from '../hl7/ack.ts';
import { FS, VT } from '../hl7/mllp-codec.ts';
import { createMllpPool, type MllpResult } from '../hl7/mllp-pool.ts';
import { YeeterError } from '../lib/errors.ts';

export interface SendHl7Options {
  file: string;
  host: string;
  port: number;
  /** For the connection and for each acknowledgement; 10,000 ms unless set. */
  timeoutMs?: number;
  signal?: AbortSignal;
  /** Told of each message as its result is known. */
  onSent?: (sent: SentMessage) => void;
}

export interface SentMessage {
  /** Counts from 1. */
  number: number;
  controlId: string;
  sizeBytes: number;
  result: MllpResult;
}

/**
 * The messages of a file, each with CR behind every segment, whatever ended its lines. A message begins with a line
 * that begins with MSH; MLLP marks, a byte order mark and the batch segments FHS, BHS, BTS and FTS are left out.
 */
export function splitMessages(content: Buffer): Buffer[] {
  // One character a byte, so that every character set comes through.
  const text = content
    .toString('latin1')
    .replaceAll(String.fromCharCode(VT), '\r')
    .replaceAll(String.fromCharCode(FS), '\r');
  const lines = text.replace(/^\u00ef\u00bb\u00bf/, '').split(/[\r\n]+/);
  const messages: string[] = [];
  for (const line of lines) {
    if (line === '' || /^(FHS|BHS|BTS|FTS)/.test(line)) continue;
    if (line.startsWith('MSH')) messages.push(`${line}\r`);
    else if (messages.length > 0) messages[messages.length - 1] += `${line}\r`;
  }
  return messages.map((message) => Buffer.from(message, 'latin1'));
}

/**
 * Sends each message of a file over one connection, in order, going on behind a failed one.
 * @throws YeeterError USAGE when the file cannot be read, HL7_PARSE when it holds no message
 */
export async function sendHl7File(options: SendHl7Options): Promise<SentMessage[]> {
  const { file, host, port, timeoutMs = 10_000, signal, onSent } = options;
  const content = await readFile(file).catch((error: Error) => {
    throw new YeeterError('USAGE', `cannot read ${file}: ${error.message}`, { cause: error });
  });
  const messages = splitMessages(content);
  if (messages.length === 0) {
    throw new YeeterError('HL7_PARSE', `${file} holds no HL7 message: no line begins with MSH`);
  }
  await using pool = createMllpPool({
    host,
    port,
    connectTimeoutMs: timeoutMs,
    responseTimeoutMs: timeoutMs,
  });
  const sent: SentMessage[] = [];
  for (const [index, message] of messages.entries()) {
    const result = await pool.send(message, signal === undefined ? {} : { signal });
    const entry = {
      number: index + 1,
      controlId: readHeader(message)?.controlId ?? '',
      sizeBytes: message.length,
      result,
    };
    sent.push(entry);
    onSent?.(entry);
  }
  return sent;
}
