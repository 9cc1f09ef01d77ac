import type { z } from 'zod';
import type { AnswerSpec, Audience, RouteSpec } from '../contract/route.ts';
import type { RouteName, Routes } from '../contract/routes.ts';

/** Who is signed in. */
export interface User {
  id: number;
  username: string;
  isAdmin: boolean;
  /** When the credentials end, milliseconds since the epoch; null for those that do not. */
  expiresAtMs: number | null;
}

type Parsed<R, Part extends string> = R extends { [P in Part]: infer S extends z.ZodType }
  ? z.output<S>
  : Record<never, never>;

export interface Call<R extends RouteSpec> {
  params: Parsed<R, 'params'>;
  query: Parsed<R, 'query'>;
  body: Parsed<R, 'body'>;
  user: R['who'] extends Exclude<Audience, 'anyone'> ? User : null;
  /** Of the client. */
  address: string;
}

type AnswerOf<S, A extends AnswerSpec> =
  | (A['body'] extends z.ZodType ? { status: S; body: z.input<A['body']> } : { status: S })
  | (A extends { csv: string } ? { status: S; csv: AsyncIterable<string> } : never);

/** What a handler may answer: one of the answers that the contract lists. */
export type Answer<R extends RouteSpec> = {
  [S in keyof R['answers'] & number]: AnswerOf<S, R['answers'][S]>;
}[keyof R['answers'] & number];

export type Handler<R extends RouteSpec> = (call: Call<R>) => Promise<Answer<R>>;

export type Handlers = { [N in RouteName]: Handler<Routes[N]> };
