import { checkGenerator } from '../../steps/generate-hl7.ts';
import type { GeneratorRecord, ServerStore } from '../../storage/server-port.ts';
import type { Audit } from '../audit.ts';
import type { Handlers } from '../http/handlers.ts';
import { missing, RequestFaults } from '../http/refusals.ts';
import { at } from '../time.ts';

export interface GeneratorRoutesDeps {
  store: Pick<ServerStore, 'createGenerator' | 'listGenerators' | 'updateGenerator' | 'deleteGenerator'>;
  audit: Audit;
}

function toWire({ id, userId, name, messageType, content, createdAtMs }: GeneratorRecord) {
  return { id, user_id: userId, name, message_type: messageType, content, created_at: at(createdAtMs) };
}

/** @throws {RequestFaults} each cue that cannot be used, with its line */
function compile(content: string): void {
  const faults = checkGenerator(content).map(({ line, message }) => ({
    loc: ['content', line],
    msg: `line ${line}: ${message}`,
    type: 'generator_invalid',
  }));
  if (faults.length > 0) throw new RequestFaults(faults);
}

type Names = 'listGenerators' | 'createGenerator' | 'updateGenerator' | 'deleteGenerator';

export function createGeneratorRoutes({ store, audit }: GeneratorRoutesDeps): Pick<Handlers, Names> {
  return {
    listGenerators: async () => ({ status: 200, body: (await store.listGenerators()).map(toWire) }),

    createGenerator: async (call) => {
      const { name, message_type: messageType, content } = call.body;
      compile(content);
      const made = await store.createGenerator({ userId: call.user.id, name, messageType, content });
      await audit.record(call, 'generator.create', `generator ${made.id}`, { name });
      return { status: 201, body: toWire(made) };
    },

    updateGenerator: async (call) => {
      const { id } = call.params;
      const { name, message_type: messageType, content } = call.body;
      if (content !== undefined) compile(content);
      const change = {
        ...(name === undefined ? {} : { name }),
        ...(messageType === undefined ? {} : { messageType }),
        ...(content === undefined ? {} : { content }),
      };
      const changed = (await store.updateGenerator(id, change)) ?? missing('generator', id);
      await audit.record(call, 'generator.update', `generator ${id}`, { fields: Object.keys(change) });
      return { status: 200, body: toWire(changed) };
    },

    deleteGenerator: async (call) => {
      const { id } = call.params;
      if (!(await store.deleteGenerator(id))) missing('generator', id);
      await audit.record(call, 'generator.delete', `generator ${id}`);
      return { status: 204 };
    },
  };
}
