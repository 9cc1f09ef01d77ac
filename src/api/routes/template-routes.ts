import type { ServerStore, TemplateRecord } from '../../storage/server-port.ts';
import type { Handlers, User } from '../http/handlers.ts';
import { missing } from '../http/refusals.ts';
import { resolveTemplate, type TemplateStore } from '../templates/resolve-template.ts';
import { settingsFromWire, stepsFromWire, templateToWire } from '../templates/template-wire.ts';

export type TemplateRoutesStore = TemplateStore &
  Pick<ServerStore, 'createTemplate' | 'getTemplate' | 'listTemplates' | 'updateTemplate' | 'deleteTemplate'>;

/** Templates belong to their user; administrators act on any. @throws {YeeterError} NOT_FOUND */
export async function templateFor(
  store: Pick<ServerStore, 'getTemplate'>,
  user: User,
  id: number,
): Promise<TemplateRecord> {
  const template = await store.getTemplate(id);
  return template && (user.isAdmin || template.userId === user.id) ? template : missing('template', id);
}

type Names =
  | 'listTemplates'
  | 'createTemplate'
  | 'getTemplate'
  | 'updateTemplate'
  | 'deleteTemplate'
  | 'listMessageTemplates';

export function createTemplateRoutes({ store }: { store: TemplateRoutesStore }): Pick<Handlers, Names> {
  return {
    listTemplates: async ({ user }) => ({
      status: 200,
      body: (await store.listTemplates(user.id)).map(templateToWire),
    }),

    createTemplate: async ({ user, body }) => {
      const template = {
        userId: user.id,
        name: body.name,
        description: body.description ?? null,
        settings: settingsFromWire(body),
        steps: stepsFromWire(body.steps),
      };
      await resolveTemplate(store, template);
      return { status: 201, body: templateToWire(await store.createTemplate(template)) };
    },

    getTemplate: async ({ user, params: { id } }) => ({
      status: 200,
      body: templateToWire(await templateFor(store, user, id)),
    }),

    updateTemplate: async ({ user, params: { id }, body }) => {
      const before = await templateFor(store, user, id);
      const settings = { ...before.settings, ...settingsFromWire(body) };
      const change = {
        ...(body.name === undefined ? {} : { name: body.name }),
        ...(body.description === undefined ? {} : { description: body.description }),
        ...(body.steps === undefined ? {} : { steps: stepsFromWire(body.steps) }),
        settings,
      };
      await resolveTemplate(store, { ...before, ...change });
      const changed = (await store.updateTemplate(id, change)) ?? missing('template', id);
      return { status: 200, body: templateToWire(changed) };
    },

    deleteTemplate: async ({ user, params: { id } }) => {
      await templateFor(store, user, id);
      if (!(await store.deleteTemplate(id))) missing('template', id);
      return { status: 204 };
    },

    listMessageTemplates: async () => ({ status: 200, body: [] }),
  };
}
