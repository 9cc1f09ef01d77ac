import { z } from 'zod';
import { YeeterError } from '../../lib/errors.ts';
import { printable } from './printable.ts';

/** Where servers of all versions say what was wrong, in the order in which clients look. */
const MESSAGE_FIELDS = ['error', 'message', 'detail', 'msg'] as const;

const FAULT = z.looseObject({
  loc: z.array(z.union([z.string(), z.number()])).default([]),
  msg: z.string(),
});

const MAX_TEXT = 500;

export interface Answer {
  method: string;
  path: string;
  status: number;
  body: string;
}

/**
 * What an answer of 400 or above means, as the server says it; each fault of a validation on a line of its own.
 * A 401 is `UNAUTHENTICATED`, everything else `SERVER_REFUSED`.
 */
export function answerError({ method, path, status, body }: Answer): YeeterError {
  const json = parsed(body);
  const said = messageOf(json) ?? (printable(body).trim().slice(0, MAX_TEXT) || `${method} ${path} failed`);
  const code = typeof json?.code === 'string' ? ` ${printable(json.code)}` : '';
  if (status === 401) {
    return new YeeterError('UNAUTHENTICATED', `${said} (401${code}): run "yeeter login" or "yeeter api-key"`);
  }
  return new YeeterError('SERVER_REFUSED', `${said}\n  (${method} ${path}: ${status}${code})`, {
    retryable: status >= 500 || status === 429,
  });
}

function parsed(body: string): Record<string, unknown> | null {
  try {
    const json: unknown = JSON.parse(body);
    return typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function messageOf(json: Record<string, unknown> | null): string | null {
  for (const field of MESSAGE_FIELDS) {
    const said = saidBy(json?.[field]);
    if (said !== null) return said;
  }
  return json === null ? null : printable(JSON.stringify(json)).slice(0, MAX_TEXT);
}

function saidBy(value: unknown): string | null {
  if (typeof value === 'string') return printable(value).trim() || null;
  if (!Array.isArray(value) || value.length === 0) return null;
  const lines = value.map((entry: unknown) => {
    const fault = FAULT.safeParse(entry);
    if (!fault.success) return typeof entry === 'string' ? entry : JSON.stringify(entry);
    const { loc, msg } = fault.data;
    return loc.length === 0 ? msg : `${loc.join('.')}: ${msg}`;
  });
  return ['the server found faults:', ...lines.map((line) => `  ${printable(line)}`)].join('\n');
}
