import { z } from 'zod';
import { expects, integer, line } from '../../domain/schema-fields.ts';
import { count, idParams, limit, objectId, text, time } from './fields.ts';
import { json, messageSchema, NOTHING, route } from './route.ts';

const address = { host: line(253), port: integer(1, 65_535) };
const messageError = { error: expects('an HL7 message') };
const messageIn = z.string(messageError).min(1, messageError);

const failed = z.object({ status: z.literal('error'), message: text, error: text, code: text });
const acknowledged = z.object({ status: z.literal('success'), message: text, ack: text });

const field = z.object({
  index: count,
  value: text,
  name: text,
  description: text,
  field_id: text,
  table: text.nullable(),
  length: count.nullable(),
  data_type: text.nullable(),
  errors: z.array(text),
  optionality: text,
  repeatable: z.boolean(),
});

const received = z.object({
  id: objectId,
  timestamp: time,
  message_type: text.nullable(),
  control_id: text.nullable(),
  sending_app: text.nullable(),
});

export const toolRoutes = {
  sendHl7: route({
    method: 'POST',
    path: '/api/send_hl7',
    tag: 'HL7 tools',
    summary: 'Sends one message by MLLP and waits up to 10 s for its acknowledgement',
    who: 'user',
    body: z.object({ ...address, message: messageIn }),
    faults: 'tools',
    answers: {
      200: json('It was accepted (AA or CA).', acknowledged),
      500: json('It was not sent, not answered or not accepted.', failed),
    },
    errors: { 403: 'The target guard refuses the host (TARGET_REFUSED).' },
  }),
  pingMllp: route({
    method: 'POST',
    path: '/api/ping_mllp',
    tag: 'HL7 tools',
    summary: 'Asks whether an MLLP listener answers; no patient is in the message',
    who: 'user',
    body: z.object(address),
    faults: 'tools',
    answers: {
      200: json('It answers with HL7.', acknowledged),
      502: json('It answers, but not with HL7.', failed),
      503: json('Nothing listens there.', failed),
      504: json('No answer came.', failed),
    },
    errors: { 403: 'The target guard refuses the host (TARGET_REFUSED).' },
  }),
  parseHl7: route({
    method: 'POST',
    path: '/api/parse_hl7',
    tag: 'HL7 tools',
    summary: 'A message in segments and fields, with what the standard says of them',
    who: 'user',
    body: z.object({
      message: messageIn,
      version: z.string({ error: expects('a version of HL7') }).nullish(),
    }),
    faults: 'tools',
    answers: {
      200: json(
        'The segments.',
        z.object({
          status: z.literal('success'),
          data: z.array(z.object({ name: text, description: text, fields: z.array(field) })),
        }),
      ),
    },
  }),
  supportedVersions: route({
    method: 'GET',
    path: '/api/get_supported_versions',
    tag: 'HL7 tools',
    summary: 'Versions of HL7 whose fields are known',
    who: 'anyone',
    answers: { 200: json('The versions.', z.array(text)) },
  }),
  totalTokenUsage: route({
    method: 'GET',
    path: '/api/get_total_token_usage',
    tag: 'HL7 tools',
    summary: 'Tokens of language models used; there are none',
    who: 'anyone',
    answers: { 200: json('None.', z.object({ total_usage: count })) },
  }),
  usageByModel: route({
    method: 'GET',
    path: '/api/get_usage_by_model',
    tag: 'HL7 tools',
    summary: 'The same by model; there are none',
    who: 'anyone',
    answers: { 200: json('An empty list.', z.array(z.object({ model: text, total_usage: count }))) },
  }),
  startListener: route({
    method: 'POST',
    path: '/api/listener/start',
    tag: 'MLLP listener',
    summary: 'Listens for HL7 messages, which are acknowledged and kept',
    who: 'user',
    body: z.object({ port: integer(1, 65_535) }),
    faults: 'tools',
    answers: { 200: json('It listens.', messageSchema) },
    errors: { 409: 'It listens already, or the port is taken.' },
  }),
  stopListener: route({
    method: 'POST',
    path: '/api/listener/stop',
    tag: 'MLLP listener',
    summary: 'Ends the listener',
    who: 'user',
    answers: { 200: json('It does not listen any more.', messageSchema) },
  }),
  listMessages: route({
    method: 'GET',
    path: '/api/listener/messages',
    tag: 'MLLP listener',
    summary: 'Messages that came, newest first',
    who: 'user',
    query: z.object({
      page: integer(1, 10_000_000).default(1),
      per_page: limit(500, 20),
      search: z.string().max(200).optional(),
    }),
    answers: {
      200: json(
        'A page of them.',
        z.object({ items: z.array(received), total: count, page: count, per_page: count, pages: count }),
      ),
    },
  }),
  getMessage: route({
    method: 'GET',
    path: '/api/listener/messages/:id',
    tag: 'MLLP listener',
    summary: 'One message as it came',
    who: 'user',
    params: idParams,
    answers: { 200: json('The message.', received.extend({ raw_message: text })) },
  }),
  deleteMessage: route({
    method: 'DELETE',
    path: '/api/listener/messages/:id',
    tag: 'MLLP listener',
    summary: 'Throws a message away',
    who: 'user',
    params: idParams,
    answers: { 204: NOTHING },
  }),
} as const;
