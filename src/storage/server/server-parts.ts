import type { ServerPort } from '../server-port.ts';
import { createApiKeys } from './api-keys.ts';
import { createAttemptLists } from './attempt-lists.ts';
import { createDecisions } from './decisions.ts';
import { createRunDeletion } from './delete-runs.ts';
import { createEndpoints } from './endpoints.ts';
import { createExamples } from './examples.ts';
import { createGenerators } from './generators.ts';
import { createKeptTotals } from './kept-totals.ts';
import { createListenerMessages } from './listener-messages.ts';
import type { ServerPartDeps } from './part.ts';
import { createRunFacts } from './run-facts.ts';
import { createRunLists } from './run-lists.ts';
import { createRunRows } from './run-rows.ts';
import { createSettings } from './settings.ts';
import { createTemplates } from './templates.ts';
import { createUsers } from './users.ts';

/** The server's store in its parts. */
export function createServerParts(deps: ServerPartDeps): ServerPort {
  return {
    ...createUsers(deps),
    ...createApiKeys(deps),
    ...createGenerators(deps),
    ...createTemplates(deps),
    ...createEndpoints(deps),
    ...createExamples(deps),
    ...createRunLists(deps),
    ...createKeptTotals(deps),
    ...createRunDeletion(deps),
    ...createRunRows(deps),
    ...createAttemptLists(deps),
    ...createRunFacts(deps),
    ...createSettings(deps),
    ...createDecisions(deps),
    ...createListenerMessages(deps),
  };
}
