import { z } from 'zod';
import { expects, line } from '../../domain/schema-fields.ts';
import { idParams, objectId, text, time } from './fields.ts';
import { json, NOTHING, route } from './route.ts';

const generator = z.object({
  id: objectId,
  user_id: objectId,
  name: text,
  message_type: text,
  content: text,
  created_at: time,
});

const MAX_CONTENT = 1_000_000;
const contentError = { error: expects(`an HL7 message with cues, 1 to ${MAX_CONTENT} characters`) };

const fields = {
  name: line(100),
  message_type: line(50),
  content: z.string(contentError).min(1, contentError).max(MAX_CONTENT, contentError),
};

export const generatorRoutes = {
  listGenerators: route({
    method: 'GET',
    path: '/api/simulator/generators',
    tag: 'Generators',
    summary: 'All message generators, by name',
    who: 'user',
    answers: { 200: json('The generators.', z.array(generator)) },
  }),
  createGenerator: route({
    method: 'POST',
    path: '/api/simulator/generators',
    tag: 'Generators',
    summary: 'Keeps a generator; its content is compiled first',
    who: 'admin',
    body: z.object(fields),
    answers: { 201: json('The generator.', generator) },
  }),
  updateGenerator: route({
    method: 'PUT',
    path: '/api/simulator/generators/:id',
    tag: 'Generators',
    summary: 'Changes a generator in part',
    who: 'admin',
    params: idParams,
    body: z.object(fields).partial(),
    answers: { 200: json('The generator.', generator) },
  }),
  deleteGenerator: route({
    method: 'DELETE',
    path: '/api/simulator/generators/:id',
    tag: 'Generators',
    summary: 'Deletes a generator; templates that name it cannot start any more',
    who: 'admin',
    params: idParams,
    answers: { 204: NOTHING },
  }),
} as const;
