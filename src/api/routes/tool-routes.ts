import type { MllpResult } from '../../hl7/mllp-pool.ts';
import type { ErrorCode } from '../../lib/errors.ts';
import type { ListenerMessage, ServerStore } from '../../storage/server-port.ts';
import { DEFAULT_VERSION, HL7_VERSIONS, type Hl7Version, segmentsOf } from '../hl7/dictionary.ts';
import { explainMessage } from '../hl7/explain-message.ts';
import type { Listener } from '../hl7/listener.ts';
import { isHl7Answer, type MllpTools, replyText } from '../hl7/mllp-tools.ts';
import type { Handlers } from '../http/handlers.ts';
import { fault, missing } from '../http/refusals.ts';
import { at } from '../time.ts';

export interface ToolRoutesDeps {
  store: Pick<ServerStore, 'listListenerMessages' | 'getListenerMessage' | 'deleteListenerMessage'>;
  tools: MllpTools;
  listener: Listener;
}

function received(message: Omit<ListenerMessage, 'rawMessage'>) {
  return {
    id: message.id,
    timestamp: at(message.receivedAtMs),
    message_type: message.messageType,
    control_id: message.controlId,
    sending_app: message.sendingApp,
  };
}

function failed(message: string, code: ErrorCode) {
  return { status: 'error' as const, message, error: message, code };
}

/** Nobody there, an answer that is no HL7, or none. */
function pingStatus(code: ErrorCode): 502 | 503 | 504 {
  if (code === 'CONNECT_REFUSED' || code === 'NAME_NOT_FOUND' || code === 'CONNECT_FAILED') return 503;
  if (code === 'MLLP_GARBAGE' || code === 'MLLP_FRAME_TOO_LARGE' || code === 'MLLP_WRONG_ACK') return 502;
  return 504;
}

/** @throws {RequestFaults} */
function versionOf(text: string | null | undefined): Hl7Version {
  if (!text) return DEFAULT_VERSION;
  const version = HL7_VERSIONS.find((known) => known === text);
  if (version) return version;
  throw fault(['version'], `must be one of ${HL7_VERSIONS.join(', ')}`, 'enum');
}

const answerOf = (result: MllpResult): string => (result.ack ? replyText(result.ack) : '');

type Names =
  | 'sendHl7'
  | 'pingMllp'
  | 'parseHl7'
  | 'supportedVersions'
  | 'totalTokenUsage'
  | 'usageByModel'
  | 'startListener'
  | 'stopListener'
  | 'listMessages'
  | 'getMessage'
  | 'deleteMessage';

export function createToolRoutes({ store, tools, listener }: ToolRoutesDeps): Pick<Handlers, Names> {
  return {
    sendHl7: async ({ body }) => {
      const result = await tools.send(body, body.message);
      if (!result.ok) return { status: 500, body: failed(result.message, result.code) };
      const message = `${body.host}:${body.port} accepted the message (${result.code})`;
      return { status: 200, body: { status: 'success', message, ack: answerOf(result) } };
    },

    pingMllp: async ({ body }) => {
      const result = await tools.ping(body);
      const where = `${body.host}:${body.port}`;
      // A refusal is an answer too: the question was whether somebody speaks HL7 there.
      if (isHl7Answer(result))
        return {
          status: 200,
          body: { status: 'success', message: `${where} answers with HL7`, ack: answerOf(result) },
        };
      const { code, message } = result.ok
        ? { code: 'MLLP_GARBAGE' as const, message: `${where}: the answer is no HL7` }
        : result;
      return { status: pingStatus(code), body: failed(message, code) };
    },

    parseHl7: async ({ body }) => {
      const definitions = segmentsOf(versionOf(body.version));
      return { status: 200, body: { status: 'success', data: explainMessage(body.message, definitions) } };
    },

    supportedVersions: async () => ({ status: 200, body: [...HL7_VERSIONS] }),
    totalTokenUsage: async () => ({ status: 200, body: { total_usage: 0 } }),
    usageByModel: async () => ({ status: 200, body: [] }),

    startListener: async ({ body: { port } }) => {
      await listener.start(port);
      return { status: 200, body: { message: `listening on port ${port}` } };
    },

    stopListener: async () => {
      const stopped = await listener.stop();
      return {
        status: 200,
        body: { message: stopped ? 'the listener was stopped' : 'no listener was running' },
      };
    },

    listMessages: async ({ query: { page, per_page: perPage, search } }) => {
      const { items, total } = await store.listListenerMessages({
        limit: perPage,
        offset: (page - 1) * perPage,
        ...(search === undefined ? {} : { search }),
      });
      const pages = Math.ceil(total / perPage);
      return { status: 200, body: { items: items.map(received), total, page, per_page: perPage, pages } };
    },

    getMessage: async ({ params: { id } }) => {
      const message = (await store.getListenerMessage(id)) ?? missing('message', id);
      return { status: 200, body: { ...received(message), raw_message: message.rawMessage } };
    },

    deleteMessage: async ({ params: { id } }) => {
      if (!(await store.deleteListenerMessage(id))) missing('message', id);
      return { status: 204 };
    },
  };
}
