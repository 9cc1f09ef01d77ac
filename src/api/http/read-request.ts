import type { z } from 'zod';
import { YeeterError } from '../../lib/errors.ts';
import type { RouteSpec } from '../contract/route.ts';
import { type RequestFault, RequestFaults, toFaults } from './refusals.ts';

interface RawRequest {
  params: unknown;
  query: unknown;
  body: unknown;
}

/** What a handler is given of a request: parsed. */
export interface ReadRequest {
  params: unknown;
  query: unknown;
  body: unknown;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `""` in a query stands for an absent value, as forms send it. */
function withoutBlanks(query: unknown): unknown {
  if (!isObject(query)) return query;
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== ''));
}

/**
 * Parses all parts of a request and tells all faults at once. A path that names nothing that could be there is
 * NOT_FOUND, like one whose object is not there.
 * @throws {YeeterError} NOT_FOUND, VALIDATION
 */
export function readRequest(spec: RouteSpec, raw: RawRequest): ReadRequest {
  const params = spec.params?.safeParse(raw.params);
  if (params && !params.success)
    throw new YeeterError('NOT_FOUND', `there is nothing of that name: ${params.error.issues[0]?.message}`);
  const faults: RequestFault[] = [];
  const read = (schema: z.ZodObject | undefined, value: unknown): unknown => {
    if (!schema) return {};
    if (!isObject(value)) {
      faults.push({ loc: [], msg: 'the body must be a JSON object', type: 'invalid_type' });
      return {};
    }
    const parsed = schema.safeParse(value);
    if (!parsed.success) faults.push(...toFaults(parsed.error.issues));
    return parsed.data;
  };
  const query = read(spec.query, withoutBlanks(raw.query ?? {}));
  const body = read(spec.body, raw.body ?? (raw.body === null ? null : {}));
  if (faults.length > 0) throw new RequestFaults(faults);
  return { params: params?.data ?? {}, query, body };
}
