import { z } from 'zod';
import type { LiveFact } from './port.ts';

/** A notification of PostgreSQL holds less than 8000 bytes. */
const MAX_BYTES = 7_900;
const MAX_MESSAGE = 1_000;

const id = z.int().positive();

const FACT = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('run'),
    runId: id,
    queued: z
      .array(
        z.object({
          jobId: z.string(),
          queue: z.string(),
          patientIteration: z.int(),
          repeatIteration: z.int(),
        }),
      )
      .optional(),
  }),
  z.object({ kind: z.literal('run_created'), runId: id }),
  z.object({ kind: z.literal('run_over'), runId: id }),
  z.object({
    kind: z.literal('listener'),
    status: z.enum(['running', 'stopped', 'error']),
    port: z.int().nullable(),
    message: z.string().nullable(),
  }),
  z.object({ kind: z.literal('listener_message'), id }),
]);

/** As text of less than 8000 bytes: of the queued jobs the newest that fit, of a message its beginning. */
export function encodeFact(fact: LiveFact): string {
  if (fact.kind === 'listener') {
    return JSON.stringify({ ...fact, message: fact.message?.slice(0, MAX_MESSAGE) ?? null });
  }
  const text = JSON.stringify(fact);
  if (fact.kind !== 'run' || !fact.queued || Buffer.byteLength(text) <= MAX_BYTES) return text;
  return encodeFact({ ...fact, queued: fact.queued.slice(Math.ceil(fact.queued.length / 2)) });
}

/** Null for what is no fact, such as one of a newer version. */
export function decodeFact(text: string): LiveFact | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return null;
  }
  const { success, data } = FACT.safeParse(parsed);
  if (!success) return null;
  if (data.kind !== 'run') return data;
  const { queued, ...run } = data;
  return queued ? { ...run, queued } : run;
}
