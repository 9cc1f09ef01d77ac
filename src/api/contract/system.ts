import { z } from 'zod';
import { text, time } from './fields.ts';
import { json, route } from './route.ts';

const health = z.object({
  status: z.enum(['healthy', 'unhealthy']),
  database: z.enum(['connected', 'disconnected']),
  broker: z.enum(['connected', 'disconnected']),
  version: text,
});

export const systemRoutes = {
  health: route({
    method: 'GET',
    path: '/api/health',
    tag: 'System',
    summary: 'Whether the server and what it stands on work',
    who: 'anyone',
    answers: { 200: json('All of it works.', health), 503: json('Something does not.', health) },
  }),
  liveness: route({
    method: 'GET',
    path: '/api/health/live',
    tag: 'System',
    summary: 'Whether the process answers at all',
    who: 'anyone',
    answers: { 200: json('It does.', z.object({ status: z.literal('alive'), at: time })) },
  }),
  readiness: route({
    method: 'GET',
    path: '/api/health/ready',
    tag: 'System',
    summary: 'Whether requests can be served',
    who: 'anyone',
    answers: { 200: json('They can.', health), 503: json('They cannot for now.', health) },
  }),
  openapi: route({
    method: 'GET',
    path: '/api/openapi.json',
    tag: 'System',
    summary: 'This interface as OpenAPI 3.1',
    who: 'anyone',
    answers: { 200: json('The document.', z.record(z.string(), z.unknown())) },
  }),
} as const;
