import { z } from 'zod';
import { ENDPOINT_TYPES } from '../../domain/endpoint.ts';
import { aeTitle, expects, integer, line, oneOf } from '../../domain/schema-fields.ts';
import { idParams, objectId, text } from './fields.ts';
import { json, NOTHING, route } from './route.ts';

const endpoint = z.object({
  id: objectId,
  user_id: objectId,
  name: text,
  endpoint_type: z.enum(ENDPOINT_TYPES),
  hostname: text,
  port: z.int(),
  ae_title: text.nullable(),
  aet_title: text.nullable(),
});

/** Characters that a host name or address may have; what it means is its resolver's affair. */
const hostname = line(253).regex(/^[^\s/@?#\\]+$/, { error: expects('a host name or an address') });

const fields = {
  name: line(100),
  endpoint_type: oneOf(ENDPOINT_TYPES),
  hostname,
  port: integer(1, 65_535),
  ae_title: aeTitle().nullish(),
  aet_title: aeTitle().nullish(),
};

export const endpointRoutes = {
  listEndpoints: route({
    method: 'GET',
    path: '/api/endpoints',
    aliases: ['/api/simulator/endpoints'],
    tag: 'Endpoints',
    summary: 'All systems under test, by name',
    who: 'user',
    answers: { 200: json('The endpoints.', z.array(endpoint)) },
  }),
  createEndpoint: route({
    method: 'POST',
    path: '/api/endpoints',
    aliases: ['/api/simulator/endpoints'],
    tag: 'Endpoints',
    summary:
      'Keeps a system under test. What is not on this machine is refused when it is used, until it is registered as a ' +
      'test system',
    who: 'admin',
    body: z.object(fields),
    answers: { 201: json('The endpoint.', endpoint) },
  }),
  getEndpoint: route({
    method: 'GET',
    path: '/api/endpoints/:id',
    aliases: ['/api/simulator/endpoints/:id'],
    tag: 'Endpoints',
    summary: 'One system under test',
    who: 'user',
    params: idParams,
    answers: { 200: json('The endpoint.', endpoint) },
  }),
  updateEndpoint: route({
    method: 'PUT',
    path: '/api/endpoints/:id',
    aliases: ['/api/simulator/endpoints/:id'],
    tag: 'Endpoints',
    summary: 'Changes a system under test in part',
    who: 'admin',
    params: idParams,
    body: z.object(fields).partial(),
    answers: { 200: json('The endpoint.', endpoint) },
  }),
  deleteEndpoint: route({
    method: 'DELETE',
    path: '/api/endpoints/:id',
    aliases: ['/api/simulator/endpoints/:id'],
    tag: 'Endpoints',
    summary: 'Deletes a system under test; templates that name it cannot start any more',
    who: 'admin',
    params: idParams,
    answers: { 204: NOTHING },
  }),
} as const;
