import { z } from 'zod';
import { type AnswerSpec, errorSchema, faultsSchema, type RouteSpec } from './route.ts';
import { ROUTES } from './routes.ts';

type Json = Record<string, unknown>;

/** Answers that every route may give. */
const COMMON: Readonly<Record<number, string>> = {
  400: 'The request cannot be read.',
  413: 'The request is larger than the server takes.',
  503: 'The server cannot answer at the moment.',
};

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Json;
  return json;
}

/** OpenAPI writes `{id}` where Fastify writes `:id`. */
function openApiPath(path: string): string {
  return path.replace(/:(\w+)/g, '{$1}');
}

function parametersOf(schema: z.ZodObject | undefined, place: 'path' | 'query'): Json[] {
  if (!schema) return [];
  const { properties = {}, required = [] } = schemaOf(schema, 'input') as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema: property,
  }));
}

function content(schema: z.ZodType): Json {
  return { 'application/json': { schema: schemaOf(schema, 'output') } };
}

function answerOf({ description, body, csv }: AnswerSpec): Json {
  if (body === null) return { description };
  return {
    description,
    content: { ...content(body), ...(csv ? { 'text/csv': { schema: { type: 'string' } } } : {}) },
  };
}

function refusals(spec: RouteSpec): Json {
  const statuses: Record<number, string> = { ...COMMON, ...spec.errors };
  if (spec.who !== 'anyone') statuses[401] ??= 'Credentials are missing or wrong.';
  if (spec.who === 'admin') statuses[403] ??= 'For administrators.';
  if (spec.params) statuses[404] ??= 'There is no such object, or it is not yours.';
  const answers: Json = {};
  for (const [status, description] of Object.entries(statuses))
    if (!(Number(status) in spec.answers)) answers[status] = { description, content: content(errorSchema) };
  if (spec.body || spec.query)
    answers[422] = { description: 'Faults, all of them.', content: content(faultsSchema) };
  return answers;
}

function operation(name: string, spec: RouteSpec): Json {
  const { body, who } = spec;
  return {
    operationId: name,
    tags: [spec.tag],
    summary: spec.summary,
    ...(who === 'anyone' ? { security: [] } : {}),
    'x-who-may': who,
    parameters: [...parametersOf(spec.params, 'path'), ...parametersOf(spec.query, 'query')],
    ...(body
      ? { requestBody: { content: { 'application/json': { schema: schemaOf(body, 'input') } } } }
      : {}),
    responses: {
      ...Object.fromEntries(
        Object.entries(spec.answers).map(([status, answer]) => [status, answerOf(answer)]),
      ),
      ...refusals(spec),
    },
  };
}

/** The contract as OpenAPI 3.1. */
export function openApiDocument(version: string): Json {
  const paths: Record<string, Json> = {};
  for (const [name, spec] of Object.entries(ROUTES) as [string, RouteSpec][]) {
    const path = openApiPath(spec.path);
    paths[path] = { ...paths[path], [spec.method.toLowerCase()]: operation(name, spec) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Yeeter',
      version,
      description: 'Plays a radiology department against systems under test, and measures them.',
    },
    paths,
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
        apiKey: { type: 'apiKey', in: 'header', name: 'x-api-key' },
      },
    },
    security: [{ token: [] }, { apiKey: [] }],
  };
}
