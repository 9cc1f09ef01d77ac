import { z } from 'zod';
import { expects, flag, line } from '../../domain/schema-fields.ts';
import { beforeId, idParams, limit, objectId, text, time } from './fields.ts';
import { json, messageSchema, NOTHING, route } from './route.ts';

const username = z
  .string({ error: expects('text of 3 to 50 characters') })
  .trim()
  .min(3, { error: expects('text of 3 to 50 characters') })
  .max(50, { error: expects('text of 3 to 50 characters') })
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what a name must not hold
  .regex(/^[^\u0000-\u001f\u007f]+$/, { error: 'must not hold control characters' });

const secret = { error: 'must be text of 8 to 1000 characters' };

const signedIn = z.object({ access_token: text, username: text, is_admin: z.boolean() });

const user = z.object({ id: objectId, username: text, email: text, is_admin: z.boolean(), created_at: time });

const apiKey = z.object({
  id: objectId,
  name: text,
  key_prefix: text,
  created_at: time,
  last_used: time.nullable(),
  is_active: z.boolean(),
});

const msg = z.object({ msg: text, error: text, code: text });

export const accountRoutes = {
  register: route({
    method: 'POST',
    path: '/api/auth/register',
    tag: 'Accounts',
    summary: 'Makes an account; the first one administers the server',
    who: 'anyone',
    body: z.object({
      username,
      email: z.email({ error: expects('a mail address') }).max(254, { error: expects('a mail address') }),
      password: z.string(secret).min(8, secret).max(1000, secret),
    }),
    answers: { 201: json('Made and signed in.', messageSchema.extend(signedIn.shape)) },
    errors: {
      403: 'Registration is closed.',
      409: 'The name or the address is taken.',
      429: 'Too many at once.',
    },
  }),
  login: route({
    method: 'POST',
    path: '/api/auth/login',
    tag: 'Accounts',
    summary: 'Signs in',
    who: 'anyone',
    body: z.object({
      username: z.string({ error: expects('text') }).max(254, { error: 'must be shorter' }),
      password: z
        .string({ error: 'is missing: it must be text' })
        .max(1000, { error: 'must be at most 1000 characters' }),
    }),
    answers: { 200: json('Signed in.', signedIn) },
    errors: { 401: 'No such name and password.', 429: 'Too many at once.' },
  }),
  listApiKeys: route({
    method: 'GET',
    path: '/api/admin/apikeys',
    tag: 'API keys',
    summary: 'Your API keys, newest first',
    who: 'user',
    answers: { 200: json('The keys, without their secrets.', z.array(apiKey)) },
  }),
  createApiKey: route({
    method: 'POST',
    path: '/api/admin/apikeys',
    tag: 'API keys',
    summary: 'Makes an API key; it is shown this once',
    who: 'user',
    body: z.object({ name: line(100) }),
    answers: {
      201: json('The key.', messageSchema.extend({ name: text, key_prefix: text, raw_key: text })),
    },
  }),
  deleteApiKey: route({
    method: 'DELETE',
    path: '/api/admin/apikeys/:id',
    tag: 'API keys',
    summary: 'Ends an API key of yours',
    who: 'user',
    params: idParams,
    answers: { 204: NOTHING },
  }),
  listUsers: route({
    method: 'GET',
    path: '/api/admin/users',
    tag: 'Users',
    summary: 'All users',
    who: 'admin',
    answers: { 200: json('The users.', z.array(user)) },
  }),
  updateUser: route({
    method: 'PUT',
    path: '/api/admin/users/:id',
    tag: 'Users',
    summary: 'Makes somebody administrator, or no longer so',
    who: 'admin',
    params: idParams,
    body: z.object({ is_admin: flag() }),
    faults: 'users',
    answers: {
      200: json('Done.', user.extend({ msg: text })),
      400: json('Not possible.', msg),
      404: json('No such user.', msg),
    },
  }),
  deleteUser: route({
    method: 'DELETE',
    path: '/api/admin/users/:id',
    tag: 'Users',
    summary: 'Deletes an account and its keys; its runs stay',
    who: 'admin',
    params: idParams,
    faults: 'users',
    answers: {
      200: json('Deleted.', z.object({ msg: text })),
      400: json('One’s own account, or the last administrator.', msg),
      404: json('No such user.', msg),
    },
  }),
  listAudit: route({
    method: 'GET',
    path: '/api/admin/audit',
    tag: 'Users',
    summary: 'Administrative acts, newest first',
    who: 'admin',
    query: z.object({ limit: limit(1000, 100), before_id: beforeId }),
    answers: {
      200: json(
        'The acts.',
        z.array(
          z.object({
            id: objectId,
            at: time,
            user_id: objectId.nullable(),
            username: text.nullable(),
            action: text,
            object: text,
            details: z.record(z.string(), z.unknown()),
            address: text.nullable(),
          }),
        ),
      ),
    },
  }),
} as const;
