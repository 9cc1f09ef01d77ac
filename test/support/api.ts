import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { z } from 'zod';
import { type Api, type ApiDeps, type ApiSettings, createApi, DEFAULT_SETTINGS } from '../../src/api/app.ts';
import type { Method, RouteSpec } from '../../src/api/contract/route.ts';
import { ROUTES, type RouteName, type Routes } from '../../src/api/contract/routes.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { Closeable } from '../../src/lib/lifecycle.ts';
import { createLocalLive, type LocalLive } from '../../src/live/local-live.ts';
import { openPgliteStore } from '../../src/storage/pglite/open-pglite-store.ts';
import type { ServerStore } from '../../src/storage/server-port.ts';
import { type StubQueues, stubQueues } from './stub-queues.ts';
import { stubScaling } from './stub-scaling.ts';

export interface Person {
  id: number;
  username: string;
  token: string;
}

export interface CallOptions {
  as?: Person | null;
  body?: unknown;
  headers?: Record<string, string>;
}

export type Fields = Readonly<Record<string, unknown>>;

export interface Reply {
  status: number;
  /** Parsed where it is JSON; else empty. */
  body: Fields;
  text: string;
  headers: Record<string, unknown>;
}

export interface OkOptions extends Omit<CallOptions, 'as'> {
  /** The administrator unless said otherwise. */
  as?: Person;
  params?: Readonly<Record<string, string | number>>;
  query?: Readonly<Record<string, string | number | boolean>>;
}

type SuccessStatus = 200 | 201 | 202;

/** The body of a route's success, as the contract has it. */
export type Success<R extends RouteSpec> = {
  [S in keyof R['answers'] & SuccessStatus]: R['answers'][S] extends { body: infer B extends z.ZodType }
    ? z.output<B>
    : never;
}[keyof R['answers'] & SuccessStatus];

export interface TestApi extends Closeable {
  api: Api;
  store: ServerStore;
  live: LocalLive;
  queues: StubQueues;
  admin: Person;
  lines: string[];
  /** A user who is nobody else. */
  user(name?: string): Promise<Person>;
  /** Asks, and holds the answer to the contract. */
  call(method: Method | 'PATCH' | 'OPTIONS', path: string, options?: CallOptions): Promise<Reply>;
  /** Asks a route by its name; any other status than that of success fails. */
  ok<N extends RouteName>(name: N, options?: OkOptions): Promise<Success<Routes[N]>>;
  /** The same server with other settings on the same store. */
  another(change: { settings?: Partial<ApiSettings>; deps?: Partial<ApiDeps> }): Promise<Api>;
}

export const PASSWORD = 'correct horse';

const SETTINGS: ApiSettings = {
  ...DEFAULT_SETTINGS,
  jwtSecret: 'a secret of tests, which is long enough',
  passwordCost: 8,
  signInsPerMinute: 1000,
  registrationsPerHour: 10_000,
  badCredentialsPerMinute: 100_000,
};

/** A server on a store of its own, without sockets: requests are injected. */
export async function openTestApi(): Promise<TestApi> {
  const dataDir = await mkdtemp(join(tmpdir(), 'yeeter-api-'));
  const store = await openPgliteStore({ dataDir });
  const live = createLocalLive();
  const queues = stubQueues();
  const lines: string[] = [];
  const deps: ApiDeps = {
    store,
    live,
    queues,
    scaling: stubScaling(systemClock),
    settings: SETTINGS,
    clock: systemClock,
    log: (line) => void lines.push(line),
    brokerHealth: async () => {},
    isBuiltInSink: () => false,
  };
  const api = await createApi(deps);
  const others: Api[] = [];
  let people = 0;

  const call: TestApi['call'] = async (method, path, options = {}) => await ask(api, method, path, options);
  const user = async (name = `user ${++people}`): Promise<Person> => {
    const email = `${name.replaceAll(' ', '.')}@example.org`;
    const { body } = await call('POST', '/api/auth/register', {
      body: { username: name, email, password: PASSWORD },
    });
    const { id } = (await store.findUser(name))!;
    return { id, username: name, token: String(body.access_token) };
  };
  const admin = await user('admin');
  const ok: TestApi['ok'] = async (name, options = {}) => {
    const { as = admin, params = {}, query = {}, ...rest } = options;
    const spec: RouteSpec = ROUTES[name];
    const path = spec.path.replace(/:(\w+)/g, (_, key: string) => encodeURIComponent(params[key] ?? ''));
    const search = new URLSearchParams(
      Object.fromEntries(Object.entries(query).map(([key, value]) => [key, String(value)])),
    );
    const reply = await call(spec.method, search.size > 0 ? `${path}?${search}` : path, { ...rest, as });
    assert.ok(reply.status < 300, `${spec.method} ${path} -> ${reply.status} ${reply.text}`);
    return reply.body as Success<Routes[typeof name]>;
  };
  const close = async (): Promise<void> => {
    for (const other of others) await other.close();
    await api.close();
    await live.close();
    await store.close();
    await rm(dataDir, { recursive: true, force: true });
  };
  return {
    api,
    store,
    live,
    queues,
    admin,
    lines,
    user,
    call,
    ok,
    another: async ({ settings, deps: change }) => {
      const other = await createApi({ ...deps, ...change, settings: { ...SETTINGS, ...settings } });
      others.push(other);
      return other;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

export async function ask(
  { app }: Api,
  method: Method | 'PATCH' | 'OPTIONS',
  path: string,
  { as, body, headers = {} }: CallOptions = {},
): Promise<Reply> {
  const reply = await app.inject({
    method,
    url: path,
    headers: { ...(as ? { authorization: `Bearer ${as.token}` } : {}), ...headers },
    ...(body === undefined ? {} : { payload: body as object }),
  });
  const isJson = String(reply.headers['content-type'] ?? '').startsWith('application/json');
  const answer = {
    status: reply.statusCode,
    body: (isJson ? JSON.parse(reply.body) : {}) as Fields,
    text: reply.body,
    headers: reply.headers,
  };
  holdToContract(method, path, answer);
  return answer;
}

export const ALL_ROUTES = Object.entries(ROUTES) as [name: keyof typeof ROUTES, RouteSpec][];

const MATCHERS = ALL_ROUTES.flatMap(([, spec]) =>
  [spec.path, ...(spec.aliases ?? [])].map((path) => ({
    spec,
    pattern: new RegExp(`^${path.replaceAll('.', '\\.').replace(/:\w+/g, '[^/]+')}$`),
  })),
);

/** Successes have the form that the contract says; every refusal is JSON with an error and a code. */
function holdToContract(method: string, path: string, { status, body, text }: Reply): void {
  const asked = path.split('?')[0]!;
  const spec = MATCHERS.find(({ spec: one, pattern }) => one.method === method && pattern.test(asked))?.spec;
  const answer = spec?.answers[status];
  const where = `${method} ${path} -> ${status} ${text.slice(0, 500)}`;
  if (status === 204) assert.equal(text, '', where);
  if (answer?.body && /^[[{]/.test(text)) {
    const parsed = answer.body.safeParse(body);
    assert.ok(parsed.success, `${where}\n${parsed.error?.message}`);
  } else if (status >= 400) {
    assert.ok(body.error ?? body.message, where);
    assert.equal(typeof body.code, 'string', where);
    assert.doesNotMatch(text, /node_modules|\.ts:\d+|at \w+ \(/, where);
  }
}
