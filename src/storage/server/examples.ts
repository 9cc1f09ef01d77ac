import type { Drizzle } from '../database.ts';
import { asc, eq } from '../drizzle.ts';
import type { Examples, ReceiverIds, ServerPort } from '../server-port.ts';
import { endpoints, generators, users } from '../server-schema.ts';
import type { ServerPartDeps } from './part.ts';
import { INIT_SETTING, settingForUpdate, writeSetting } from './settings.ts';
import { insertTemplate } from './templates.ts';

/** Tells that the examples were made, and the numbers of the receivers. */
const KEY = 'examples';

/** The setting is locked from the first look at it, so that of several processes one makes the rows. */
export function createExamples({ database, clock }: ServerPartDeps): Pick<ServerPort, 'seedExamples'> {
  return {
    seedExamples: (examples) =>
      database.changeOnce(async (db, tx) => {
        const [admin] = await db
          .select({ id: users.id })
          .from(users)
          .where(eq(users.isAdmin, true))
          .orderBy(asc(users.id))
          .limit(1);
        if (!admin) return null;
        const isFirst = (await tx.query(INIT_SETTING, [KEY, '{}'])).length > 0;
        const there = (await settingForUpdate(tx, KEY)) as ReceiverIds;
        const made = await insertReceivers(db, admin.id, examples, there);
        if (isFirst) await insertTemplates(db, admin.id, examples, made, clock.nowMs());
        await writeSetting(tx, KEY, made);
        return made;
      }),
  };
}

/** @param there those that were made before @returns all that are there now */
async function insertReceivers(
  db: Drizzle,
  userId: number,
  { receivers }: Examples,
  there: ReceiverIds,
): Promise<ReceiverIds> {
  const ids: ReceiverIds = { ...there };
  for (const [key, receiver] of [
    ['mllpId', receivers?.mllp],
    ['dicomId', receivers?.dicom],
  ] as const) {
    if (!receiver || ids[key] !== undefined) continue;
    const named = eq(endpoints.name, receiver.name);
    const [taken] = await db.select({ id: endpoints.id }).from(endpoints).where(named).limit(1);
    if (taken) continue;
    const [created] = await db
      .insert(endpoints)
      .values({ ...receiver, userId })
      .returning({ id: endpoints.id });
    ids[key] = created!.id;
  }
  return ids;
}

async function insertTemplates(
  db: Drizzle,
  userId: number,
  examples: Examples,
  { mllpId, dicomId }: ReceiverIds,
  createdAtMs: number,
): Promise<void> {
  const generatorIds = new Map<unknown, number>();
  for (const generator of examples.generators) {
    const values = { ...generator, userId, createdAtMs };
    const [created] = await db.insert(generators).values(values).returning({ id: generators.id });
    generatorIds.set(generator.name, created!.id);
  }
  const { receivers } = examples;
  const endpointIds = new Map<unknown, number | undefined>([
    [receivers?.mllp.name, mllpId],
    [receivers?.dicom.name, dicomId],
  ]);
  const numbered = ({ ...parameters }: Record<string, unknown>): Record<string, unknown> => {
    const { generator_template_id: generator, endpoint_id: endpoint } = parameters;
    if (generator !== undefined) parameters.generator_template_id = generatorIds.get(generator) ?? generator;
    if (endpoint !== undefined) parameters.endpoint_id = endpointIds.get(endpoint) ?? endpoint;
    return parameters;
  };
  for (const { steps, ...template } of examples.templates) {
    const numberedSteps = steps.map((step) => ({ ...step, parameters: numbered(step.parameters) }));
    await insertTemplate(db, { ...template, userId, createdAtMs }, numberedSteps);
  }
}
