import type { AsyncMessage, Envelope, SyncMessage } from 'rabbitmq-client';
import type { Job } from '../../domain/job.ts';
import { decodeJob, encodeJob } from '../../domain/job-schema.ts';

/**
 * Our headers: what befell a message since its job was first published, when it has none. What every message had, broker
 * and client would read of every message.
 */
export const HEADER = {
  /** From the second on. */
  attempt: 'yeeter-attempt',
  /** When a delayed message is due, milliseconds since the epoch. */
  due: 'yeeter-due',
  requeues: 'yeeter-requeues',
  /** Published again because the connection was lost before the confirm: it may be on the queue twice. */
  repeated: 'yeeter-repeated',
  // of dead letters, for people
  run: 'yeeter-run',
  origin: 'yeeter-origin',
  attempts: 'yeeter-attempts',
  error: 'yeeter-error',
  reason: 'yeeter-reason',
  diedAt: 'yeeter-died-at',
} as const;

export type Headers = Record<string, string | number>;

/** One message on its way to a queue. */
export interface Outgoing {
  queue: string;
  body: Buffer;
  messageId: string;
  headers: Headers;
}

type Received = AsyncMessage | SyncMessage;

/** Longer messages are none of ours. */
export const MAX_BODY_BYTES = 1024 * 1024;
const MAX_ERROR_LENGTH = 500;

export function jobMessage(queue: string, job: Job, more: Headers = {}): Outgoing {
  return {
    queue,
    body: Buffer.from(encodeJob(job)),
    messageId: job.jobId,
    headers: job.attempt > 1 ? { [HEADER.attempt]: job.attempt, ...more } : more,
  };
}

/** @param dead null when the message is no job */
export function deadLetterHeaders(origin: string, dead: Job | null, error: string, nowMs: number): Headers {
  return {
    ...(dead && { [HEADER.run]: dead.runId }),
    [HEADER.origin]: origin,
    [HEADER.attempts]: dead?.attempt ?? 0,
    [HEADER.error]: error.slice(0, MAX_ERROR_LENGTH),
    [HEADER.diedAt]: nowMs,
  };
}

/** The same message for another queue, byte for byte, with our own headers and `more`. */
export function copyOf(message: Received, queue: string, more: Headers): Outgoing {
  const headers: Headers = {};
  for (const [name, value] of Object.entries(message.headers ?? {})) {
    if (name.startsWith('yeeter-') && (typeof value === 'string' || typeof value === 'number')) {
      headers[name] = value;
    }
  }
  return {
    queue,
    body: bodyOf(message),
    messageId: message.messageId ?? '',
    headers: { ...headers, ...more },
  };
}

/** Without a content type the client leaves the body as it is, and whoever reads it takes it for what it is: JSON. */
export function envelopeOf(message: Outgoing, correlationId: string, repeated: boolean): Envelope {
  const headers = repeated ? { ...message.headers, [HEADER.repeated]: 1 } : message.headers;
  const envelope: Envelope = {
    exchange: '',
    routingKey: message.queue,
    mandatory: true,
    durable: true,
    messageId: message.messageId,
    correlationId,
    // The client would write one.
    timestamp: undefined,
  };
  return Object.keys(headers).length === 0 ? envelope : { ...envelope, headers };
}

/** The client parses what others publish as text or JSON. */
export function bodyOf(message: Received): Buffer {
  const { body } = message as { body: unknown };
  if (Buffer.isBuffer(body)) return body;
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}

export type Reading =
  | { kind: 'job'; job: Job }
  /** Of a later version of the program. */
  | { kind: 'newer'; reason: string }
  /** No job of this deployment. */
  | { kind: 'foreign'; reason: string };

export function readMessage(message: Received, deploymentId: string): Reading {
  const body = bodyOf(message);
  if (body.length > MAX_BODY_BYTES) {
    return {
      kind: 'foreign',
      reason: `message of ${body.length} bytes: a job has at most ${MAX_BODY_BYTES}`,
    };
  }
  const decoded = decodeJob(body.toString('utf8'));
  if (!decoded.ok) {
    return { kind: decoded.code === 'JOB_VERSION' ? 'newer' : 'foreign', reason: decoded.message };
  }
  if (decoded.job.deploymentId !== deploymentId) {
    const reason = `job of deployment ${decoded.job.deploymentId}, not of ours (${deploymentId}): two deployments share this queue`;
    return { kind: 'foreign', reason };
  }
  return { kind: 'job', job: decoded.job };
}

export function numberHeader(message: Received, name: string): number {
  const value: unknown = message.headers?.[name];
  return typeof value === 'number' ? value : 0;
}

/** Times that the broker, or a publisher in doubt, may have handed this message out before. */
export function deliveryCountOf(message: Received): number {
  const counted = Math.max(numberHeader(message, 'x-delivery-count'), message.redelivered ? 1 : 0);
  return counted + numberHeader(message, HEADER.repeated);
}
