import { chooseIdentity } from '../../domain/choose-identity.ts';
import type { Endpoint } from '../../domain/endpoint.ts';
import { guardEndpoints } from '../../domain/endpoint-limits.ts';
import { namedEndpoints } from '../../domain/named-endpoints.ts';
import type { OnFailure } from '../../domain/template.ts';
import type { Clock } from '../../lib/clock.ts';
import type { LivePort } from '../../live/port.ts';
import type { RunRecord } from '../../storage/port.ts';
import type { ServerStore } from '../../storage/server-port.ts';
import type { User } from '../http/handlers.ts';
import { templateFor } from '../routes/template-routes.ts';
import { resolveTemplate, type TemplateStore } from '../templates/resolve-template.ts';

export interface StartRunDeps {
  store: TemplateStore &
    Pick<ServerStore, 'getTemplate' | 'createRun' | 'listTargets' | 'deployment' | 'claimNamespaces'>;
  live: LivePort;
  clock: Clock;
  isBuiltInSink: (endpoint: Endpoint) => boolean;
}

export interface RunWish {
  templateId: number;
  patientCount: number;
  seed: number | null;
  /** Patients at a time; null: one after the other, each until a queue has it. */
  concurrency: number | null;
  /** Null: as the template says. */
  onFailure: OnFailure | null;
  tags: readonly string[];
}

/**
 * Makes a run that a runner claims; nothing of it happens here.
 * @throws {YeeterError} NOT_FOUND, VALIDATION, TARGET_REFUSED, NAMESPACE_EXHAUSTED
 */
export function createRunStart({ store, live, clock, isBuiltInSink }: StartRunDeps) {
  return async (user: User, wish: RunWish): Promise<RunRecord> => {
    const stored = await templateFor(store, user, wish.templateId);
    const { template, endpoints: defined } = await resolveTemplate(store, stored);
    const endpoints = Object.fromEntries(
      [...namedEndpoints(template).keys()].flatMap((name) => {
        const endpoint = defined[name];
        return endpoint ? [[name, endpoint]] : [];
      }),
    );
    const { patientCount } = wish;
    const concurrency = wish.concurrency ?? 1;
    const nowMs = clock.nowMs();
    const guarded = guardEndpoints(endpoints, await store.listTargets(), { nowMs, concurrency });
    const identity = await chooseIdentity(store, {
      patientCount,
      seed: wish.seed,
      namespace: null,
      clockStartMs: null,
      uidRoot: null,
      onlySinks: Object.values(endpoints).every(isBuiltInSink),
      nowMs,
    });
    const run = await store.createRun({
      userId: user.id,
      templateId: stored.id,
      template,
      identity,
      patientCount,
      concurrency,
      closedModel: wish.concurrency !== null,
      onFailure: wish.onFailure ?? template.onFailure,
      tags: wish.tags,
      endpoints,
      limits: Object.fromEntries(guarded.map(({ endpoint, limits }) => [endpoint.name, limits])),
    });
    live.publish({ kind: 'run_created', runId: run.id });
    return run;
  };
}
