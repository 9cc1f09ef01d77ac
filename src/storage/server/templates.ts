import { YeeterError } from '../../lib/errors.ts';
import type { Drizzle } from '../database.ts';
import { asc, eq, type SQL } from '../drizzle.ts';
import { runs } from '../schema.ts';
import type { ServerPort, StepDefinition, StoredStep, TemplateRecord } from '../server-port.ts';
import { simTemplates, templateSteps } from '../server-schema.ts';
import { changes, type ServerPartDeps } from './part.ts';
import { byName } from './text-order.ts';

type TemplateMethods =
  | 'createTemplate'
  | 'getTemplate'
  | 'listTemplates'
  | 'updateTemplate'
  | 'deleteTemplate';

export function createTemplates({ database, clock }: ServerPartDeps): Pick<ServerPort, TemplateMethods> {
  return {
    createTemplate: ({ steps, ...template }) =>
      database.changeOnce(async (db) => {
        const id = await insertTemplate(db, { ...template, createdAtMs: clock.nowMs() }, steps);
        return (await readOne(db, id))!;
      }),

    getTemplate: (id) => database.ask((db) => readOne(db, id)),

    listTemplates: async (userId) =>
      byName(await database.ask((db) => read(db, eq(simTemplates.userId, userId)))),

    updateTemplate: (id, { steps, ...change }) =>
      database.change(async (db) => {
        const mine = eq(simTemplates.id, id);
        // Locked, so that of two changes at once the steps are those of one.
        const [there] = await db.select({ id: simTemplates.id }).from(simTemplates).where(mine).for('update');
        if (!there) return null;
        if (changes(change)) await db.update(simTemplates).set(change).where(mine);
        if (steps) {
          await db.delete(templateSteps).where(eq(templateSteps.templateId, id));
          await insertSteps(db, id, steps);
        }
        return await readOne(db, id);
      }),

    deleteTemplate: (id) =>
      database.change(async (db) => {
        const mine = eq(simTemplates.id, id);
        // A run that is made meanwhile waits for the lock, and then refers to a template that is gone: it is refused.
        await db.select({ id: simTemplates.id }).from(simTemplates).where(mine).for('update');
        const [run] = await db.select({ id: runs.id }).from(runs).where(eq(runs.templateId, id)).limit(1);
        if (run)
          throw new YeeterError(
            'TEMPLATE_IN_USE',
            `run ${run.id} was made from template ${id}: delete its runs first, or keep it`,
          );
        const deleted = await db.delete(simTemplates).where(mine).returning({ id: simTemplates.id });
        return deleted.length > 0;
      }),
  };
}

/** Within a transaction. @returns the template's number */
export async function insertTemplate(
  db: Drizzle,
  template: typeof simTemplates.$inferInsert,
  steps: readonly StepDefinition[],
): Promise<number> {
  const [created] = await db.insert(simTemplates).values(template).returning({ id: simTemplates.id });
  await insertSteps(db, created!.id, steps);
  return created!.id;
}

async function insertSteps(db: Drizzle, templateId: number, steps: readonly StepDefinition[]): Promise<void> {
  if (steps.length === 0) return;
  await db.insert(templateSteps).values(steps.map((step) => ({ ...step, templateId })));
}

async function readOne(db: Drizzle, id: number): Promise<TemplateRecord | null> {
  const [template] = await read(db, eq(simTemplates.id, id));
  return template ?? null;
}

/** One statement, so that a template's steps are of the same moment as the rest of it. */
async function read(db: Drizzle, where: SQL): Promise<TemplateRecord[]> {
  const rows = await db
    .select({ template: simTemplates, step: templateSteps })
    .from(simTemplates)
    .leftJoin(templateSteps, eq(templateSteps.templateId, simTemplates.id))
    .where(where)
    .orderBy(asc(simTemplates.id), asc(templateSteps.stepOrder), asc(templateSteps.id));
  const byTemplate = Map.groupBy(rows, ({ template }) => template.id);
  return [...byTemplate.values()].map((ofOne) => ({
    ...ofOne[0]!.template,
    steps: ofOne.flatMap(({ step }) => (step ? [stepOf(step)] : [])),
  }));
}

function stepOf({ templateId: _, ...step }: typeof templateSteps.$inferSelect): StoredStep {
  return step;
}
