import type { IncomingMessage } from 'node:http';
import cors from '@fastify/cors';
import helmet from '@fastify/helmet';
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { toYeeterError, YeeterError } from '../lib/errors.ts';
import type { Closeable } from '../lib/lifecycle.ts';
import { VERSION } from '../lib/version.ts';
import { createAudit } from './audit.ts';
import { type Authenticator, createAuthenticator } from './auth/authenticate.ts';
import { createKeyUses } from './auth/key-uses.ts';
import { createPasswords } from './auth/password.ts';
import { createRateLimit, type RateLimit } from './auth/rate-limit.ts';
import { createTokens } from './auth/tokens.ts';
import { openApiDocument } from './contract/openapi.ts';
import type { ApiDeps } from './deps.ts';
import { docsPage, type OpenApiDocument, STYLE_HASH } from './docs/docs-page.ts';
import { createListener, type Listener } from './hl7/listener.ts';
import { createMllpTools } from './hl7/mllp-tools.ts';
import { bindRoutes } from './http/bind-routes.ts';
import { clientAddress } from './http/client-address.ts';
import { corsOptions } from './http/cors-options.ts';
import { createErrorAnswer, refusalOf } from './http/error-answer.ts';
import type { Handlers, User } from './http/handlers.ts';
import { readJsonBodies } from './http/json-body.ts';
import { createApiKeyRoutes } from './routes/api-key-routes.ts';
import { createAuthRoutes } from './routes/auth-routes.ts';
import { createEndpointRoutes } from './routes/endpoint-routes.ts';
import { createGeneratorRoutes } from './routes/generator-routes.ts';
import { createMetricRoutes } from './routes/metric-routes.ts';
import { createQueueRoutes } from './routes/queue-routes.ts';
import { createRunRoutes } from './routes/run-routes.ts';
import { createScalingRoutes } from './routes/scaling-routes.ts';
import { createSystemRoutes } from './routes/system-routes.ts';
import { createTemplateRoutes } from './routes/template-routes.ts';
import { createToolRoutes } from './routes/tool-routes.ts';
import { createUserRoutes } from './routes/user-routes.ts';
import { createRunDeletion, type RunDeletion } from './runs/delete-runs.ts';
import { mayRead } from './runs/run-access.ts';
import { createRunStart } from './runs/start-run.ts';

export type { ApiDeps } from './deps.ts';
export { type ApiSettings, DEFAULT_SETTINGS } from './settings.ts';

export interface Api extends Closeable {
  /** Not listening yet; more routes may be registered, and `app.server` is the HTTP server for Socket.IO. */
  readonly app: FastifyInstance;
  /**
   * Whose a token or API key is that came with a connection; null when it is worth nothing. Wrong ones count against
   * the client's address as those of requests do. @throws {YeeterError} TOO_MANY_REQUESTS
   */
  signIn(credential: string, connection: IncomingMessage): Promise<User | null>;
  /** Whose a token or API key is that was good before; null when it is worth nothing any more. */
  authenticate(credential: string): Promise<User | null>;
  /** Whether a run is a user's to see; false when it is not there. */
  mayWatch(user: Pick<User, 'id' | 'isAdmin'>, runId: number): Promise<boolean>;
  isAdmin(request: FastifyRequest): Promise<boolean>;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const MAX_PARAMETER_LENGTH = 255;

/** The REST interface over what it is given. Nothing of a run happens here: a runner claims what is started. */
export async function createApi(deps: ApiDeps): Promise<Api> {
  const { settings, store, clock, log } = deps;
  const now = (): number => clock.monotonicUs() / 1000;
  const limitOf = (limit: number, windowMs: number): RateLimit => createRateLimit({ limit, windowMs, now });
  const tokens = createTokens({ secret: settings.jwtSecret, expiresHours: settings.jwtExpiresHours, clock });
  const keyUses = createKeyUses({ store, clock, log });
  const authenticator = createAuthenticator({
    store,
    tokens,
    keyUses,
    badCredentials: limitOf(settings.badCredentialsPerMinute, MINUTE_MS),
  });
  const deletion = createRunDeletion({ store, log });
  const listener = createListener({ store, live: deps.live, clock, host: settings.listenerHost, log });
  const openApi = openApiDocument(VERSION);
  const audit = createAudit(store, clock);

  const handlers: Handlers = {
    ...createAuthRoutes({
      store,
      passwords: createPasswords(settings.passwordCost),
      tokens,
      signIns: limitOf(settings.signInsPerMinute, MINUTE_MS),
      registrations: limitOf(settings.registrationsPerHour, HOUR_MS),
      registrationOpen: settings.registrationOpen,
    }),
    ...createApiKeyRoutes({ store }),
    ...createUserRoutes({ store, audit }),
    ...createGeneratorRoutes({ store, audit }),
    ...createTemplateRoutes({ store }),
    ...createEndpointRoutes({ store, audit }),
    ...createRunRoutes({ store, startRun: createRunStart(deps), deletion, clock }),
    ...createMetricRoutes({ store, clock }),
    ...createScalingRoutes({ store, scaling: deps.scaling, audit, clock }),
    ...createQueueRoutes({ queues: deps.queues, store, audit }),
    ...createToolRoutes({ store, tools: createMllpTools({ store, clock }), listener }),
    ...createSystemRoutes({ store, brokerHealth: deps.brokerHealth, clock, openApi }),
  };
  const app = await createApp(deps, {
    handlers,
    authenticator,
    page: docsPage(openApi as unknown as OpenApiDocument),
  });
  return apiOf(deps, app, { authenticator, parts: [listener, deletion, keyUses] });
}

interface AppParts {
  handlers: Handlers;
  authenticator: Authenticator;
  page: string;
}

async function createApp({ settings, log }: ApiDeps, parts: AppParts): Promise<FastifyInstance> {
  const answerError = createErrorAnswer(log);
  const app = fastify({
    bodyLimit: settings.bodyLimitBytes,
    requestTimeout: settings.requestTimeoutMs,
    trustProxy: settings.trustProxy,
    exposeHeadRoutes: false,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: MAX_PARAMETER_LENGTH },
    frameworkErrors: (error, request, reply) => answerError(error, request, reply, 'standard'),
    clientErrorHandler: (_, socket) => {
      if (!socket.writable) return socket.destroy();
      const error = new YeeterError(
        'REQUEST_MALFORMED',
        'the request is not HTTP, or its headers are too large',
      );
      const body = JSON.stringify(refusalOf(error, 'standard').body);
      const head = `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close`;
      socket.end(`HTTP/1.1 400 Bad Request\r\n${head}\r\n\r\n${body}`);
    },
  });
  app.setErrorHandler((error, request, reply) => answerError(error, request, reply, 'standard'));
  app.setNotFoundHandler((request, reply) => {
    const route = `${request.method} ${request.url.split('?')[0]}`.slice(0, 200);
    const error = new YeeterError('NOT_FOUND', `there is no route ${route}: /api/docs lists all of them`);
    return answerError(error, request, reply, 'standard');
  });
  readJsonBodies(app);
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { 'default-src': ["'none'"], 'style-src': [STYLE_HASH], 'frame-ancestors': ["'none'"] },
    },
    // Most servers of this kind are reached by plain HTTP within a hospital; a proxy with TLS adds its own.
    strictTransportSecurity: false,
    crossOriginResourcePolicy: { policy: 'cross-origin' },
  });
  await app.register(cors, { delegator: corsOptions(settings.corsOrigins) });
  app.addHook('onRequest', async (_, reply) => {
    // Answers hold tokens, keys and names.
    reply.header('cache-control', 'no-store');
  });
  const { handlers, authenticator, page } = parts;
  bindRoutes(app, { handlers, authenticator, answerError, timeoutMs: settings.requestTimeoutMs });
  app.get('/api/docs', async (_, reply) => reply.type('text/html; charset=utf-8').send(page));
  return app;
}

interface ApiParts {
  authenticator: Authenticator;
  parts: readonly [Listener, RunDeletion, Closeable];
}

function apiOf({ store, settings }: ApiDeps, app: FastifyInstance, { authenticator, parts }: ApiParts): Api {
  const mayWatch: Api['mayWatch'] = async (user, runId) => {
    try {
      return mayRead(user, await store.runSummary(runId));
    } catch (error) {
      if (toYeeterError(error).code === 'RUN_NOT_FOUND') return false;
      throw error;
    }
  };
  let closing: Promise<void> | null = null;
  const close = (): Promise<void> => {
    closing ??= (async () => {
      await app.close();
      for (const part of parts) await part.close();
    })();
    return closing;
  };
  return {
    app,
    signIn: (credential, connection) =>
      authenticator.signIn(credential, clientAddress(connection, settings.trustProxy)),
    authenticate: authenticator.fromCredential,
    mayWatch,
    isAdmin: async (request) =>
      await authenticator.fromHeaders(request.headers, request.ip).then(
        (user) => user.isAdmin,
        () => false,
      ),
    close,
    [Symbol.asyncDispose]: close,
  };
}
