import { z } from 'zod';

/** Who may call a route. Whether an object is the caller's is decided where the object is read. */
export const AUDIENCES = ['anyone', 'user', 'admin'] as const;
export type Audience = (typeof AUDIENCES)[number];

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/**
 * How faults of a request are told: `standard` is 422 with all of them; `tools` is the older shape of the HL7 tools;
 * `scaling` and `users` answer 400, as their clients know it.
 */
export type FaultStyle = 'standard' | 'tools' | 'scaling' | 'users';

/** One answer: JSON of a schema, nothing at all, or rows of a CSV file. */
export interface AnswerSpec {
  description: string;
  /** Null for an empty body. */
  body: z.ZodType | null;
  /** Name of the file that `format=csv` downloads. */
  csv?: string;
}

export interface RouteSpec {
  method: Method;
  /** In Fastify's spelling, with the prefix. */
  path: string;
  /** Other paths of the same route. */
  aliases?: readonly string[];
  tag: string;
  summary: string;
  who: Audience;
  params?: z.ZodObject;
  query?: z.ZodObject;
  body?: z.ZodObject;
  faults?: FaultStyle;
  /** Successes, and refusals whose body is not the usual error. */
  answers: Readonly<Record<number, AnswerSpec>>;
  /** Statuses of the usual error beside those that every route has. */
  errors?: Readonly<Record<number, string>>;
}

/** Keeps the literal types that handlers are typed by. */
export function route<const R extends RouteSpec>(spec: R): R {
  return spec;
}

export function json<const B extends z.ZodType>(description: string, body: B) {
  return { description, body };
}

/** 204: an empty body. */
export const NOTHING = { description: 'Done; the body is empty.', body: null } as const;

export const messageSchema = z.object({ message: z.string() });

/** The body of every refusal. */
export const errorSchema = z.object({ error: z.string(), code: z.string() });

export const faultsSchema = z.object({
  error: z.array(
    z.object({ loc: z.array(z.union([z.string(), z.number()])), msg: z.string(), type: z.string() }),
  ),
  message: z.string(),
  code: z.string(),
});
